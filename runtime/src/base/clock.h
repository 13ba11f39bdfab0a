// Monotonic time in nanoseconds.

#ifndef LEASH_BASE_CLOCK_H_
#define LEASH_BASE_CLOCK_H_

#include <time.h>

#include <atomic>
#include <cstdint>

namespace leash::rt {

inline int64_t MonotonicNow() {
  timespec ts;
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return static_cast<int64_t>(ts.tv_sec) * 1'000'000'000 + ts.tv_nsec;
}

// The coarse tick: written by sysmon and by Ms that start after a pause, read at every park.
[[gnu::visibility("hidden")]] extern std::atomic<int64_t> coarse_now;

}  // namespace leash::rt

#endif  // LEASH_BASE_CLOCK_H_
