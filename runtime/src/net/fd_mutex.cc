// The transitions of FdMutex. The uncontended ones are one compare-and-swap; whatever concerns
// waiters is done under lock_, where their bits change too.

#include "net/fd_mutex.h"

#include "base/check.h"

namespace leash::rt {

bool FdMutex::Ref() {
  uint64_t s = state_.load(std::memory_order_relaxed);
  do {
    if (s & kClosed) return false;
  } while (!state_.compare_exchange_weak(s, s + kReference, std::memory_order_acquire,
                                         std::memory_order_relaxed));
  return true;
}

bool FdMutex::Unref() {
  // Release and acquire: what each call did to the descriptor comes before it is closed.
  const uint64_t before = state_.fetch_sub(kReference, std::memory_order_acq_rel);
  LEASH_CHECK(before >= kReference);
  return before - kReference < kReference && (before & kClosed) != 0;
}

bool FdMutex::Acquire(PollMode mode, const void* object) {
  const int m = static_cast<int>(mode);
  uint64_t s = state_.load(std::memory_order_relaxed);
  while (!(s & (kClosed | kHeld[m]))) {
    // Acquire: pairs with the release in Release(): one call at a time in this direction.
    if (state_.compare_exchange_weak(s, (s + kReference) | kHeld[m], std::memory_order_acquire,
                                     std::memory_order_relaxed)) {
      return true;
    }
  }
  if (s & kClosed) return false;

  Waiter self{CurrentG()};
  lock_.lock();
  s = state_.load(std::memory_order_relaxed);
  while (true) {
    if (s & kClosed) {
      lock_.unlock();
      return false;
    }
    const bool free = !(s & kHeld[m]);
    const uint64_t next = free ? (s + kReference) | kHeld[m] : s | kWaiters[m];
    if (!state_.compare_exchange_weak(s, next, std::memory_order_acq_rel,
                                      std::memory_order_relaxed)) {
      continue;
    }
    if (free) {
      lock_.unlock();
      return true;
    }
    break;
  }
  (first_[m] == nullptr ? first_[m] : last_[m]->next) = &self;
  last_[m] = &self;
  Park(WaitReason::kIOWait, object, &lock_);
  return !self.closed;  // (2)
}

bool FdMutex::Release(PollMode mode) {
  const int m = static_cast<int>(mode);
  uint64_t s = state_.load(std::memory_order_relaxed);
  while (!(s & kWaiters[m])) {
    LEASH_CHECK(s & kHeld[m]);
    const uint64_t next = (s - kReference) & ~kHeld[m];
    if (state_.compare_exchange_weak(s, next, std::memory_order_acq_rel,
                                     std::memory_order_relaxed)) {
      return next < kReference && (next & kClosed) != 0;
    }
  }
  Waiter* waiter;
  {
    LockHolder lock(lock_);
    waiter = first_[m];
    if (waiter != nullptr) {
      first_[m] = waiter->next;
      if (first_[m] == nullptr) state_.fetch_and(~kWaiters[m], std::memory_order_acq_rel);
    }
  }
  if (waiter == nullptr) return Release(mode);  // a Close has taken them all meanwhile
  Ready(waiter->g);                             // (2)
  return false;
}

bool FdMutex::CloseAndRef() {
  Waiter* waiters[2];
  {
    LockHolder lock(lock_);
    uint64_t s = state_.load(std::memory_order_relaxed);
    uint64_t next;
    do {
      if (s & kClosed) return false;
      next = ((s | kClosed) & ~(kWaiters[0] | kWaiters[1])) + kReference;
    } while (!state_.compare_exchange_weak(s, next, std::memory_order_acq_rel,
                                           std::memory_order_relaxed));
    for (int m = 0; m < 2; ++m) {
      waiters[m] = first_[m];
      first_[m] = nullptr;
    }
  }
  for (Waiter* waiter : waiters) {
    while (waiter != nullptr) {
      Waiter* const next = waiter->next;  // it lives on the stack of who is woken
      waiter->closed = true;
      Ready(waiter->g);
      waiter = next;
    }
  }
  return true;
}

}  // namespace leash::rt
