// sysmon: a thread without a P that looks after the others. Every 2 ms while anything runs: the
// coarse clock; Ps whose goroutine computes or sits in a system call (their place is given to
// another); timers and descriptors that nobody had time for. When everything is idle it checks for
// a deadlock and sleeps until somebody is woken.

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/futex.h"
#include "base/membarrier.h"
#include "base/race.h"
#include "sched/netpoll_poll.h"
#include "sched/runtime_threads.h"
#include "sched/scheduler.h"
#include "sched/start_hooks.h"
#include "sched/timer_heap.h"

namespace leash::rt {
namespace {

constexpr int64_t kPeriod = 2'000'000;
constexpr int64_t kSyscallPeriod = 20'000;
// A goroutine may run this long before its P is replaced: with the period, within 10 ms.
constexpr int64_t kSliceLimit = 6'000'000;
constexpr int64_t kSyscallLimit = 20'000;
constexpr int64_t kPollLimit = 10'000'000;
constexpr int64_t kTrimPeriod = 5'000'000'000;
constexpr int64_t kIdlePeriod = 1'000'000'000;
constexpr int kTrimRounds = 3;  // idle ones, until everything unused is given back

constinit std::atomic<void (*)()> request{nullptr};

void ServeRequest() {
  if (request.load(std::memory_order_relaxed) == nullptr) return;
  if (void (*fn)() = request.exchange(nullptr, std::memory_order_acquire)) fn();
}

// Puts another P into the place of one whose goroutine does not come back.
void Detach(P* p, M* m) {
  {
    LockHolder hold(sched.lock);
    if (p->m.load(std::memory_order_relaxed) != m || p->detached.load(std::memory_order_relaxed)) {
      return;
    }
    P* fresh = NewPLocked();
    if (fresh == nullptr) return;
    p->detached.store(true, std::memory_order_relaxed);
    sched.detached_count.fetch_add(1, std::memory_order_relaxed);
    sched.handoffs.fetch_add(1, std::memory_order_relaxed);
    ReleaseIdlePLocked(fresh);
  }
  WakeP();
}

// What lies in the queue of a detached P goes to all. Its goroutine may compute for ever, and those
// who have enough to do at home do not steal.
void EmptyQueue(P* p) {
  static constinit RunQueue<G> taken;                               // sysmon's own
  for (uint32_t left = RunQueue<G>::kCapacity; left > 0; --left) {  // its owner may keep filling it
    G* g = p->queue.StealInto(&taken, /*take_next=*/true);
    if (g == nullptr) return;
    PushGlobal(g);
    while (G* more = taken.PopFront()) PushGlobal(more);
    // (3) of scheduler.h: while they were in `taken` nobody saw them, and all may have gone to
    // sleep.
    WakeP();
  }
}

// Looks at every P. Returns whether one of them has just gone into a declared system call.
bool Retake(int64_t now) {
  bool any_syscall = false;
  const int32_t n = sched.p_count.load(std::memory_order_acquire);
  const int64_t next_timer = NextTimer();
  // Work anywhere: what lies in the queue of one that does not come back can be run by another.
  bool work = HasGlobalWork() || (next_timer != 0 && next_timer <= now);
  for (int32_t i = 0; i < n && !work; ++i) {
    work = !sched.all_ps[i].load(std::memory_order_acquire)->queue.Empty();
  }
  for (int32_t i = 0; i < n; ++i) {
    P* p = sched.all_ps[i].load(std::memory_order_acquire);
    M* m = p->m.load(std::memory_order_acquire);
    if (m == nullptr) {
      p->seen_m = nullptr;
      continue;
    }
    const uint32_t tick = p->tick.load(std::memory_order_relaxed);
    const bool in_syscall = m->in_syscall.load(std::memory_order_relaxed) != 0;
    if (m != p->seen_m || tick != p->seen_tick) {
      p->seen_m = m;
      p->seen_tick = tick;
      p->seen_since = now;
      any_syscall |= in_syscall;
      continue;
    }
    if (p->detached.load(std::memory_order_relaxed)) {
      EmptyQueue(p);
      continue;
    }
    // A call that has lasted longer than that may last for hours: no reason to look so often.
    any_syscall |= in_syscall && now - p->seen_since < kPeriod;
    if (now - p->seen_since < (in_syscall ? kSyscallLimit : kSliceLimit)) continue;
    if (!work) continue;
    if (sched.idle_p_count.load(std::memory_order_relaxed) > 0) {
      WakeP();  // others are free to take it
    } else {
      Detach(p, m);
    }
  }
  return any_syscall;
}

// Descriptors that became ready while every P was busy.
void PollForOthers(int64_t now) {
  int64_t last = sched.last_poll.load(std::memory_order_relaxed);
  if (NetPollWaiters() == 0 || last == 0 || now - last < kPollLimit) return;
  if (!sched.last_poll.compare_exchange_strong(last, now)) return;
  ReadyList list;
  NetPoll(0, &list);
  if (list.first == nullptr) return;
  for (G* g = list.first; g != nullptr; g = g->queue_next) {
    g->status.store(GStatus::kRunnable, std::memory_order_relaxed);
  }
  PushGlobalList(list.first, list.last, list.n);
  WakeP();
}

void* RunSysmon(void*) {
  race::IgnoreBegin();  // nothing of a user's runs on it
  RegisterRuntimeThread();
  OnSysmonStart();
  int64_t next_trim = MonotonicNow() + kTrimPeriod;
  int idle_rounds = 0;
  int trims_left = kTrimRounds;
  int64_t period = kPeriod;
  for (;;) {
    usleep(static_cast<useconds_t>(period / 1000));
    ServeRequest();
    const int64_t now = MonotonicNow();
    coarse_now.store(now, std::memory_order_relaxed);
    PollForOthers(now);
    const int64_t next_timer = NextTimer();
    if (next_timer != 0 && next_timer <= now) {
      // Running Ps look at the timers at their next switch; idle ones are woken for them.
      sched.attention.store(true, std::memory_order_relaxed);
      WakeP();
    }
    period = Retake(now) ? kSyscallPeriod : kPeriod;
    if (now >= next_trim) {
      TrimStacks();
      next_trim = now + kTrimPeriod;
    }
    if (!AllIdle()) {
      idle_rounds = 0;
      trims_left = kTrimRounds;
      continue;
    }
    if (++idle_rounds < 2) continue;
    CheckDeadlock();
    // Announced first, then looked again: AcquireIdlePLocked and ParkThread look in the other
    // order.
    sched.sysmon_sleeps.store(1, std::memory_order_seq_cst);
    HeavyFence();
    if (!AllIdle()) {
      sched.sysmon_sleeps.store(0, std::memory_order_relaxed);
      continue;
    }
    CheckDeadlock();
    while (sched.sysmon_sleeps.load(std::memory_order_acquire) == 1) {
      ServeRequest();
      FutexWait(&sched.sysmon_sleeps, 1, kIdlePeriod);
      if (sched.sysmon_sleeps.load(std::memory_order_acquire) != 1) break;
      // What kept a deadlock from being one may have gone without waking anybody: a thread outside
      // has ended, a timer has fired in vain.
      CheckDeadlock();
      if (trims_left > 0 && MonotonicNow() >= next_trim) {
        TrimStacks();
        next_trim = MonotonicNow() + kTrimPeriod;
        --trims_left;
      }
    }
    idle_rounds = 0;
    period = kPeriod;
  }
}

}  // namespace

bool AllIdle() {
  LockHolder hold(sched.lock);
  // Those that are too many after a change of GOMAXPROCS count until they are put away.
  return sched.detached_count.load(std::memory_order_seq_cst) == 0 &&
         sched.idle_p_count.load(std::memory_order_seq_cst) == sched.gomaxprocs + sched.excess_ps &&
         !HasGlobalWork();
}

void RequestFromSysmon(void (*fn)()) {
  void (*none)() = nullptr;
  if (!request.compare_exchange_strong(none, fn, std::memory_order_release)) return;
  WakeSysmon();
}

void StartSysmon() {
  bool no = false;
  if (!sched.sysmon_started.compare_exchange_strong(no, true)) return;
  pthread_attr_t attr;
  pthread_attr_init(&attr);
  pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attr, size_t{256} << 10);
  sigset_t all;
  sigset_t old;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old);
  pthread_t thread;
  const int rc = pthread_create(&thread, &attr, &RunSysmon, nullptr);
  pthread_sigmask(SIG_SETMASK, &old, nullptr);
  pthread_attr_destroy(&attr);
  if (rc != 0) Fatal("newosproc");
  StartSchedTrace();
}

void WakeSysmon() {
  if (sched.sysmon_sleeps.exchange(0, std::memory_order_acq_rel) == 1) {
    FutexWake(&sched.sysmon_sleeps, 1);
  }
}

}  // namespace leash::rt
