// WaitGroup: a counter and the number of those that wait for it to be zero, in one word.
//
//   63..32  the counter     31..0  the waiters
//
// Laws, besides those of wait_queue.h: (1) The waiters in the word and those in the queue are as
// many,
//   whenever the queue lock is free: both change under it.
//   (2) Who brings the counter to zero with waiters resets the word and takes the whole queue; no
//   Add and no Wait may run at the same time, and a word that changes under its hands is the user's
//   misuse. (3) Without waiters, the subtraction that makes the counter zero is the last access.
//   With waiters, the last access is under the queue lock, before any of them is readied.

#include <cstdint>

#include "base/check.h"
#include "base/race.h"
#include "leash/go.h"
#include "leash/sync.h"
#include "sched/park.h"
#include "sync/wait_queue.h"

namespace leash {
namespace {

using internal::WaitGroupWords;

int32_t CounterIn(uint64_t state) { return static_cast<int32_t>(state >> 32); }
uint32_t WaitersIn(uint64_t state) { return static_cast<uint32_t>(state); }

constexpr char kMisuse[] = "sync: WaitGroup misuse: Add called concurrently with Wait";

// The names that the race detector is given. An Add that leaves zero counts as a read of the
// second, and the first Wait as a write: so an Add that nothing orders against the Wait is a race.
const void* DoneToken(const WaitGroupWords& words) { return &words.state; }
const void* FirstToken(const WaitGroupWords& words) { return &words.header.waiters; }

// The counter has become zero, and `state` says that somebody waits.
void Release(WaitGroupWords& words, uint64_t state) {
  rt::Lock& lock = rt::QueueLock(&words);
  lock.lock();
  // Acquire and release: the other Dones' work goes on to the waiters with ours.
  if (!words.state.compare_exchange_strong(state, 0, std::memory_order_acq_rel,
                                           std::memory_order_relaxed)) {
    lock.unlock();
    Panic(kMisuse);  // (2)
  }
  LEASH_CHECK(rt::Length(words.header.waiters) == WaitersIn(state));  // (1)
  rt::SyncWaiter* const waiters = rt::TakeAll(words.header.waiters);
  lock.unlock();
  rt::ReadyAll(waiters);  // (3)
}

}  // namespace

void WaitGroup::Add(int delta) {
  const rt::race::Entry entry;
  if (delta < 0) rt::race::Release(DoneToken(words_));
  const uint64_t change = static_cast<uint64_t>(static_cast<int64_t>(delta)) << 32;
  // Release: pairs with the acquire in Wait; publishes what precedes a Done. Acquire: on behalf of
  // the waiters that Release readies.
  const uint64_t state = words_.state.fetch_add(change, std::memory_order_acq_rel) + change;
  const int32_t counter = CounterIn(state);
  const uint32_t waiters = WaitersIn(state);
  const bool left_zero = delta > 0 && counter == delta;
  if (__builtin_expect(counter < 0, 0)) Panic("sync: negative WaitGroup counter");
  if (left_zero) {
    rt::race::Read(FirstToken(words_));
    if (waiters != 0) Panic(kMisuse);
  }
  if (counter == 0 && waiters != 0) Release(words_, state);
}

void WaitGroup::Wait() {
  const rt::race::Entry entry;
  // Acquire: pairs with the release in Add.
  if (CounterIn(words_.state.load(std::memory_order_acquire)) != 0) {
    rt::SyncWaiter self(rt::CurrentG());
    rt::Lock& lock = rt::QueueLock(&words_);
    lock.lock();
    uint64_t state = words_.state.load(std::memory_order_acquire);
    for (;;) {
      if (CounterIn(state) == 0) {
        lock.unlock();
        break;
      }
      if (!words_.state.compare_exchange_weak(state, state + 1, std::memory_order_acq_rel,
                                              std::memory_order_acquire)) {
        continue;
      }
      if (WaitersIn(state) == 0) rt::race::Write(FirstToken(words_));
      rt::PushBack(words_.header.waiters, &self);
      rt::Park(rt::WaitReason::kWaitGroupWait, &words_, &lock);
      if (words_.state.load(std::memory_order_acquire) != 0) {
        Panic("sync: WaitGroup is reused before previous Wait has returned");
      }
      break;
    }
  }
  rt::race::Acquire(DoneToken(words_));
}

}  // namespace leash
