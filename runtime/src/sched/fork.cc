// fork(2): the child has one thread, the one that forked, and none of the goroutines (as it has
// none of the other threads). The runtime starts afresh there at its next use: new Ps, new Ms, a
// new epoll. What goroutines of the parent held is lost to the child, as with threads: fork, then
// exec, or fork before the first goroutine.
//
// A fork and the start of the runtime exclude each other: fork waits for a start that is under way
// on another thread, and no start begins until it is over. So a child finds the runtime started or
// not, never halfway. The handlers are installed when the program is loaded: a start that begins
// when a fork on another thread is past its handlers would be too late with them.

#include <pthread.h>
#include <unistd.h>

#include "absl/base/thread_annotations.h"
#include "base/env.h"
#include "sched/closure_arena.h"
#include "sched/netpoll_poll.h"
#include "sched/park.h"
#include "sched/runtime_threads.h"
#include "sched/scheduler.h"
#include "sched/start_hooks.h"
#include "sched/timer_heap.h"
#include "sched/trace.h"

namespace leash::rt {

constinit bool forked = false;

namespace {

// The thread that starts the runtime forks, from a handler of a signal: it holds the lock, and goes
// on with the start on both sides.
bool StartsRuntime() { return GetThread()->starts_runtime; }

void BeforeFork() ABSL_NO_THREAD_SAFETY_ANALYSIS {
  if (!StartsRuntime()) start_lock.lock();
}

void InParent() ABSL_NO_THREAD_SAFETY_ANALYSIS {
  if (!StartsRuntime()) start_lock.unlock();
}

void InChild() {
  if (!StartsRuntime()) start_lock.ResetAfterFork();
  ForgetRuntimeThreads();  // in any case: it needs no runtime
  if (runtime_started.load(std::memory_order_relaxed) != 2) return;
  forked = true;
  M* m = GetThread()->m;
  G* self = m != nullptr ? m->current : GetThread()->thread_g;
  InitMembarrier();
  Lock::ForgetSleepersAfterFork();
  sched.lock.ResetAfterFork();
  RegistryAfterFork();
  StacksAfterFork();
  ClosureArenaAfterFork();
  TimersAfterFork();
  TraceAfterFork();
  NetPollAfterFork();
  // The other goroutines do not exist here. Their records stay as they are lost: what they held
  // might be shared with what this thread uses.
  const size_t n = GCount();
  for (size_t i = 0; i < n; ++i) {
    G* g = GAt(i);
    if (g == self) continue;
    const GStatus status = g->status.load(std::memory_order_relaxed);
    if (status != GStatus::kIdle) g->status.store(GStatus::kDead, std::memory_order_relaxed);
  }
  sched.queue_head = sched.queue_tail = 0;
  sched.queue_size.store(0, std::memory_order_relaxed);
  sched.idle_ms = nullptr;
  sched.idle_m_count = 0;
  sched.dead_ms = nullptr;
  sched.idle_ps = nullptr;
  sched.unused_ps = nullptr;
  sched.excess_ps = 0;
  sched.m_count = m != nullptr ? 1 : 0;
  sched.all_ms.store(m, std::memory_order_relaxed);
  if (m != nullptr) m->all_next = nullptr;
  sched.idle_p_count.store(0, std::memory_order_relaxed);
  sched.detached_count.store(0, std::memory_order_relaxed);
  sched.spinning_ms.store(0, std::memory_order_relaxed);
  sched.handoffs.store(0, std::memory_order_relaxed);
  sched.attention.store(false, std::memory_order_relaxed);
  sched.last_poll.store(1, std::memory_order_relaxed);
  sched.poll_until.store(0, std::memory_order_relaxed);
  sched.threads_parked.store(0, std::memory_order_relaxed);
  sched.sysmon_sleeps.store(0, std::memory_order_relaxed);
  sched.sysmon_started.store(false, std::memory_order_relaxed);
  sched.outside_started.store(m != nullptr && self != &m->g0 ? 1 : 0, std::memory_order_relaxed);
  // Ps anew: another thread may have been in the middle of any of them, but for our own.
  P* own = m != nullptr ? m->p : nullptr;
  sched.p_count.store(0, std::memory_order_relaxed);
  int32_t left = sched.gomaxprocs;
  if (own != nullptr) {
    while (own->queue.PopFront() != nullptr) {
    }
    own->queue.TakeNext();
    own->detached.store(false, std::memory_order_relaxed);
    own->started.store(0, std::memory_order_relaxed);
    own->ended.store(0, std::memory_order_relaxed);
    own->stats.Clear();
    own->index = 0;
    sched.all_ps[0].store(own, std::memory_order_relaxed);
    sched.p_count.store(1, std::memory_order_relaxed);
    --left;
  }
  for (; left > 0; --left) {
    LockHolder hold(sched.lock);
    P* p = NewPLocked();
    if (p == nullptr) break;
    ReleaseIdlePLocked(p);
  }
  if (self != nullptr && self->kind == GKind::kThread) {
    self->tid = CurrentTid();
    self->id.store(1, std::memory_order_relaxed);
  }
  if (m != nullptr) m->tid.store(CurrentTid(), std::memory_order_relaxed);
  OnFork();
  if (m != nullptr) StartSysmon();
}

}  // namespace

// At load; by a start that is even earlier, a static initialiser's, while there is one thread.
[[gnu::constructor]] void InstallForkHandlers() {
  static constinit bool installed = false;
  if (installed) return;
  installed = true;
  pthread_atfork(&BeforeFork, &InParent, &InChild);
}

}  // namespace leash::rt
