// Once: new, running, done.
//
// Laws, besides those of wait_queue.h: (1) The state leaves kOnceNew by a compare-exchange, and
//   becomes kOnceDone by whoever won it; under the queue lock, so that nobody queues too late.
//   (2) Setting kOnceDone is the last access: whoever sees it may destroy the object.
//
// Rejected: Go's flag beside a Mutex. The Mutex is unlocked after the flag is set.

#include <cstdint>

#include "base/check.h"
#include "base/race.h"
#include "leash/sync.h"
#include "sync/lock_word.h"
#include "sync/wait_queue.h"

namespace leash {

using internal::kOnceDone;
using internal::kOnceNew;
using internal::kOnceRunning;

#if LEASH_RACE
bool Once::IsDone() const {
  if (words_.state.load(std::memory_order_acquire) != kOnceDone) return false;
  rt::race::Acquire(&words_.state);
  return true;
}
#endif

bool Once::Begin() {
  uint32_t state = kOnceNew;
  // Acquire, on failure: pairs with the release in Finish.
  if (words_.state.compare_exchange_strong(state, kOnceRunning, std::memory_order_relaxed,
                                           std::memory_order_acquire)) {
    rt::RecordHolder(words_.holder);
    return true;
  }
  if (state == kOnceRunning) {
    rt::SyncWaiter self(rt::CurrentG());
    rt::Lock& lock = rt::QueueLock(&words_);
    lock.lock();
    if (words_.state.load(std::memory_order_acquire) == kOnceDone) {
      lock.unlock();
    } else {
      rt::PushBack(words_.header.waiters, &self);
      rt::Park(rt::WaitReason::kMutexLock, &words_, &lock);  // as in Go, where it is a Mutex
    }
  }
  rt::race::Acquire(&words_.state);
  return false;
}

void Once::Finish() {
  rt::race::Release(&words_.state);
  rt::Lock& lock = rt::QueueLock(&words_);
  lock.lock();
  LEASH_CHECK(words_.state.load(std::memory_order_relaxed) == kOnceRunning);  // (1)
  rt::SyncWaiter* const waiters = rt::TakeAll(words_.header.waiters);
  // Release: pairs with the acquire in IsDone and Begin. The last access (2).
  words_.state.store(kOnceDone, std::memory_order_release);
  lock.unlock();
  rt::ReadyAll(waiters);
}

}  // namespace leash
