// leash::AfterFunc of a context, and a context's own deadline: what happens when one ends, or makes
// it end.

#include <utility>

#include "base/race.h"
#include "context/node.h"
#include "leash/go.h"

namespace leash {
namespace rt {

void CancelNode::ArmTimer(int64_t when_ns) {
  timer.arg = this;
  timer.fn = [](RtTimer* fired, int64_t) {
    auto* const node = static_cast<CancelNode*>(fired->arg);
    race::Acquire(fired);
    node->Cancel(Error::kDeadlineExceeded, absl::OkStatus(), /*may_park=*/false);
    Release(node);  // the timer's
  };
  race::Release(&timer);
  {
    LockHolder hold(lock);
    sources |= kTimer;
  }
  Retain();
  try {
    StartTimer(&timer, when_ns, 0);
  } catch (...) {
    Release(this);
    throw;
  }
}

bool CancelNode::StopDeferred() {
  DeferredGoRef dropped;
  {
    LockHolder hold(lock);
    if (error.load(std::memory_order_relaxed) != Error::kNone) return false;
    error.store(Error::kCanceled, std::memory_order_release);
    sources = 0;
    std::swap(dropped, deferred);
  }
  settled.store(true, std::memory_order_release);
  Unlink();
  return true;
}

}  // namespace rt

StopFunc::StopFunc(const StopFunc& other) noexcept : node_(other.node_) {
  if (node_ != nullptr) node_->Retain();
}

StopFunc::~StopFunc() { rt::ContextNode::Release(node_); }

bool StopFunc::operator()() const {
  return node_ != nullptr && static_cast<rt::CancelNode*>(node_)->StopDeferred();
}

StopFunc AfterFunc(const Context& ctx, std::function<void()> fn, std::source_location site) {
  if (!fn) Panic("context: AfterFunc of an empty function");
  rt::CancelNodeRef node(new rt::CancelNode(rt::ContextNode::Of(ctx), site));
  {
    rt::DeferredGoRef deferred = rt::DeferredGo::Make(std::move(fn), site);
    rt::LockHolder hold(node->lock);
    std::swap(node->deferred, deferred);
  }
  node->LinkToParent();
  return rt::ContextNode::MakeStopFunc(node.release());
}

}  // namespace leash
