// Looking for work, and sleeping when there is none: the long way of the scheduler, on an M's own
// stack. After Go's findRunnable, schedule, startm and stopm (runtime/proc.go).

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <new>

#include "base/check.h"
#include "base/clock.h"
#include "base/futex.h"
#include "base/race.h"
#include "base/raw_print.h"
#include "base/sanitizers.h"
#include "sched/membarrier.h"
#include "sched/netpoll_poll.h"
#include "sched/park.h"
#include "sched/sched_hooks.h"
#include "sched/scheduler.h"
#include "sched/timer_heap.h"

namespace __cxxabiv1 {
struct __cxa_eh_globals;
extern "C" __cxa_eh_globals* __cxa_get_globals() noexcept;
}  // namespace __cxxabiv1

namespace leash::rt {
namespace {

constexpr size_t kMStackBytes = size_t{256} << 10;
constexpr uint32_t kGlobalBatch = 128;

// Everything that a new M needs, handed to its thread.
M* NewM() {
  auto* m = new (std::nothrow) M;
  if (m == nullptr) return nullptr;
  m->g0.kind = GKind::kScheduler;
  m->g0.status.store(GStatus::kRunning, std::memory_order_relaxed);
  m->g0.seq.store(1, std::memory_order_relaxed);
  m->current = &m->g0;
  return m;
}

void* RunM(void* arg) {
  auto* m = static_cast<M*>(arg);
  GetThread()->m = m;
  m->tid = CurrentTid();
  m->random = static_cast<uint32_t>(m->tid) * 2654435761u | 1;
  m->eh = reinterpret_cast<EhGlobals*>(__cxxabiv1::__cxa_get_globals());
#if LEASH_RACE
  m->g0.fiber = __tsan_get_current_fiber();
#endif
  race::IgnoreBegin();  // nothing of a user's runs on it
#if LEASH_ASAN
  pthread_attr_t attr;
  void* low = nullptr;
  if (pthread_getattr_np(pthread_self(), &attr) == 0) {
    pthread_attr_getstack(&attr, &low, &m->native_stack_bytes);
    pthread_attr_destroy(&attr);
  }
  m->native_stack = low;
#endif
  pthread_sigmask(SIG_SETMASK, &start_signal_mask, nullptr);
  InstallSignalStack();
  if (m->next_p != nullptr) {
    m->p = m->next_p;
    m->next_p = nullptr;
    m->p->m.store(m, std::memory_order_release);
  }
  Schedule(m);
}

// Starts an OS thread for p.
void StartNewM(P* p, bool spinning) {
  M* m = NewM();
  if (m == nullptr) Fatal("out of memory: no record for an OS thread");
  if (!sched.sysmon_started.load(std::memory_order_acquire)) StartSysmon();
  m->spinning = spinning;
  m->next_p = p;
  int32_t count;
  {
    LockHolder hold(sched.lock);
    count = ++sched.m_count;
    m->all_next = sched.all_ms.load(std::memory_order_relaxed);
    // Release: a reader that walks the list finds its record made.
    sched.all_ms.store(m, std::memory_order_release);
  }
  if (count > kMaxMs) Fatal("thread exhaustion: program exceeds 10000-thread limit");
  pthread_attr_t attr;
  pthread_attr_init(&attr);
  pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attr, kMStackBytes);
  // No signal reaches it before it has its own signal stack.
  sigset_t all;
  sigset_t old;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old);
  const int rc = pthread_create(&m->thread, &attr, &RunM, m);
  pthread_sigmask(SIG_SETMASK, &old, nullptr);
  pthread_attr_destroy(&attr);
  if (rc != 0) {
    RawPrinter() << "runtime: failed to create new OS thread (have " << count - 1
                 << " already; errno=" << rc << ")\n";
    Fatal("newosproc");
  }
}

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

// One from the global queue, and its share of the others into p's.
G* TakeGlobalLocked(P* p, bool one) {
  const int32_t size = sched.queue_size.load(std::memory_order_relaxed);
  if (size == 0) return nullptr;
  int32_t n = one ? 1 : size / sched.gomaxprocs + 1;
  if (n > size) n = size;
  if (n > static_cast<int32_t>(kGlobalBatch)) n = kGlobalBatch;
  G* first = sched.queue_head;
  sched.queue_head = first->queue_next;
  first->queue_next = nullptr;
  int32_t taken = 1;
  while (taken < n) {
    G* g = sched.queue_head;
    if (!p->queue.PushBack(g)) break;
    ++taken;
    sched.queue_head = g->queue_next;
    g->queue_next = nullptr;
  }
  if (sched.queue_head == nullptr) sched.queue_tail = nullptr;
  sched.queue_size.store(size - taken, std::memory_order_relaxed);
  return first;
}

G* TakeGlobal(P* p, bool one) {
  if (!HasGlobalWork()) return nullptr;
  LockHolder hold(sched.lock);
  return TakeGlobalLocked(p, one);
}

