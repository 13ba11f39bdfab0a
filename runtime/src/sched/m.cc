// The life of an M: its thread is started, takes a P, sleeps when there is none, ends. After Go's
// startm, stopm and newm (runtime/proc.go).
//
// Law: a record is listed in sched.all_ms once and never freed, so whoever has a pointer to one
// (from that list, from a G or a P) may read it at any time. What it says is a moment's truth: the
// thread may end, and the record be another thread's, between two reads. A reader that acts on
// `tid` asks the thread itself what it runs (debug/sample.cc).

#include <pthread.h>
#include <signal.h>

#include <new>

#include "base/check.h"
#include "base/clock.h"
#include "base/futex.h"
#include "base/membarrier.h"
#include "base/race.h"
#include "base/raw_print.h"
#include "base/sanitizers.h"
#include "sched/scheduler.h"
#include "sched/thread_stack.h"

namespace __cxxabiv1 {
struct __cxa_eh_globals;
extern "C" __cxa_eh_globals* __cxa_get_globals() noexcept;
}  // namespace __cxxabiv1

namespace leash::rt {
namespace {

// A record for a thread that is to be started: one whose thread has ended, or a new one.
M* NewM() {
  {
    LockHolder hold(sched.lock);
    if (M* m = sched.dead_ms) {
      sched.dead_ms = m->idle_next;
      m->idle_next = nullptr;
      ++sched.m_count;
      return m;
    }
  }
  auto* m = new (std::nothrow) M;
  if (m == nullptr) Fatal("out of memory: no record for an OS thread");
  m->g0.kind = GKind::kScheduler;
  m->g0.status.store(GStatus::kRunning, std::memory_order_relaxed);
  m->g0.seq.store(1, std::memory_order_relaxed);
  m->current = &m->g0;
  LockHolder hold(sched.lock);
  ++sched.m_count;
  m->all_next = sched.all_ms.load(std::memory_order_relaxed);
  // Release: a reader that walks the list finds its record made.
  sched.all_ms.store(m, std::memory_order_release);
  return m;
}

// m's thread is about to end and uses m no more: the record is the next one's.
void FreeM(M* m) {
  // As it was made, but for `random`, the signal stack and what the next thread writes first of
  // all.
  LEASH_CHECK(m->current == &m->g0);
  LEASH_CHECK(m->p == nullptr);
  LEASH_CHECK(m->next_p == nullptr);
  LEASH_CHECK(m->next_g == nullptr);
  LEASH_CHECK(m->locked_g == nullptr);
  LEASH_CHECK(m->deferred == nullptr);
  LEASH_CHECK(m->after == After::kNothing);
  LEASH_CHECK(m->wake.load(std::memory_order_relaxed) == 0);
  LEASH_CHECK(!m->spinning);
  m->exits = false;
  m->eh = nullptr;
  m->tid.store(0, std::memory_order_relaxed);
  m->in_syscall.store(0, std::memory_order_relaxed);
  LockHolder hold(sched.lock);
  --sched.m_count;
  m->idle_next = sched.dead_ms;
  sched.dead_ms = m;
}

void* RunM(void* arg) {
  auto* m = static_cast<M*>(arg);
  GetThread()->m = m;
  m->first_frame.store(__builtin_frame_address(0), std::memory_order_relaxed);
  const int32_t tid = CurrentTid();
  m->tid.store(tid, std::memory_order_relaxed);
  m->random = static_cast<uint32_t>(tid) * 2654435761u | 1;
  m->eh = reinterpret_cast<EhGlobals*>(__cxxabiv1::__cxa_get_globals());
#if LEASH_RACE
  m->g0.fiber = __tsan_get_current_fiber();
#endif
  race::IgnoreBegin();  // nothing of a user's runs on it
#if LEASH_ASAN || LEASH_RACE
  const ThreadStack stack = CurrentThreadStack();
  m->native_stack = reinterpret_cast<void*>(stack.low);
  m->native_stack_bytes = stack.top - stack.low;
#endif
  pthread_sigmask(SIG_SETMASK, &start_signal_mask, nullptr);
  InstallSignalStack(m);
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
  if (!sched.sysmon_started.load(std::memory_order_acquire)) StartSysmon();
  m->spinning = spinning;
  m->next_p = p;
  int32_t count;
  {
    LockHolder hold(sched.lock);
    count = sched.m_count;
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

}  // namespace

void StopSpinning(M* m) {
  m->spinning = false;
  const int32_t before = sched.spinning_ms.fetch_sub(1, std::memory_order_seq_cst);
  LEASH_CHECK(before > 0);
}

void WakeIdleP() {
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
      --sched.idle_m_count;
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
    ++sched.idle_m_count;
  }
  while (m->wake.load(std::memory_order_acquire) == 0) FutexWait(&m->wake, 0);
  m->wake.store(0, std::memory_order_relaxed);
  coarse_now.store(MonotonicNow(), std::memory_order_relaxed);
  m->p = m->next_p;
  m->next_p = nullptr;
  if (m->p != nullptr) m->p->m.store(m, std::memory_order_release);
}

void ExitM(M* m) {
  if (m->p != nullptr) {
    P* p = m->p;
    m->p = nullptr;
    p->m.store(nullptr, std::memory_order_release);
    if (m->spinning) StopSpinning(m);
    HandOffP(p);
  }
  GetThread()->m = nullptr;
  RemoveSignalStack(m);
  FreeM(m);
  race::IgnoreEnd();
  pthread_exit(nullptr);
}

}  // namespace leash::rt
