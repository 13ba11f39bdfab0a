// Starting goroutines for AfterFunc.
//
// What the goroutine inherits is put into its record by itself before it calls the function:
// between its start and its first run dumps show it without a parent.

#include "time/deferred_go.h"

#include <new>
#include <utility>

#include "base/check.h"
#include "base/race.h"
#include "leash/go.h"
#include "sched/g.h"
#include "sched/park.h"

namespace leash::rt {
namespace {

constexpr int64_t kRetryNs = 5'000'000;

}  // namespace

DeferredGo::DeferredGo(std::function<void()> fn, std::source_location site)
    : fn_(std::move(fn)), site_(site) {
  const G* const self = CurrentG();
  parent_id_ = IdOf(self);
  labels_ = RetainLabels(self->labels);
  test_ = self->test;
  retry_.fn = Retry;
  retry_.arg = this;
  race::Release(this);
}

DeferredGo::~DeferredGo() {
  // Whoever destroys what the function has captured comes after those who made it and ran it.
  race::Acquire(this);
  ReleaseLabels(labels_);
}

void DeferredGoRelease::operator()(DeferredGo* deferred) const noexcept {
  race::Release(deferred);
  // Acquire and release: the last one comes after all the others.
  if (deferred->references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete deferred;
}

DeferredGoRef DeferredGo::Make(std::function<void()> fn, std::source_location site) {
  return DeferredGoRef(new DeferredGo(std::move(fn), site));
}

DeferredGoRef DeferredGo::Retain() {
  references_.fetch_add(1, std::memory_order_relaxed);
  return DeferredGoRef(this);
}

void DeferredGo::Start(DeferredGoRef self) {
  DeferredGo* const deferred = self.get();
  try {
    // `self` is moved into the goroutine's closure, and only once that is there.
    internal::Spawn(deferred->site_, nullptr, &DeferredGo::Run, std::move(self));
    return;
  } catch (const std::bad_alloc&) {
    // Not moved, so nothing has started; the timer below keeps the reference.
    DeferredGo* const unstarted = self.release();
    LEASH_CHECK(unstarted == deferred);
  }
  if (deferred->owed_.fetch_add(1, std::memory_order_acq_rel) != 0) return;  // is being tried
  try {
    ResetTimer(&deferred->retry_, Nanotime() + kRetryNs, 0);
  } catch (const std::bad_alloc&) {
    Fatal("leash: out of memory: cannot start the goroutine of an AfterFunc");
  }
}

void DeferredGo::Retry(RtTimer* timer, int64_t) {
  auto* const deferred = static_cast<DeferredGo*>(timer->arg);
  uint32_t owed = deferred->owed_.exchange(0, std::memory_order_acq_rel);
  while (owed-- > 0) Start(DeferredGoRef(deferred));
}

void DeferredGo::Run(DeferredGoRef self) {
  G* const g = CurrentG();
  g->parent_id = self->parent_id_;
  SetCurrentTest(self->test_);
  SetCurrentLabels(RetainLabels(self->labels_));
  race::Acquire(self.get());
  self->fn_();
}

}  // namespace leash::rt