void StopSpinning(M* m) {
  m->spinning = false;
  const int32_t before = sched.spinning_ms.fetch_sub(1, std::memory_order_seq_cst);
  LEASH_CHECK(before > 0);
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
      if (G* g = victim->queue.StealInto(&p->queue, last)) return g;
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

bool MustRetireLocked(P* p) {
  return p->detached.load(std::memory_order_relaxed) || sched.excess_ps > 0;
}

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

bool AnyQueued() {
  if (HasGlobalWork()) return true;
  const int32_t n = sched.p_count.load(std::memory_order_acquire);
  for (int32_t i = 0; i < n; ++i) {
    P* p = sched.all_ps[i].load(std::memory_order_acquire);
    if (p != nullptr && !p->queue.Empty()) return true;
  }
  return false;
}

// Sleeps in epoll until the next timer, if nobody else does. Returns false if somebody does. On
// return the M may have a P; *out is something to run on it.
bool SleepInNetPoll(M* m, G** out) {
  *out = nullptr;
  if (!NetPollInitialized()) {
    if (NextTimer() == 0) return false;
    if (!NetPollInit()) Fatal("netpoll: epoll_create failed");
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
    // The global queue has its turn now and then even if there is work at hand; what runs next may
    // be one of two that keep waking each other, so the ring has its turn too. By chance and not by
    // the tick: one that yields in a loop comes here with every second tick, always an even or odd
    // one.
    if (CheapRandom() % 2 == 0) {
      if (G* g = TakeGlobal(p, /*one=*/true)) return g;
    }
    if (G* g = p->queue.PopFront()) return g;
    if (G* g = p->queue.TakeNext()) return g;
    if (G* g = TakeGlobal(p, /*one=*/false)) return g;

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
  M* target = g->locked_m;
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
  LEASH_CHECK(g != nullptr && g->locked_m == m);
  return g;
}

// Binds a stack to a goroutine that has none. False: there is none to be had now.
bool BindStack(P* p, G* g) {
  if (g->stack != kNoStack) return true;
  g->stack = AllocStack(&p->stacks, g->stack_class);
  if (g->stack == kNoStack) return false;
  g->context = FreshContext(StackTop(g->stack) - 16);
  return true;
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
    if (g->locked_m != nullptr && g->locked_m != m) {
      RunOnItsM(m, g);
      continue;
    }
    if (!BindStack(m->p, g)) {
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
    SwitchAway(m, g);
  }
}

void WakeP() {
  // (3), with HeavyFence in FindRunnable: the work is published before the counts are read.
  LightFence();
  if (sched.idle_p_count.load(std::memory_order_relaxed) == 0) return;
  int32_t none = 0;
  if (sched.spinning_ms.load(std::memory_order_relaxed) != 0 ||
      !sched.spinning_ms.compare_exchange_strong(none, 1, std::memory_order_seq_cst)) {
    return;
  }
  P* p;
  {
    LockHolder hold(sched.lock);
    p = AcquireIdlePLocked();
  }
  if (p == nullptr) {
    sched.spinning_ms.fetch_sub(1, std::memory_order_seq_cst);
    return;
  }
  StartM(p, /*spinning=*/true);
}

void StartM(P* p, bool spinning) {
  M* m;
  {
    LockHolder hold(sched.lock);
    m = sched.idle_ms;
    if (m != nullptr) {
      sched.idle_ms = m->idle_next;
      m->idle_next = nullptr;
    }
  }
  if (m == nullptr) {
    StartNewM(p, spinning);
    return;
  }
  m->spinning = spinning;
  m->next_p = p;
  // Release: publishes the two above.
  m->wake.store(1, std::memory_order_release);
  FutexWake(&m->wake, 1);
}

void StopM(M* m) {
  LEASH_CHECK(m->p == nullptr);
  LEASH_CHECK(!m->spinning);
  {
    LockHolder hold(sched.lock);
    m->idle_next = sched.idle_ms;
    sched.idle_ms = m;
  }
  while (m->wake.load(std::memory_order_acquire) == 0) FutexWait(&m->wake, 0);
  m->wake.store(0, std::memory_order_relaxed);
  coarse_now.store(MonotonicNow(), std::memory_order_relaxed);
  m->p = m->next_p;
  m->next_p = nullptr;
  if (m->p != nullptr) m->p->m.store(m, std::memory_order_release);
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

void ExitM(M* m) {
  if (m->p != nullptr) {
    P* p = m->p;
    m->p = nullptr;
    p->m.store(nullptr, std::memory_order_release);
    if (m->spinning) StopSpinning(m);
    HandOffP(p);
  }
  {
    LockHolder hold(sched.lock);
    --sched.m_count;
  }
  // The record stays listed: readers walk the list without a lock.
  m->tid = 0;
  GetThread()->m = nullptr;
  race::IgnoreEnd();
  pthread_exit(nullptr);
}

void PushGlobalList(G* first, G* last, int32_t n) {
  LockHolder hold(sched.lock);
  last->queue_next = nullptr;
  if (sched.queue_tail != nullptr) {
    sched.queue_tail->queue_next = first;
  } else {
    sched.queue_head = first;
  }
  sched.queue_tail = last;
  sched.queue_size.fetch_add(n, std::memory_order_release);
}

void PushGlobal(G* g) { PushGlobalList(g, g, 1); }

void RunqPut(P* p, G* g, bool next) {
  if (next) {
    g = p->queue.ExchangeNext(g);
    if (g == nullptr) return;
  }
  while (!p->queue.PushBack(g)) {
    G* half[RunQueue<G>::kCapacity / 2];
    const uint32_t n = p->queue.PopHalf(half);
    if (n == 0) continue;
    for (uint32_t i = 0; i + 1 < n; ++i) half[i]->queue_next = half[i + 1];
    half[n - 1]->queue_next = g;
    PushGlobalList(half[0], g, static_cast<int32_t>(n) + 1);
    return;
  }
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

void PushReady(ReadyList* list, G* g) {
  if (g->kind == GKind::kThread) {
    Ready(g);
    return;
  }
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
