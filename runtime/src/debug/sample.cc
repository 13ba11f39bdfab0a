#include "debug/sample.h"

#include <dlfcn.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

#include "base/clock.h"
#include "base/futex.h"
#include "base/lock.h"
#include "sched/scheduler.h"
#include "stack/unwind.h"
#include "stack/unwind_table.h"

namespace leash::rt {
namespace {

constexpr int64_t kPatience = 20'000'000;

// One request at a time. States: 0 idle, 1 asked, 2 the handler writes, 3 written.
constinit Lock sample_lock{LockRank::kUnranked};
constinit std::atomic<uint32_t> state{0};
constinit std::atomic<int32_t> target{0};
Sample shared;  // zero until the first request: no constructor runs

void OnSample(int, siginfo_t*, void* ucontext) {
  const int saved_errno = errno;
  uint32_t asked = 1;
  if (target.load(std::memory_order_acquire) != CurrentTid() ||
      !state.compare_exchange_strong(asked, 2, std::memory_order_acquire)) {
    errno = saved_errno;
    return;
  }
  const UnwindRegs regs = RegsFromUcontext(ucontext);
  Thread* thread = GetThread();
  const G* g = thread->m != nullptr ? thread->m->current : thread->thread_g;
  shared.g = thread->m != nullptr && g == &thread->m->g0 ? nullptr : g;
  shared.count = 0;
  shared.exact_pcs = 0;
  uint64_t high = 0;
  if (shared.g != nullptr) high = reinterpret_cast<uint64_t>(StackTopOf(shared.g));
  // In the middle of a switch the stack pointer is not yet, or no longer, on g's stack.
  bool on_it = high != 0 && regs.sp < high;
  if (on_it && IsGoroutine(shared.g)) {
    on_it = regs.sp >= reinterpret_cast<uint64_t>(StackLow(shared.g->stack));
  }
  if (on_it) {
    UnwindResult result;
    shared.count = Unwind(*LatestUnwindTable(), regs, /*exact_pc=*/true,
                          MemoryView::Live(regs.sp - kRedZoneBytes, high), shared.pcs, Sample::kMax,
                          nullptr, &result);
    shared.exact_pcs = result.exact_pcs | 1;
  }
  state.store(3, std::memory_order_release);
  FutexWake(&state, 1);
  errno = saved_errno;
}

// ThreadSanitizer keeps a signal back until the thread next makes a call that may block, and one
// that computes makes none. What runs in the handler is not instrumented, calls nothing that is
// intercepted, and so may come at any moment, in ThreadSanitizer's own functions as well.
int SetHandler(const struct sigaction* action) {
#if LEASH_RACE
  using Sigaction = int (*)(int, const struct sigaction*, struct sigaction*);
  // The one behind ThreadSanitizer's, in libc.
  static const auto libc_sigaction = reinterpret_cast<Sigaction>(dlsym(RTLD_NEXT, "sigaction"));
  if (libc_sigaction != nullptr) return libc_sigaction(SIGURG, action, nullptr);
#endif
  return sigaction(SIGURG, action, nullptr);
}

// Under ThreadSanitizer `old` is what the program has set; ours is behind that, and set each time.
bool InstallHandler() {
  struct sigaction old{};
  if (sigaction(SIGURG, nullptr, &old) != 0) return false;
  if ((old.sa_flags & SA_SIGINFO) != 0 && old.sa_sigaction == &OnSample) return true;
  if ((old.sa_flags & SA_SIGINFO) != 0 ||
      (old.sa_handler != SIG_DFL && old.sa_handler != SIG_IGN)) {
    return false;
  }
  struct sigaction action{};
  action.sa_sigaction = &OnSample;
  action.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
  sigfillset(&action.sa_mask);
  return SetHandler(&action) == 0;
}

}  // namespace

bool SampleThread(int32_t tid, Sample* out) {
  LockHolder hold(sample_lock);
  if (!InstallHandler()) return false;
  CurrentUnwindTable();  // made here: the handler must not allocate
  target.store(tid, std::memory_order_relaxed);
  state.store(1, std::memory_order_release);
  if (syscall(SYS_tgkill, getpid(), tid, SIGURG) != 0) {
    state.store(0, std::memory_order_relaxed);
    return false;
  }
  const int64_t deadline = MonotonicNow() + kPatience;
  uint32_t now;
  while ((now = state.load(std::memory_order_acquire)) != 3) {
    const int64_t left = deadline - MonotonicNow();
    if (left <= 0) {
      uint32_t asked = 1;
      // Once the handler writes it will be done in microseconds.
      if (state.compare_exchange_strong(asked, 0)) return false;
      FutexWait(&state, 2, 1'000'000);
      continue;
    }
    FutexWait(&state, now, left);
  }
  *out = shared;
  out->tid = tid;
  state.store(0, std::memory_order_relaxed);
  return out->count > 0;
}

}  // namespace leash::rt
