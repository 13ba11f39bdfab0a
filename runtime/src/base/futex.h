// futex(2), private to the process. See https://man7.org/linux/man-pages/man2/futex.2.html
//
// Both keep errno, and neither can be inlined: a caller that parks between two of these calls would
// put the second one's errno back into the first one's thread (sched/raw_syscall.h has the law).

#ifndef LEASH_BASE_FUTEX_H_
#define LEASH_BASE_FUTEX_H_

#include <atomic>
#include <cstdint>

namespace leash::rt {

// Sleeps while `word` holds `expected`, until a wake, a signal or the time is over. May return for
// no reason: the caller looks again. Negative `timeout_ns`: no limit.
void FutexWait(std::atomic<uint32_t>* word, uint32_t expected, int64_t timeout_ns = -1);
void FutexWake(std::atomic<uint32_t>* word, int count);

// Tells the processor that this is a spin loop.
inline void CpuRelax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield" ::: "memory");
#endif
}

}  // namespace leash::rt

#endif  // LEASH_BASE_FUTEX_H_
