// How contexts end: a cancel, a deadline, a parent's end; and how they become unable to.

#include <sched.h>

#include <utility>

#include "base/check.h"
#include "base/race.h"
#include "context/node.h"
#include "sched/park.h"

namespace leash::rt {
namespace {

// Waits until another's cancel of this node has ended all below it. It runs no code but ours:
// short.
void WaitSettled(const CancelNode* node, bool may_park) {
  // Acquire: pairs with the release where it is set.
  while (!node->settled.load(std::memory_order_acquire)) {
    if (may_park) {
      Yield();
    } else {
      sched_yield();
    }
  }
}

}  // namespace

void CancelNode::LinkToParent() {
  CancelNode* const above = parent != nullptr ? parent->canceller : nullptr;
  if (above == nullptr) return;
  {
    LockHolder hold(lock);
    // Before it is in the list, from where the loss of this source may come at once.
    if (error.load(std::memory_order_relaxed) == Error::kNone) sources |= kParent;
  }
  Error error_above = Error::kNone;
  bool in_list = false;
  {
    LockHolder hold(above->lock);
    error_above = above->error.load(std::memory_order_relaxed);
    if (error_above == Error::kNone && !above->closed) {
      Retain();
      in_list = linked = true;
      next = above->children;
      if (next != nullptr) next->previous = this;
      above->children = this;
    }
  }
  if (error_above != Error::kNone) {
    (void)above->Err();  // orders the parent's cancel before ours
    Cancel(error_above, above->cause, /*may_park=*/true);
    return;
  }
  if (!in_list) {
    DropSource(kParent);  // the parent cannot end any more
  } else if (error.load(std::memory_order_seq_cst) != Error::kNone) {
    // The deadline has passed in the meantime and may have found it not linked.
    Unlink();
  }
}

void CancelNode::Unlink() {
  CancelNode* const above = parent != nullptr ? parent->canceller : nullptr;
  if (above == nullptr) return;
  {
    LockHolder hold(above->lock);
    if (!linked || above->closed) return;  // (3)
    linked = false;
    (previous != nullptr ? previous->next : above->children) = next;
    if (next != nullptr) next->previous = previous;
    previous = next = nullptr;
  }
  Release(this);
}

bool CancelNode::Cancel(Error new_error, const absl::Status& new_cause, bool may_park) {
  Retain();
  CancelNode* pending =
      this;  // linked by `next`, each with a reference; ours once their list was taken
  CancelNode* last_pending = this;
  CancelNode* ended = nullptr;
  bool first = false;
  // `next` of the root belongs to its parent's list: it is not followed.
  for (bool root = true; pending != nullptr; root = false) {
    CancelNode* const node = pending;
    pending = root ? nullptr : node->next;
    if (pending == nullptr) last_pending = nullptr;

    SendChan<Unit> sender;
    DeferredGoRef to_start;
    CancelNode* below = nullptr;
    bool mine = false;
    {
      LockHolder hold(node->lock);
      if (node->error.load(std::memory_order_relaxed) == Error::kNone) {
        mine = true;
        node->cause = new_cause;
        race::Release(&node->error);
        // Release: pairs with the acquire in Err(). Publishes the cause.
        node->error.store(new_error, std::memory_order_release);
        node->sources = 0;
        std::swap(sender, node->done_sender);
        std::swap(to_start, node->deferred);
        if (!node->closed) {
          node->closed = true;
          below = std::exchange(node->children, nullptr);
        }
      }
    }
    if (root) first = mine;
    if (!mine) {
      WaitSettled(node, may_park);
      Release(node);
      continue;
    }
    if (sender) {
      race::Acquire(&node->done);  // another may have made it
      sender.Close();
    }
    if (to_start != nullptr) DeferredGo::Start(std::move(to_start));
    if (StopTimer(&node->timer)) Release(node);
    if (below != nullptr) {
      (last_pending != nullptr ? last_pending->next : pending) = below;
      last_pending = below;
      while (last_pending->next != nullptr) last_pending = last_pending->next;
    }
    node->next_ended = ended;
    ended = node;
  }
  while (ended != nullptr) {
    CancelNode* const node = ended;
    ended = node->next_ended;
    // Release: pairs with the acquire in WaitSettled(). (2)
    node->settled.store(true, std::memory_order_release);
    if (node == this) Unlink();
    Release(node);
  }
  return first;
}

void CancelNode::DropSource(Source source) {
  Retain();
  CancelNode* pending = this;  // as in Cancel()
  CancelNode* last_pending = this;
  for (bool root = true; pending != nullptr; root = false) {
    CancelNode* const node = pending;
    pending = root ? nullptr : node->next;
    if (pending == nullptr) last_pending = nullptr;

    SendChan<Unit> sender;
    DeferredGoRef dropped;
    CancelNode* below = nullptr;
    {
      LockHolder hold(node->lock);
      const bool last = node->sources == static_cast<uint32_t>(root ? source : kParent);
      node->sources &= ~static_cast<uint32_t>(root ? source : kParent);
      if (last) {
        std::swap(sender, node->done_sender);
        std::swap(dropped, node->deferred);
        if (!node->closed) {
          node->closed = true;
          below = std::exchange(node->children, nullptr);
        }
      }
    }
    if (below != nullptr) {
      (last_pending != nullptr ? last_pending->next : pending) = below;
      last_pending = below;
      while (last_pending->next != nullptr) last_pending = last_pending->next;
    }
    Release(node);  // the list's, or ours
  }
}

}  // namespace leash::rt
