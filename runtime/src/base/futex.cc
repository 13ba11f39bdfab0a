#include "base/futex.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>

namespace leash::rt {

[[gnu::noinline]] void FutexWait(std::atomic<uint32_t>* word, uint32_t expected,
                                 int64_t timeout_ns) {
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

[[gnu::noinline]] void FutexWake(std::atomic<uint32_t>* word, int count) {
  const int saved_errno = errno;
  syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, count, nullptr, nullptr, 0);
  errno = saved_errno;
}

}  // namespace leash::rt
