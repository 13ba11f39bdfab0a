// Lock: the runtime's own mutual exclusion. A futex word of four bytes, no owner, no allocation,
// constant-initialised. Not a pthread mutex: ThreadSanitizer intercepts those, and a lock of the
// runtime must add no happens-before edge between goroutines.
//
// Held for a few instructions only, never across a switch (Park() releases the lock that it is
// given after the goroutine has left its stack). Nothing is readied, allocated or destroyed under
// one.
//
// Laws: (1) word is 0 free, 1 held, 2 held and somebody may sleep. (2) Locks are taken in the order
//   of lock_rank.h; checked when LEASH_DEBUG=lockrank=1.
// Algorithm: mutex2 of Drepper, "Futexes Are Tricky", after a short spin.

#ifndef LEASH_BASE_LOCK_H_
#define LEASH_BASE_LOCK_H_

#include <atomic>
#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "base/lock_rank.h"

namespace leash::rt {

class ABSL_LOCKABLE Lock {
 public:
  constexpr explicit Lock(LockRank rank) : rank_(rank) {}
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

  void lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() {
    if (__builtin_expect(lock_rank_checked, 0)) LockRankAcquire(rank_);
    uint32_t free = 0;
    // Acquire: pairs with the release in unlock().
    if (!word_.compare_exchange_strong(free, 1, std::memory_order_acquire,
                                       std::memory_order_relaxed)) {
      LockSlow();
    }
  }
  bool try_lock() ABSL_EXCLUSIVE_TRYLOCK_FUNCTION(true) {
    uint32_t free = 0;
    if (!word_.compare_exchange_strong(free, 1, std::memory_order_acquire,
                                       std::memory_order_relaxed)) {
      return false;
    }
    if (__builtin_expect(lock_rank_checked, 0)) LockRankAcquire(rank_);
    return true;
  }
  void unlock() ABSL_UNLOCK_FUNCTION() {
    if (__builtin_expect(lock_rank_checked, 0)) LockRankRelease(rank_);
    // Release: pairs with the acquire in lock().
    if (word_.exchange(0, std::memory_order_release) == 2) WakeOne();
  }
  // Somebody holds it now. For assertions only.
  bool IsHeld() const { return word_.load(std::memory_order_relaxed) != 0; }
  // Only in a child of fork(), where no other thread exists: forgets who held it.
  void ResetAfterFork() { word_.store(0, std::memory_order_relaxed); }

 private:
  void LockSlow();
  void WakeOne();

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
