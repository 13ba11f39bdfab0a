// Mutex. The state and its laws: lock_word.h.

#include "base/check.h"
#include "base/race.h"
#include "leash/sync.h"
#include "sync/lock_word.h"
#include "sync/wait_queue.h"

namespace leash {
namespace {

using internal::LockWord;

[[noreturn]] void UnlockedTwice() { rt::Fatal("sync: unlock of unlocked mutex"); }

// With waiters, or not locked at all.
void UnlockContended(LockWord& word) {
  uint64_t old = word.state.load(std::memory_order_relaxed);
  while (!rt::HasSuccessor(old)) {
    if ((old & rt::kHeld) == 0) UnlockedTwice();
    // Release: pairs with the acquire in TryTake and TakeContended. The last access.
    if (word.state.compare_exchange_weak(old, old & ~rt::kHeld, std::memory_order_release,
                                         std::memory_order_relaxed)) {
      return;
    }
  }

  const int64_t now = (old & rt::kStarving) != 0 ? rt::Nanotime() : 0;
  rt::Lock& lock = rt::QueueLock(&word);
  lock.lock();
  old = word.state.load(std::memory_order_relaxed);
  for (;;) {
    if ((old & rt::kHeld) == 0) {
      lock.unlock();
      UnlockedTwice();
    }
    const rt::Succession next = rt::Succeed(word, old, now);
    // Release: as above. The last access (6).
    if (word.state.compare_exchange_strong(old, next.state, std::memory_order_release,
                                           std::memory_order_relaxed)) {
      lock.unlock();
      rt::WakeSuccessor(next);
      return;
    }
    // A spinner has come, and is the one who tries next.
    rt::TakeBack(word, next);
  }
}

}  // namespace

void Mutex::Lock() {
  uint64_t free = 0;
  // Acquire: pairs with the release in Unlock.
  if (__builtin_expect(!word_.state.compare_exchange_strong(
                           free, rt::kHeld, std::memory_order_acquire, std::memory_order_relaxed),
                       0)) {
    rt::TakeContended(word_);
  }
  rt::RecordHolder(word_.holder);
  rt::race::Acquire(this);
}

bool Mutex::TryLock() {
  if (!rt::TryTake(word_)) return false;
  rt::RecordHolder(word_.holder);
  rt::race::Acquire(this);
  return true;
}

void Mutex::Unlock() {
  rt::race::Release(this);
  uint64_t held = rt::kHeld;
  // Release: pairs with the acquire in Lock. The last access, if it succeeds (1).
  if (__builtin_expect(!word_.state.compare_exchange_strong(held, 0, std::memory_order_release,
                                                            std::memory_order_relaxed),
                       0)) {
    UnlockContended(word_);
  }
}

}  // namespace leash
