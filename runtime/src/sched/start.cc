// The start of the runtime, and what belongs to the calling thread.

#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/cpus.h"
#include "base/env.h"
#include "base/membarrier.h"
#include "leash/go.h"
#include "sched/asan_fiber.h"
#include "sched/leak_check.h"
#include "sched/park.h"
#include "sched/scheduler.h"
#include "sched/start_hooks.h"
#include "sched/trace.h"
#include "sched/watch.h"

// Named in assembler (scheduler.h). Initial-exec: 24 bytes of what a program sets aside for that.
extern "C" {
[[gnu::used, gnu::visibility("hidden"), gnu::tls_model("initial-exec")]]
constinit thread_local leash::rt::Thread leash_this_thread;
}

namespace leash::rt {

constinit Sched sched;
constinit std::atomic<uint32_t> runtime_started{0};
constinit Lock start_lock{LockRank::kUnranked};
sigset_t start_signal_mask;

namespace {

void Start() {
  ReadSettings();
  coarse_now.store(MonotonicNow(), std::memory_order_relaxed);
  sched.last_poll.store(MonotonicNow(), std::memory_order_relaxed);
  pthread_sigmask(SIG_SETMASK, nullptr, &start_signal_mask);
  ReserveArena();
  InitStacks();
  InitFakeStacks();
  InitLeakCheck();
  InitMembarrier();
  if (have_membarrier.load(std::memory_order_relaxed)) {
    Lock::FenceLightly();
  } else {
    watch.fetch_or(kWatchFencesHeavily, std::memory_order_relaxed);
  }
  int procs = GetSettings().max_procs;
  if (procs == 0) {
    procs = AffinityCpus();
    const int quota = CgroupCpus();
    if (quota != 0 && quota < procs) procs = quota;
  }
  SetSpawnFrames(GetSettings().spawn_stack);
  {
    LockHolder hold(sched.lock);
    sched.gomaxprocs = procs;
    for (int i = 0; i < procs; ++i) {
      P* p = NewPLocked();
      LEASH_CHECK(p != nullptr);
      ReleaseIdlePLocked(p);
    }
  }
  InitThreads();
  InstallTerminateHandler();
  InstallOverflowHandler();
}

[[gnu::noinline]] void StartOnce() {
  InstallForkHandlers();
  LockHolder hold(start_lock);
  if (runtime_started.load(std::memory_order_relaxed) == 2) return;
  GetThread()->starts_runtime = true;
  runtime_started.store(1, std::memory_order_relaxed);
  Start();
  runtime_started.store(2, std::memory_order_release);
  // These use the runtime themselves.
  OnRuntimeStart();
  GetThread()->starts_runtime = false;
}

}  // namespace

#if !defined(__x86_64__)
[[gnu::noinline]] Thread* GetThread() {
  Thread* thread = &leash_this_thread;
  // Hides where the address comes from: a caller that has switched asks again.
  asm volatile("" : "+r"(thread));
  return thread;
}
#endif

void EnsureStarted() {
  if (__builtin_expect(runtime_started.load(std::memory_order_acquire) == 2, 1)) return;
  StartOnce();
}

int32_t CurrentTid() { return static_cast<int32_t>(syscall(SYS_gettid)); }

uint32_t CheapRandom() {
  Thread* thread = GetThread();
  uint32_t* state = thread->m != nullptr ? &thread->m->random : &thread->random;
  uint32_t x = *state;
  if (x == 0) x = static_cast<uint32_t>(reinterpret_cast<uintptr_t>(thread) >> 4) | 1;
  // xorshift32, Marsaglia 2003.
  x ^= x << 13;
  x ^= x >> 17;
  x ^= x << 5;
  *state = x;
  return x;
}

uint64_t IdOf(const G* g) { return g->id.load(std::memory_order_relaxed); }
int64_t CoarseNow() { return coarse_now.load(std::memory_order_relaxed); }
int64_t Nanotime() { return MonotonicNow(); }
bool IsGoroutineMemory(const void* p) { return InArena(p) || InFakeFrame(p); }

void EnterSyscall() {
  M* m = GetThread()->m;
  if (m == nullptr) return;
  if (TraceOn()) TraceSelf(m->current, TraceKind::kSyscallBegin);
  m->in_syscall.store(1, std::memory_order_relaxed);
}
void ExitSyscall() {
  M* m = GetThread()->m;
  if (m == nullptr) return;
  m->in_syscall.store(0, std::memory_order_relaxed);
  // An M in a system call counts as stopped.
  EnterSwitch(m);
  LeaveSwitch(m);
  if (TraceOn()) TraceSelf(m->current, TraceKind::kSyscallEnd);
}

int64_t CountGoroutines() {
  int64_t n = sched.outside_started.load(std::memory_order_relaxed);
  const int32_t count = sched.p_count.load(std::memory_order_acquire);
  // Ends first: one that ends while we count must not make the sum negative.
  for (int32_t i = 0; i < count; ++i) {
    n -= sched.all_ps[i].load(std::memory_order_acquire)->ended.load(std::memory_order_acquire);
  }
  for (int32_t i = 0; i < count; ++i) {
    n += sched.all_ps[i].load(std::memory_order_acquire)->started.load(std::memory_order_acquire);
  }
  return n;
}

}  // namespace leash::rt

namespace leash {

void Gosched() { rt::Yield(); }

int64_t NumGoroutine() {
  rt::EnsureStarted();
  return rt::CountGoroutines();
}

int NumCPU() {
  static const int cpus = rt::AffinityCpus();
  return cpus;
}

uint64_t GoroutineId() {
  const rt::G* g = rt::CurrentGOrNull();
  return g == nullptr ? 0 : rt::IdOf(g);
}

int GOMAXPROCS(int n) {
  using namespace rt;  // NOLINT(google-build-using-namespace): the face of rt
  EnsureStarted();
  int32_t before;
  int32_t added = 0;
  {
    LockHolder hold(sched.lock);
    before = sched.gomaxprocs;
    if (n < 1 || n == before) return before;
    if (n > 1024) n = 1024;
    sched.gomaxprocs = n;
    int32_t change = n - before;
    while (change > 0 && sched.excess_ps > 0) {
      --sched.excess_ps;
      --change;
    }
    for (; change > 0; --change) {
      P* p = NewPLocked();
      if (p == nullptr) break;
      ReleaseIdlePLocked(p);
      ++added;
    }
    for (; change < 0; ++change) {
      P* idle = AcquireIdlePLocked();
      if (idle != nullptr) {
        idle->idle_next = sched.unused_ps;
        sched.unused_ps = idle;
      } else {
        ++sched.excess_ps;
        sched.attention.store(true, std::memory_order_relaxed);
      }
    }
  }
  if (added > 0) WakeP();
  return before;
}

void LockOSThread() {
  rt::M* m = rt::GetThread()->m;
  if (m == nullptr) return;
  rt::G* g = m->current;
  ++g->lock_count;
  rt::RareOf(g)->locked_m = m;
  m->locked_g = g;
}

void UnlockOSThread() {
  rt::M* m = rt::GetThread()->m;
  if (m == nullptr || m->current->lock_count == 0) return;
  rt::G* g = m->current;
  if (--g->lock_count > 0) return;
  rt::RareOf(g)->locked_m = nullptr;
  m->locked_g = nullptr;
}

}  // namespace leash
