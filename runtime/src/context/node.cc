// Nodes and their references.

#include "context/node.h"

#include <utility>

#include "base/check.h"
#include "base/race.h"

namespace leash::rt {

ContextNode::ContextNode(Kind k, ContextNode* p)
    : kind(k),
      has_values(k == Kind::kValue || (p != nullptr && p->has_values)),
      parent(p),
      canceller(p != nullptr && k == Kind::kValue ? p->canceller : nullptr) {
  if (parent != nullptr) parent->Retain();
  race::Release(this);  // for whoever frees it
}

void ContextNode::Release(ContextNode* node) {
  while (node != nullptr) {  // (5)
    // A value is destroyed by whoever drops the last handle: after all who have read it. The rest
    // of a node only the runtime touches: that it was made before it is freed is enough.
    if (node->has_values) race::Release(node);
    // Acquire and release: the last one comes after all the others.
    if (node->references.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    race::Acquire(node);
    ContextNode* const parent = node->parent;
    switch (node->kind) {
      case Kind::kValue:
        delete static_cast<ValueNode*>(node);
        break;
      case Kind::kCancel:
        delete static_cast<CancelNode*>(node);
        break;
      case Kind::kDetached:
        delete node;
        break;
    }
    node = parent;
  }
}

Context ContextNode::MakeContext(ContextNode* node) {
  Context context;
  context.node_ = node;
  return context;
}

CancelFunc ContextNode::MakeCancelFunc(CancelNode* node) {
  node->handles.fetch_add(1, std::memory_order_relaxed);
  CancelFunc cancel;
  cancel.node_ = node;
  return cancel;
}

CancelCauseFunc ContextNode::MakeCancelCauseFunc(CancelNode* node) {
  CancelCauseFunc cancel;
  cancel.cancel_ = MakeCancelFunc(node);
  return cancel;
}

StopFunc ContextNode::MakeStopFunc(CancelNode* node) {
  StopFunc stop;
  stop.node_ = node;
  return stop;
}

ValueNode::ValueNode(ContextNode* p, const void* k, std::shared_ptr<const void> v)
    : ContextNode(Kind::kValue, p), key(k), value(std::move(v)) {}

CancelNode::CancelNode(ContextNode* p, std::source_location where)
    : ContextNode(Kind::kCancel, p),
      deadline(p != nullptr && p->canceller != nullptr ? p->canceller->deadline
                                                       : absl::InfiniteFuture()),
      site(where) {
  canceller = this;
}

// Lazily, as in Go: many contexts are only passed on.
RecvChan<Unit> CancelNode::Done() {
  // Acquire: pairs with the release at the end. Publishes `done`.
  if (!done_made.load(std::memory_order_acquire)) {
    const Chan<Unit> made = MakeChan<Unit>(0, "context", site);
    SendChan<Unit> sender(made);
    RecvChan<Unit> receiver(made);
    bool closed = false;
    while (true) {
      // What has ended gets a channel that is closed before anybody sees it. Acquire: as in Err().
      if (!closed && error.load(std::memory_order_acquire) != Error::kNone) {
        race::Acquire(&error);
        sender.Close();
        closed = true;
      }
      LockHolder hold(lock);
      if (done_made.load(std::memory_order_relaxed)) break;
      if (!closed && error.load(std::memory_order_relaxed) != Error::kNone) continue;
      std::swap(done, receiver);
      if (!closed && sources != 0) std::swap(done_sender, sender);
      race::Release(&done);
      // Release: pairs with the acquire at the top.
      done_made.store(true, std::memory_order_release);
      break;
    }
  }
  race::Acquire(&done);
  return done;
}

absl::Status CancelNode::Err() const {
  // Acquire: pairs with the release in Cancel().
  switch (error.load(std::memory_order_acquire)) {
    case Error::kNone:
      return absl::OkStatus();
    case Error::kCanceled:
      race::Acquire(&error);
      return absl::CancelledError("context canceled");
    case Error::kDeadlineExceeded:
      race::Acquire(&error);
      return absl::DeadlineExceededError("context deadline exceeded");
  }
  __builtin_unreachable();
}

absl::Status CancelNode::Cause() const {
  const absl::Status err = Err();
  if (err.ok() || cause.ok()) return err;
  if (!race::kEnabled) return cause;
  // Abseil counts the references to a status where the detector does not look: one of our own.
  absl::Status copy(cause.code(), cause.message());
  cause.ForEachPayload([&](auto url, const absl::Cord& payload) { copy.SetPayload(url, payload); });
  return copy;
}

}  // namespace leash::rt
