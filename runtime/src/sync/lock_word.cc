// Taking a lock that is held, and choosing who has it next. Laws: lock_word.h.

#include "sync/lock_word.h"

#include "base/check.h"
#include "base/futex.h"
#include "leash/go.h"

namespace leash::rt {
namespace {

// As Go: four rounds of 30. Longer than the usual critical section, shorter than a switch there and
// back with its wake-up.
constexpr int kSpinRounds = 4;
constexpr int kSpinsPerRound = 30;

// On one processor the holder cannot run while we spin.
bool SpinningHelps() {
  static std::atomic<int> processors{0};
  int n = processors.load(std::memory_order_relaxed);
  if (__builtin_expect(n == 0, 0)) {
    n = NumCPU();
    processors.store(n, std::memory_order_relaxed);
  }
  return n > 1;
}

}  // namespace

void TakeContended(LockWord& word) {
  SyncWaiter self(CurrentG());
  bool awoke = false;  // kWoken is ours (5)
  bool starving = false;
  bool waited = false;
  int rounds_left = SpinningHelps() ? kSpinRounds : 0;
  uint64_t old = word.state.load(std::memory_order_relaxed);
  for (;;) {
    if ((old & kHeld) == 0) {
      uint64_t taken = old | kHeld;
      if (awoke) {
        LEASH_CHECK((old & kWoken) != 0);  // (5)
        taken &= ~kWoken;
      }
      // Acquire: pairs with the release by which it was given up.
      if (word.state.compare_exchange_weak(old, taken, std::memory_order_acquire,
                                           std::memory_order_relaxed)) {
        return;
      }
      continue;
    }
    // A starving lock is handed over: nothing to spin for.
    if ((old & kStarving) == 0 && rounds_left > 0) {
      --rounds_left;
      if (!awoke && (old & (kWoken | kWaiters)) == kWaiters) {
        // Nobody need be woken: we are awake.
        awoke = word.state.compare_exchange_strong(old, old | kWoken, std::memory_order_relaxed);
      }
      for (int i = 0; i < kSpinsPerRound; ++i) CpuRelax();
      old = word.state.load(std::memory_order_relaxed);
      continue;
    }

    Lock& lock = QueueLock(&word);
    if (self.since_ns == 0) self.since_ns = Nanotime();
    lock.lock();
    uint64_t queued;
    old = word.state.load(std::memory_order_relaxed);
    do {
      if ((old & kHeld) == 0) break;  // (3)
      queued = old | kWaiters;
      if (starving) queued |= kStarving;
      if (awoke) {
        LEASH_CHECK((old & kWoken) != 0);  // (5)
        queued &= ~kWoken;
      }
      LEASH_DCHECK((queued & (kStarving | kWoken)) != (kStarving | kWoken));  // (4)
      // Relaxed: the queue is read under the queue lock only.
    } while (!word.state.compare_exchange_weak(old, queued, std::memory_order_relaxed));
    if ((old & kHeld) == 0) {
      lock.unlock();
      continue;
    }
    awoke = false;
    // One that lost the race after it was woken has waited longer than any other: to the front.
    if (waited) {
      PushFront(word.header.waiters, &self);
    } else {
      PushBack(word.header.waiters, &self);
    }
    Park(WaitReason::kMutexLock, &word, &lock);

    waited = true;
    // What the unlocker did before is visible: Ready releases, Park acquires.
    if (self.granted) return;
    awoke = true;
    starving = starving || Nanotime() - self.since_ns > kStarvationNs;
    rounds_left = SpinningHelps() ? kSpinRounds : 0;
    old = word.state.load(std::memory_order_relaxed);
  }
}

Succession Succeed(LockWord& word, uint64_t old, int64_t now_ns) {
  LEASH_DCHECK((old & kHeld) != 0);
  WaitQueue& waiters = word.header.waiters;
  LEASH_CHECK(((old & kWaiters) != 0) == !Empty(waiters));  // (2)
  Succession s;
  s.state = old;
  if ((old & kStarving) != 0) {
    LEASH_CHECK((old & kWoken) == 0);  // (4)
    s.waiter = PopFront(waiters);
    s.waiter->granted = true;
    RecordHolder(word.holder, s.waiter->g);
    if (Empty(waiters)) {
      s.state &= ~(kWaiters | kStarving);
    } else if (now_ns - s.waiter->since_ns < kStarvationNs) {
      s.state &= ~kStarving;
    }
    return s;  // kHeld stays: it is the waiter's now
  }
  s.state &= ~kHeld;
  if ((old & (kWaiters | kWoken)) == kWaiters) {
    s.waiter = PopFront(waiters);
    s.state |= kWoken;
    if (Empty(waiters)) s.state &= ~kWaiters;
  }
  return s;
}

void TakeBack(LockWord& word, const Succession& s) {
  if (s.waiter == nullptr) return;
  s.waiter->granted = false;
  PushFront(word.header.waiters, s.waiter);
}

void WakeSuccessor(const Succession& s) {
  if (s.waiter == nullptr) return;
  const bool granted = s.waiter->granted;  // its record is gone once it is readied
  Ready(s.waiter->g);
  // Handed over: whoever has it should run now, for every other waits for that one. A thread has no
  // place in a run queue to give up.
  if (granted && IsGoroutineMemory(__builtin_frame_address(0))) Yield();
}

}  // namespace leash::rt
