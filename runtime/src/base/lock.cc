#include "base/lock.h"

#include "base/futex.h"

namespace leash::rt {
namespace {

// Long enough for the few instructions that a lock is held, short beside the futex call (a few
// microseconds). One `pause` is 23 ns on recent x86.
constexpr int kSpins = 40;

}  // namespace

void Lock::LockSlow() {
  for (int i = 0; i < kSpins; ++i) {
    uint32_t free = 0;
    if (word_.load(std::memory_order_relaxed) == 0 &&
        word_.compare_exchange_weak(free, 1, std::memory_order_acquire,
                                    std::memory_order_relaxed)) {
      return;
    }
    CpuRelax();
  }
  // (1): whoever sleeps has left 2 behind, so that the holder's unlock wakes one.
  while (word_.exchange(2, std::memory_order_acquire) != 0) FutexWait(&word_, 2);
}

void Lock::WakeOne() { FutexWake(&word_, 1); }

}  // namespace leash::rt
