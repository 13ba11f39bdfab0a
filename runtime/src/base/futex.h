// futex(2), private to the process. See https://man7.org/linux/man-pages/man2/futex.2.html

#ifndef LEASH_BASE_FUTEX_H_
#define LEASH_BASE_FUTEX_H_

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>

namespace leash::rt {

// Sleeps while `word` holds `expected`, until a wake, a signal or the time is over. May return for
// no reason: the caller looks again. Negative `timeout_ns`: no limit. Keeps errno.
inline void FutexWait(std::atomic<uint32_t>* word, uint32_t expected, int64_t timeout_ns = -1) {
  const int saved_errno = errno;
  timespec ts;
  timespec* limit = nullptr;
  if (timeout_ns >= 0) {
    ts = {static_cast<time_t>(timeout_ns / 1'000'000'000),
          static_cast<long>(timeout_ns % 1'000'000'000)};
    limit = &ts;
  }
  syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, expected, limit, nullptr, 0);
  errno = saved_errno;
}

inline void FutexWake(std::atomic<uint32_t>* word, int count) {
  const int saved_errno = errno;
  syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, count, nullptr, nullptr, 0);
  errno = saved_errno;
}

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
