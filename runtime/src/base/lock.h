// Lock: the runtime's own mutual exclusion. A futex word of four bytes, no owner, no allocation,
// constant-initialised. Not a pthread mutex: ThreadSanitizer intercepts those, and a lock of the
// runtime must add no happens-before edge between goroutines.
//
// Held for a few instructions only, never across a switch (Park() releases the lock that it is
// given after the goroutine has left its stack). Nothing is readied, allocated or destroyed under
// one.
//
// Laws: (1) word is 0 free, 1 held. (2) Locks are taken in the order of lock_rank.h; checked when
//   LEASH_DEBUG=lockrank=1. (3) The store that frees a lock is the last access to its memory: it
//   may be gone afterwards. (4) Whoever sleeps for a lock has counted itself among the sleepers of
//   its address before a heavy fence, and looks at the word after it: so a holder that frees the
//   lock by a plain store, and then finds no sleeper, has been seen by everybody who sleeps.
// Giving up costs no locked instruction: 5 ns of the 10 that a lock and an unlock cost otherwise.
// (Rejected: mutex2 of Drepper, "Futexes Are Tricky", whose unlock is an exchange.) Sleepers are
// counted in one word for all locks, which is read only, but in the moments in which somebody
// sleeps; and by address in a table, for these moments. Beside the lock's own word they would break
// (3).

#ifndef LEASH_BASE_LOCK_H_
#define LEASH_BASE_LOCK_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "base/lock_rank.h"
#include "base/membarrier.h"

namespace leash::rt {

// What every lock and unlock looks at: zero, where nobody sleeps for any lock and there is nothing
// to check. The low bits count those who sleep, for whichever lock.
[[gnu::visibility("hidden")]] extern std::atomic<uint32_t> lock_attention;
inline constexpr uint32_t kLockRanksChecked = uint32_t{1} << 31;
inline constexpr uint32_t kLockFencesHeavily = uint32_t{1} << 30;  // no membarrier(2), so far

class ABSL_LOCKABLE Lock {
 public:
  constexpr explicit Lock(LockRank rank) : rank_(rank) {}
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

  void lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() {
    if (__builtin_expect(lock_attention.load(std::memory_order_relaxed) >= kLockRanksChecked, 0)) {
      LockRankAcquire(rank_);
    }
    uint32_t free = 0;
    // Acquire: pairs with the release in unlock().
    if (__builtin_expect(!word_.compare_exchange_strong(free, 1, std::memory_order_acquire,
                                                        std::memory_order_relaxed),
                         0)) {
      LockSlow();
    }
  }
  bool try_lock() ABSL_EXCLUSIVE_TRYLOCK_FUNCTION(true) {
    uint32_t free = 0;
    if (!word_.compare_exchange_strong(free, 1, std::memory_order_acquire,
                                       std::memory_order_relaxed)) {
      return false;
    }
    if (__builtin_expect(lock_attention.load(std::memory_order_relaxed) >= kLockRanksChecked, 0)) {
      LockRankAcquire(rank_);
    }
    return true;
  }
  void unlock() ABSL_UNLOCK_FUNCTION() {
    const LockRank rank = rank_;
    // Release: pairs with the acquire in lock(). The last access (3).
    word_.store(0, std::memory_order_release);
    // The light side of HeavyFence in LockSlow (4).
    std::atomic_signal_fence(std::memory_order_seq_cst);
    if (__builtin_expect(lock_attention.load(std::memory_order_relaxed) != 0, 0)) {
      UnlockSlow(&word_, rank);
    }
  }
  // Somebody holds it now. For assertions only.
  bool IsHeld() const { return word_.load(std::memory_order_relaxed) != 0; }
  // Only in a child of fork(), where no other thread exists: forgets who held it.
  void ResetAfterFork() { word_.store(0, std::memory_order_relaxed); }
  // The same of those who slept for any lock.
  static void ForgetSleepersAfterFork();
  // Unlocking needs no fence of its own from here on: HeavyFence works.
  static void FenceLightly();

 private:
  void LockSlow();
  // After the last access: `word` is an address only.
  static void UnlockSlow(std::atomic<uint32_t>* word, LockRank rank);

  std::atomic<uint32_t> word_{0};
  LockRank rank_;
};

class ABSL_SCOPED_LOCKABLE LockHolder {
 public:
  explicit LockHolder(Lock& lock) ABSL_EXCLUSIVE_LOCK_FUNCTION(lock) : lock_(lock) { lock_.lock(); }
  ~LockHolder() ABSL_UNLOCK_FUNCTION() { lock_.unlock(); }
  LockHolder(const LockHolder&) = delete;
  LockHolder& operator=(const LockHolder&) = delete;

 private:
  Lock& lock_;
};

}  // namespace leash::rt

#endif  // LEASH_BASE_LOCK_H_
