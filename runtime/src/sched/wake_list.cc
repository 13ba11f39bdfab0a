// Waking many: WakeList of park.h.

#include "base/check.h"
#include "sched/g.h"
#include "sched/park.h"
#include "sched/scheduler.h"

namespace leash::rt {

void WakeList::Push(G* g) {
  // In the child of a fork queues still name those who were left behind.
  const GStatus status = g->status.load(std::memory_order_relaxed);
  LEASH_CHECK(status == GStatus::kWaiting || (status == GStatus::kDead && forked));
  (last_ != nullptr ? last_->queue_next : first_) = g;
  last_ = g;
}

void WakeList::ReadyAll() {
  if (last_ == nullptr) return;
  last_->queue_next = nullptr;
  while (first_ != nullptr) {
    G* g = first_;
    first_ = g->queue_next;
    g->queue_next = nullptr;
    Ready(g);  // from here on it may be another's
  }
}

}  // namespace leash::rt
