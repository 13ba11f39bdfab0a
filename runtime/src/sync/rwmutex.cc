// RWMutex: many readers or one writer, in one word (lock_word.h) besides its queues.
//
// kHeld is the writers' slot: taken as a Mutex is, by competition and with starvation. Whoever has
// it stops new readers, and holds the lock as soon as the readers that were in have left. Meanwhile
// it waits as `draining`, and the last of them wakes it. Unlock lets in every reader that has
// queued and then gives up the slot, so that writers and readers take turns.
//
// Laws, besides those of lock_word.h: (7) While kHeld is set, the number of readers does not grow.
//   (8) The reader that makes it zero while kHeld is set does so under the queue lock; so the
//   writer, looking under that lock, either finds zero or is found as `draining`. (9) A reader that
//   was queued has the lock when it is readied: Unlock has counted it in.
//
// Rejected: Go's composition (a Mutex, a reader count and two semaphores). Its Unlock admits
// readers, one of which may be the last user and destroy the object, before it unlocks the inner
// Mutex.

#include <atomic>
#include <cstdint>
#include <utility>

#include "base/check.h"
#include "base/race.h"
#include "leash/sync.h"
#include "sync/lock_word.h"
#include "sync/wait_queue.h"

namespace leash {
namespace {

using internal::RWMutexWords;
using rt::kHeld;
using rt::kOneReader;
using rt::ReadersIn;

// The names of the two edges (race-detector): what writers did, seen by readers and writers; and
// what readers did, seen by writers only.
const void* WritersToken(const RWMutexWords& words) { return &words.word.state; }
const void* ReadersToken(const RWMutexWords& words) { return &words.readers; }

[[noreturn]] void RUnlockedTwice() { rt::Fatal("sync: RUnlock of unlocked RWMutex"); }
[[noreturn]] void UnlockedTwice() { rt::Fatal("sync: Unlock of unlocked RWMutex"); }

// Has the slot: waits until the readers that are in have left.
void Drain(RWMutexWords& words) {
  std::atomic<uint64_t>& state = words.word.state;
  // Acquire: pairs with the release in RUnlock of the last reader (and, all changes being
  // read-modify-writes, of every one before it).
  if (ReadersIn(state.load(std::memory_order_acquire)) == 0) return;
  rt::SyncWaiter self(rt::CurrentG());
  rt::Lock& lock = rt::QueueLock(&words);
  lock.lock();
  if (ReadersIn(state.load(std::memory_order_acquire)) == 0) {  // (8)
    lock.unlock();
    return;
  }
  LEASH_CHECK(words.draining == nullptr);  // the slot is one writer's
  words.draining = &self;
  rt::Park(rt::WaitReason::kRWMutexLock, &words, &lock);
  // Acquire: the last reader has readied us, which orders what that one did, but not the others.
  LEASH_CHECK(ReadersIn(state.load(std::memory_order_acquire)) == 0);  // (7)
}

void RLockContended(RWMutexWords& words) {
  std::atomic<uint64_t>& state = words.word.state;
  rt::SyncWaiter self(rt::CurrentG());
  rt::Lock& lock = rt::QueueLock(&words);
  lock.lock();
  uint64_t old = state.load(std::memory_order_relaxed);
  for (;;) {
    if ((old & kHeld) == 0) {
      // Acquire: pairs with the release in Unlock.
      if (state.compare_exchange_weak(old, old + kOneReader, std::memory_order_acquire,
                                      std::memory_order_relaxed)) {
        lock.unlock();
        return;
      }
    } else if (state.compare_exchange_weak(old, old | rt::kReaders, std::memory_order_relaxed)) {
      break;
    }
  }
  rt::PushBack(words.readers, &self);
  rt::Park(rt::WaitReason::kRWMutexRLock, &words, &lock);  // (9)
}

// The last reader that a writer waits for. The word is not gone: that writer needs it still.
void RUnlockLast(RWMutexWords& words) {
  std::atomic<uint64_t>& state = words.word.state;
  rt::Lock& lock = rt::QueueLock(&words);
  lock.lock();
  uint64_t old = state.load(std::memory_order_relaxed);
  // Found before the reader's share is given up, for that is the last access.
  rt::SyncWaiter* const writer = std::exchange(words.draining, nullptr);
  do {
    if (ReadersIn(old) != 1) {  // somebody else has unlocked what is not his
      lock.unlock();
      RUnlockedTwice();
    }
    // Release: pairs with the acquire in Drain, and in the next Lock.
  } while (!state.compare_exchange_weak(old, old - kOneReader, std::memory_order_release,
                                        std::memory_order_relaxed));
  lock.unlock();
  if (writer != nullptr) rt::Ready(writer->g);
}

void UnlockContended(RWMutexWords& words) {
  std::atomic<uint64_t>& state = words.word.state;
  uint64_t old = state.load(std::memory_order_relaxed);
  while (!rt::HasSuccessor(old) && (old & rt::kReaders) == 0) {
    if ((old & kHeld) == 0 || ReadersIn(old) != 0) UnlockedTwice();
    // Release: pairs with the acquire in Lock and RLock. The last access.
    if (state.compare_exchange_weak(old, old & ~kHeld, std::memory_order_release,
                                    std::memory_order_relaxed)) {
      return;
    }
  }

  const int64_t now = (old & rt::kStarving) != 0 ? rt::Nanotime() : 0;
  rt::Lock& lock = rt::QueueLock(&words);
  lock.lock();
  old = state.load(std::memory_order_relaxed);
  if ((old & kHeld) == 0 || ReadersIn(old) != 0) {
    lock.unlock();
    UnlockedTwice();
  }
  LEASH_CHECK(((old & rt::kReaders) != 0) == !rt::Empty(words.readers));  // (2)
  const uint64_t admitted = rt::Length(words.readers);
  rt::SyncWaiter* const readers = rt::TakeAll(words.readers);
  for (;;) {
    const rt::Succession next = rt::Succeed(words.word, old, now);
    // (7) holds for a writer that is handed the slot: its readers are counted in before it runs.
    const uint64_t given_up = (next.state & ~rt::kReaders) + admitted * kOneReader;
    // Release: as above. The last access (6).
    if (state.compare_exchange_strong(old, given_up, std::memory_order_release,
                                      std::memory_order_relaxed)) {
      lock.unlock();
      rt::ReadyAll(readers);
      rt::WakeSuccessor(next);
      return;
    }
    rt::TakeBack(words.word, next);
  }
}

}  // namespace

void RWMutex::Lock() {
  uint64_t free = 0;
  // Acquire: pairs with the release in Unlock and RUnlock.
  if (!words_.word.state.compare_exchange_strong(free, kHeld, std::memory_order_acquire,
                                                 std::memory_order_relaxed)) {
    rt::TakeContended(words_.word);
    Drain(words_);
  }
  rt::RecordHolder(words_.word.holder);
  rt::race::Acquire(WritersToken(words_));
  rt::race::Acquire(ReadersToken(words_));
}

bool RWMutex::TryLock() {
  uint64_t old = words_.word.state.load(std::memory_order_relaxed);
  do {
    if ((old & kHeld) != 0 || ReadersIn(old) != 0) return false;
    // Acquire: as in Lock.
  } while (!words_.word.state.compare_exchange_weak(old, old | kHeld, std::memory_order_acquire,
                                                    std::memory_order_relaxed));
  rt::RecordHolder(words_.word.holder);
  rt::race::Acquire(WritersToken(words_));
  rt::race::Acquire(ReadersToken(words_));
  return true;
}

void RWMutex::Unlock() {
  rt::race::Release(WritersToken(words_));
  uint64_t held = kHeld;
  // Release: pairs with the acquire in Lock and RLock. The last access, if it succeeds.
  if (!words_.word.state.compare_exchange_strong(held, 0, std::memory_order_release,
                                                 std::memory_order_relaxed)) {
    UnlockContended(words_);
  }
}

void RWMutex::RLock() {
  if (!TryRLock()) {
    RLockContended(words_);
    rt::race::Acquire(WritersToken(words_));
  }
}

bool RWMutex::TryRLock() {
  uint64_t old = words_.word.state.load(std::memory_order_relaxed);
  do {
    if ((old & kHeld) != 0) return false;
    // Acquire: pairs with the release in Unlock.
  } while (!words_.word.state.compare_exchange_weak(
      old, old + kOneReader, std::memory_order_acquire, std::memory_order_relaxed));
  rt::race::Acquire(WritersToken(words_));
  return true;
}

void RWMutex::RUnlock() {
  rt::race::Release(ReadersToken(words_));
  uint64_t old = words_.word.state.load(std::memory_order_relaxed);
  do {
    if (ReadersIn(old) == 0) RUnlockedTwice();
    if (ReadersIn(old) == 1 && (old & kHeld) != 0) {
      RUnlockLast(words_);  // (8)
      return;
    }
    // Release: pairs with the acquire in Lock and Drain. The last access.
  } while (!words_.word.state.compare_exchange_weak(
      old, old - kOneReader, std::memory_order_release, std::memory_order_relaxed));
}

void ReadLocker::Lock() { mu_->RLock(); }
void ReadLocker::Unlock() { mu_->RUnlock(); }

}  // namespace leash
