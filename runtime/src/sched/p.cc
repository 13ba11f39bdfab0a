// The Ps: made, idle, handed over, taken apart.

#include <new>

#include "base/check.h"
#include "base/membarrier.h"
#include "sched/netpoll_poll.h"
#include "sched/scheduler.h"
#include "sched/timer_heap.h"

namespace leash::rt {
namespace {

// p, which no M has any more and whose queue is empty, goes to the idle ones, or out of use.
void PutAwayLocked(P* p) {
  const bool detached = p->detached.load(std::memory_order_relaxed);
  if (!detached && sched.excess_ps == 0) {
    ReleaseIdlePLocked(p);
    return;
  }
  if (detached) {
    p->detached.store(false, std::memory_order_relaxed);
    sched.detached_count.fetch_sub(1, std::memory_order_relaxed);
  } else {
    --sched.excess_ps;
  }
  p->idle_next = sched.unused_ps;
  sched.unused_ps = p;
}

}  // namespace

bool MustRetireLocked(P* p) {
  return p->detached.load(std::memory_order_relaxed) || sched.excess_ps > 0;
}

bool AnyQueued() {
  if (HasGlobalWork()) return true;
  const int32_t n = sched.p_count.load(std::memory_order_acquire);
  for (int32_t i = 0; i < n; ++i) {
    P* p = sched.all_ps[i].load(std::memory_order_acquire);
    if (p != nullptr && !p->queue.Empty()) return true;
  }
  return false;
}

void HandOffP(P* p) {
  if (!p->queue.Empty() || HasGlobalWork()) {
    StartM(p, /*spinning=*/false);
    return;
  }
  // It may have been detached while its locked goroutine computed. On the idle list it would keep
  // its place in detached_count, and the program would never count as idle.
  bool retire;
  {
    LockHolder hold(sched.lock);
    retire = MustRetireLocked(p);
  }
  if (retire) {
    DrainGCache(&p->free_gs);
    DrainStackCache(&p->stacks);
  }
  {
    LockHolder hold(sched.lock);
    PutAwayLocked(p);
  }
  HeavyFence();
  if (AnyQueued() || NextTimer() != 0 || NetPollWaiters() > 0) WakeP();
}

void RetireP(M* m) {
  P* p = m->p;
  while (G* g = p->queue.PopFront()) PushGlobal(g);
  if (G* g = p->queue.TakeNext()) PushGlobal(g);
  DrainGCache(&p->free_gs);
  DrainStackCache(&p->stacks);
  if (m->spinning) StopSpinning(m);
  {
    LockHolder hold(sched.lock);
    m->p = nullptr;
    p->m.store(nullptr, std::memory_order_release);
    PutAwayLocked(p);
    p = AcquireIdlePLocked();
    if (p != nullptr) {
      m->p = p;
      p->m.store(m, std::memory_order_release);
    }
  }
  if (HasGlobalWork()) WakeP();  // (3): for what was in its queue
}

P* AcquireIdlePLocked() {
  P* p = sched.idle_ps;
  if (p == nullptr) return nullptr;
  sched.idle_ps = p->idle_next;
  p->idle_next = nullptr;
  sched.idle_p_count.fetch_sub(1, std::memory_order_seq_cst);
  sched.activity.fetch_add(1, std::memory_order_relaxed);
  // seq_cst: after the count above. Sysmon writes the one and then reads the other.
  if (sched.sysmon_sleeps.load(std::memory_order_seq_cst) != 0) WakeSysmon();
  return p;
}

void ReleaseIdlePLocked(P* p) {
  p->idle_next = sched.idle_ps;
  sched.idle_ps = p;
  sched.idle_p_count.fetch_add(1, std::memory_order_seq_cst);
}

P* NewPLocked() {
  if (P* p = sched.unused_ps) {
    sched.unused_ps = p->idle_next;
    p->idle_next = nullptr;
    return p;
  }
  const int32_t n = sched.p_count.load(std::memory_order_relaxed);
  if (n == kMaxPs) return nullptr;
  P* p = new (std::nothrow) P;
  if (p == nullptr) return nullptr;
  p->index = n;
  p->timer_shard = n % kTimerShards;
  sched.all_ps[n].store(p, std::memory_order_release);
  sched.p_count.store(n + 1, std::memory_order_release);
  return p;
}

}  // namespace leash::rt
