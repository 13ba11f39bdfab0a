// OS threads that use leash: each has a record like a goroutine's, in the same registry, and blocks
// on a futex. In dumps it is a goroutine locked to its thread; NumGoroutine does not count it.

#include <pthread.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/futex.h"
#include "base/sanitizers.h"
#include "sched/labels.h"
#include "sched/park.h"
#include "sched/scheduler.h"
#include "sched/thread_stack.h"
#include "sched/trace.h"

namespace leash::rt {
namespace {

pthread_key_t thread_key;  // constant once the runtime has started

// The thread ends: its record goes back. Runs after the destructors of thread_local objects, which
// may still use leash; if one of another key makes a record anew, this is called again.
void OnThreadExit(void* arg) {
  auto* g = static_cast<G*>(arg);
  GetThread()->thread_g = nullptr;
  LabelSet* labels = g->labels;
  g->labels = nullptr;
#if LEASH_RACE
  g->fiber = nullptr;
#endif
  g->status.store(GStatus::kIdle, std::memory_order_relaxed);
  g->seq.store(g->seq.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  ReleaseLabels(labels);
  FreeG(nullptr, g);
}

[[gnu::noinline]] G* NewThreadG() {
  EnsureStarted();
  G* g = AllocG(nullptr);
  if (g == nullptr) Fatal("out of memory: no record for an OS thread");
  g->kind = GKind::kThread;
  g->tid = CurrentTid();
  g->id.store(g->tid == getpid() ? 1 : NewId(nullptr), std::memory_order_relaxed);
  g->parent_id = 0;
  g->site = std::source_location();
  g->labels = nullptr;
  g->test = nullptr;
  g->closure_type = nullptr;
  GRare* rare = RareOf(g);
  rare->thread_wake.store(0, std::memory_order_relaxed);
  g->reason.store(WaitReason::kNone, std::memory_order_relaxed);
  g->since.store(MonotonicNow(), std::memory_order_relaxed);
  const ThreadStack stack = CurrentThreadStack();
  rare->thread_stack_top = reinterpret_cast<char*>(stack.top);
  rare->thread_stack_kib =
      static_cast<uint32_t>(std::min<uint64_t>((stack.top - stack.low) >> 10, UINT32_MAX));
#if LEASH_RACE
  g->fiber = __tsan_get_current_fiber();
#endif
  g->status.store(GStatus::kRunning, std::memory_order_relaxed);
  g->seq.store(g->seq.load(std::memory_order_relaxed) | 1, std::memory_order_release);
  GetThread()->thread_g = g;
  pthread_setspecific(thread_key, g);
  return g;
}

}  // namespace

void InitThreads() { LEASH_CHECK(pthread_key_create(&thread_key, &OnThreadExit) == 0); }

G* CurrentG() {
  Thread* thread = GetThread();
  if (thread->m != nullptr) return thread->m->current;
  if (thread->thread_g != nullptr) return thread->thread_g;
  return NewThreadG();
}

G* CurrentGOrNull() {
  Thread* thread = GetThread();
  return thread->m != nullptr ? thread->m->current : thread->thread_g;
}

// Not inlined: its frame is where the unwinding of a waiting thread begins.
[[gnu::noinline]] void ParkThread(G* g, WaitReason reason, const void* object, Lock* unlock,
                                  ParkCommit commit, void* arg) {
  std::atomic<uint32_t>& wake = RareOf(g)->thread_wake;
  wake.store(0, std::memory_order_relaxed);
  g->wait_object.store(object, std::memory_order_relaxed);
  g->since.store(MonotonicNow(), std::memory_order_relaxed);
  g->reason.store(reason, std::memory_order_relaxed);
  if (TraceOn()) TraceSelf(g, TraceKind::kPark, reason, object);
  SaveContext(&g->context);
  g->status.store(GStatus::kWaiting, std::memory_order_relaxed);
  // Release: what a snapshot reads was written before seq became even.
  g->seq.store(g->seq.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  if (!sched.sysmon_started.load(std::memory_order_acquire)) StartSysmon();
  const auto count = [] {
    sched.threads_parked.fetch_add(1, std::memory_order_seq_cst);
    sched.activity.fetch_add(1, std::memory_order_relaxed);
  };
  bool wait = true;
  if (commit == nullptr) {
    count();
    if (unlock != nullptr) unlock->unlock();
  } else {
    // Counted only when it is sure to wait: the deadlock check takes a thread that is counted for
    // one that does nothing more by itself. Ready may have been faster, and taken it off before.
    wait = commit(g, arg);
    if (wait) count();
  }
  if (wait) {
    // Perhaps that was the last one that could do anything.
    if (sched.sysmon_sleeps.load(std::memory_order_relaxed) != 0) WakeSysmon();
    while (wake.load(std::memory_order_acquire) == 0) FutexWait(&wake, 0);
  }
  g->seq.store(g->seq.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_release);
  g->status.store(GStatus::kRunning, std::memory_order_relaxed);
  g->reason.store(WaitReason::kNone, std::memory_order_relaxed);
  if (TraceOn()) TraceSelf(g, TraceKind::kRun);
}

void ReadyThread(G* g) {
  if (g->status.load(std::memory_order_relaxed) == GStatus::kDead) return;  // lost in a fork
  if (TraceOn()) TraceReady(g);
  sched.threads_parked.fetch_sub(1, std::memory_order_seq_cst);
  sched.activity.fetch_add(1, std::memory_order_relaxed);
  g->status.store(GStatus::kRunnable, std::memory_order_relaxed);
  // Release: what the waker wrote for it. From here on the thread may be gone; its record is not.
  std::atomic<uint32_t>& wake = RareOf(g)->thread_wake;
  wake.store(1, std::memory_order_release);
  FutexWake(&wake, 1);
}

}  // namespace leash::rt
