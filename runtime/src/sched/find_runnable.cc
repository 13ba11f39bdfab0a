// Looking for work: the long way of the scheduler, on an M's own stack. After Go's findRunnable and
// schedule (runtime/proc.go).

#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/futex.h"
#include "base/membarrier.h"
#include "sched/count_hooks.h"
#include "sched/netpoll_poll.h"
#include "sched/park.h"
#include "sched/sched_hooks.h"
#include "sched/scheduler.h"
#include "sched/timer_heap.h"
#include "sched/trace.h"

namespace leash::rt {
namespace {

// Queues all but the first of the list and wakes Ms for them. Returns the first; null: empty.
G* TakeReadyList(ReadyList* list) {
  G* g = list->first;
  if (g == nullptr) return nullptr;
  for (G* x = g; x != nullptr; x = x->queue_next) {
    x->status.store(GStatus::kRunnable, std::memory_order_relaxed);
  }
  if (list->n > 1) {
    PushGlobalList(g->queue_next, list->last, list->n - 1);
    WakeP();
  }
  g->queue_next = nullptr;
  return g;
}

G* TakeGlobal(P* p, bool one) {
  if (!HasGlobalWork()) return nullptr;
  LockHolder hold(sched.lock);
  return TakeGlobalLocked(p, one);
}

G* Steal(M* m, P* p, bool* ran_timers) {
  const auto n = static_cast<uint32_t>(sched.p_count.load(std::memory_order_acquire));
  constexpr int kRounds = 4;
  for (int round = 0; round < kRounds; ++round) {
    const bool last = round == kRounds - 1;
    const uint32_t start = CheapRandom();
    for (uint32_t i = 0; i < n; ++i) {
      P* victim = sched.all_ps[(start + i) % n].load(std::memory_order_acquire);
      if (victim == p || victim == nullptr) continue;
      if (last && victim->queue.RingEmpty() &&
          victim->m.load(std::memory_order_relaxed) != nullptr && !victim->queue.Empty() &&
          !victim->detached.load(std::memory_order_relaxed)) {
        // What would run next there will, in a moment: its P is about to switch. As in Go.
        usleep(3);
      }
      if (G* g = victim->queue.StealInto(&p->queue, last)) {
        if (TraceOn()) TraceSteal(g, victim);
        CountSteal(p);
        return g;
      }
    }
    if (last) {
      const int64_t next = NextTimer();
      if (next != 0 && next <= MonotonicNow()) {
        const int64_t now = MonotonicNow();
        for (int shard = 0; shard < kTimerShards; ++shard) RunTimers(shard, now, ran_timers);
      }
    }
  }
  (void)m;
  return nullptr;
}

// Sleeps in epoll until the next timer, if nobody else does. Returns false if somebody does. On
// return the M may have a P; *out is something to run on it.
bool SleepInNetPoll(M* m, G** out) {
  *out = nullptr;
  if (!NetPollInitialized()) {
    if (NextTimer() == 0) return false;
    if (NetPollInit() != 0) Fatal("netpoll: epoll_create failed");
  }
  int64_t until = NextTimer();
  if (NetPollWaiters() == 0 && until == 0) return false;
  if (sched.last_poll.exchange(0, std::memory_order_seq_cst) == 0) {
    // Somebody sleeps there, perhaps for longer than the next timer allows.
    const int64_t theirs = sched.poll_until.load(std::memory_order_seq_cst);
    if (until != 0 && (theirs == 0 || theirs > until)) NetPollBreak();
    return false;
  }
  sched.poll_until.store(until, std::memory_order_seq_cst);
  // sched_hooks.h: after that is published, look again.
  const int64_t again = NextTimer();
  if (again != 0 && (until == 0 || again < until)) {
    until = again;
    sched.poll_until.store(until, std::memory_order_seq_cst);
  }
  int64_t delay = -1;
  if (until != 0) {
    delay = until - MonotonicNow();
    if (delay < 0) delay = 0;
  }
  ReadyList list;
  NetPoll(delay, &list);
  const int64_t now = MonotonicNow();
  coarse_now.store(now, std::memory_order_relaxed);
  sched.poll_until.store(0, std::memory_order_seq_cst);
  sched.last_poll.store(now, std::memory_order_seq_cst);
  P* p;
  {
    LockHolder hold(sched.lock);
    p = AcquireIdlePLocked();
  }
  if (p == nullptr) {
    if (list.first != nullptr) {
      for (G* g = list.first; g != nullptr; g = g->queue_next) {
        g->status.store(GStatus::kRunnable, std::memory_order_relaxed);
      }
      PushGlobalList(list.first, list.last, list.n);
      WakeP();
    }
    return true;
  }
  m->p = p;
  p->m.store(m, std::memory_order_release);
  *out = TakeReadyList(&list);
  return true;
}

// The heart. Never returns null; m->p is set on return.
G* FindRunnable(M* m) {
  for (;;) {
    if (m->exits) ExitM(m);
    if (m->p == nullptr) {
      StopM(m);
      continue;
    }
    P* p = m->p;
    const bool attention = sched.attention.load(std::memory_order_relaxed);
    if (attention || p->detached.load(std::memory_order_relaxed)) {
      bool retire;
      {
        LockHolder hold(sched.lock);
        retire = MustRetireLocked(p);
        if (sched.excess_ps == 0) sched.attention.store(false, std::memory_order_relaxed);
      }
      if (retire) {
        if (m->deferred != nullptr) {
          PushGlobal(m->deferred);
          m->deferred = nullptr;
        }
        RetireP(m);
        continue;
      }
    }
    if (m->deferred != nullptr) {
      G* g = m->deferred;
      m->deferred = nullptr;
      return g;
    }
    bool ran_timers = false;
    if (attention) {
      // Of all shards: a thread's timer may be in one that no P has, as may that of a P which is
      // detached or out of use; and while there is work at hand nobody comes to steal.
      const int64_t now = MonotonicNow();
      for (int shard = 0; shard < kTimerShards; ++shard) RunTimers(shard, now, &ran_timers);
    } else if (NextTimer(p->timer_shard) != 0) {
      RunTimers(p->timer_shard, MonotonicNow(), &ran_timers);
    }

    p->tick.store(p->tick.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    // Whoever waits in the global queue or in the ring has its turn now and then even if there is
    // other work at hand: what runs next may be one of two that keep waking each other. In turn and
    // not by the tick: one that yields in a loop comes here with every second tick, always an even
    // or odd one. Nor by chance: then the eighth look in a row may still be the other's.
    p->global_turn = !p->global_turn;
    if (p->global_turn) {
      if (G* g = TakeGlobal(p, /*one=*/true)) return g;
    }
    if (G* g = p->queue.PopFront()) return g;
    if (G* g = TakeGlobal(p, /*one=*/!p->queue.Empty())) return g;
    if (G* g = p->queue.TakeNext()) return g;

    if (NetPollWaiters() > 0 && sched.last_poll.load(std::memory_order_relaxed) != 0) {
      ReadyList list;
      NetPoll(0, &list);
      if (G* g = TakeReadyList(&list)) return g;
    }

    const int32_t busy = sched.gomaxprocs - sched.idle_p_count.load(std::memory_order_relaxed);
    if (m->spinning || 2 * sched.spinning_ms.load(std::memory_order_relaxed) < busy) {
      if (!m->spinning) {
        m->spinning = true;
        sched.spinning_ms.fetch_add(1, std::memory_order_seq_cst);
      }
      if (G* g = Steal(m, p, &ran_timers)) return g;
      if (ran_timers) continue;
    }
    if (ran_timers && !p->queue.Empty()) continue;

    // Nothing anywhere: give the P back.
    {
      LockHolder hold(sched.lock);
      if (G* g = TakeGlobalLocked(p, /*one=*/false)) return g;
      if (MustRetireLocked(p)) continue;
      m->p = nullptr;
      p->m.store(nullptr, std::memory_order_release);
      ReleaseIdlePLocked(p);
    }
    const bool was_spinning = m->spinning;
    if (was_spinning) StopSpinning(m);
    // (3): who publishes work from here on sees the idle P; what was published before is seen
    // below.
    HeavyFence();
    if (AnyQueued()) {
      LockHolder hold(sched.lock);
      P* mine = AcquireIdlePLocked();
      if (mine != nullptr) {
        m->p = mine;
        mine->m.store(m, std::memory_order_release);
        m->spinning = true;
        sched.spinning_ms.fetch_add(1, std::memory_order_seq_cst);
        continue;
      }
    }
    G* g = nullptr;
    if (SleepInNetPoll(m, &g)) {
      if (g != nullptr) return g;
      continue;
    }
    StopM(m);
  }
}

// g is locked to another M: gives that one this P.
void RunOnItsM(M* m, G* g) {
  P* p = m->p;
  m->p = nullptr;
  M* target = LockedM(g);
  LEASH_CHECK(target != nullptr && target != m);
  p->m.store(nullptr, std::memory_order_release);
  target->next_p = p;
  target->next_g = g;
  target->wake.store(1, std::memory_order_release);
  FutexWake(&target->wake, 1);
}

// m's goroutine waits: its P goes to others, and m sleeps until that goroutine is to run.
G* WaitForLockedG(M* m) {
  if (m->p != nullptr) {
    P* p = m->p;
    m->p = nullptr;
    p->m.store(nullptr, std::memory_order_release);
    HandOffP(p);
  }
  while (m->wake.load(std::memory_order_acquire) == 0) FutexWait(&m->wake, 0);
  m->wake.store(0, std::memory_order_relaxed);
  m->p = m->next_p;
  m->next_p = nullptr;
  m->p->m.store(m, std::memory_order_release);
  G* g = m->next_g;
  m->next_g = nullptr;
  LEASH_CHECK(g != nullptr && LockedM(g) == m);
  return g;
}

}  // namespace

void Schedule(M* m) {
  int64_t no_stack_since = 0;
  for (;;) {
    G* g = m->locked_g != nullptr ? WaitForLockedG(m) : FindRunnable(m);
    if (m->spinning) {
      StopSpinning(m);
      // There may be more where this came from. Go does the same.
      WakeP();
    }
    if (g->lock_count != 0 && LockedM(g) != m) {
      RunOnItsM(m, g);
      continue;
    }
    if (g->stack == kNoStack && !BindStack(m->p, g)) {
      // It stays runnable until a stack is free. Others, which have theirs, go first.
      PushGlobal(g);
      const int64_t now = MonotonicNow();
      if (no_stack_since == 0) no_stack_since = now;
      if (now - no_stack_since > int64_t{10'000'000'000}) {
        Fatal("out of memory: no stack for a goroutine, and none became free for 10 seconds");
      }
      usleep(100);
      continue;
    }
    no_stack_since = 0;
    SwitchToGoroutine(m, g);
  }
}

void PushReady(ReadyList* list, G* g) {
  if (g->kind == GKind::kThread) {
    Ready(g);
    return;
  }
  if (TraceOn()) TraceReady(g);
  CountReadyAnywhere(g);
  g->queue_next = nullptr;
  if (list->last != nullptr) {
    list->last->queue_next = g;
  } else {
    list->first = g;
  }
  list->last = g;
  ++list->n;
}

int CurrentTimerShard() {
  M* m = GetThread()->m;
  if (m != nullptr && m->p != nullptr) return m->p->timer_shard;
  return static_cast<int>(static_cast<uint32_t>(CurrentTid()) % kTimerShards);
}

void WakeNetPoller(int64_t when_ns) {
  EnsureStarted();
  if (sched.last_poll.load(std::memory_order_seq_cst) == 0) {
    const int64_t until = sched.poll_until.load(std::memory_order_seq_cst);
    if (until == 0 || until > when_ns) NetPollBreak();
    return;
  }
  WakeP();
}

}  // namespace leash::rt
