#include "base/lock.h"

#include "base/futex.h"

namespace leash::rt {

constinit std::atomic<uint32_t> lock_attention{kLockFencesHeavily};

namespace {

// Long enough for the few instructions that a lock is held, short beside the futex call (a few
// microseconds). One `pause` is 23 ns on recent x86.
constexpr int kSpins = 40;

constexpr size_t kBuckets = 64;
constinit std::atomic<uint32_t> sleepers_by_address[kBuckets] = {};

std::atomic<uint32_t>& SleepersOf(const std::atomic<uint32_t>* word) {
  return sleepers_by_address[reinterpret_cast<uintptr_t>(word) / 64 % kBuckets];
}

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
  std::atomic<uint32_t>& sleepers = SleepersOf(&word_);
  sleepers.fetch_add(1, std::memory_order_relaxed);
  lock_attention.fetch_add(1, std::memory_order_relaxed);
  HeavyFence();  // (4)
  for (uint32_t free = 0; !word_.compare_exchange_strong(free, 1, std::memory_order_acquire,
                                                         std::memory_order_relaxed);
       free = 0) {
    FutexWait(&word_, 1);
  }
  lock_attention.fetch_sub(1, std::memory_order_relaxed);
  sleepers.fetch_sub(1, std::memory_order_relaxed);
}

void Lock::UnlockSlow(std::atomic<uint32_t>* word, LockRank rank) {
  const uint32_t attention = lock_attention.load(std::memory_order_relaxed);
  if ((attention & kLockRanksChecked) != 0) LockRankRelease(rank);
  if ((attention & kLockFencesHeavily) != 0) std::atomic_thread_fence(std::memory_order_seq_cst);
  if (SleepersOf(word).load(std::memory_order_relaxed) != 0) FutexWake(word, 1);
}

void Lock::ForgetSleepersAfterFork() {
  for (std::atomic<uint32_t>& n : sleepers_by_address) n.store(0, std::memory_order_relaxed);
  lock_attention.fetch_and(kLockRanksChecked | kLockFencesHeavily, std::memory_order_relaxed);
}

void Lock::FenceLightly() {
  lock_attention.fetch_and(~kLockFencesHeavily, std::memory_order_relaxed);
}

}  // namespace leash::rt
