// Semaphore: units, and a queue of those that wait for some, first come first served.
//
// A wait can end in two ways: a Release grants it, or the context ends. It is one Park, shown as
// [semacquire], and not a select over two channels: the context is given a function (AfterFunc)
// that takes the waiter off the queue. Under the queue lock exactly one of the two finds it there.
// The function is stopped when the wait is over; if it has been started already, Acquire waits for
// it
// (`fired`), since it works on Acquire's frame. So nothing is allocated here, and nothing outlives
// the call.
//
// Laws, besides those of wait_queue.h: (1) 0 <= used, and used <= size unless units are negative.
//   (2) When the queue lock is free, the first in the queue asks for more than there is: whoever
//   gives units back, or leaves the front, grants before unlocking.
//   (3) A waiter that asks for more than `size` is not in the queue: it would hold up the others
//   for ever.

#include <cstdint>

#include "absl/status/status.h"
#include "base/check.h"
#include "base/race.h"
#include "context/node.h"
#include "leash/context.h"
#include "leash/go.h"
#include "leash/sync.h"
#include "sync/wait_queue.h"

namespace leash {
namespace {

using internal::SemaphoreWords;

// All under the queue lock once it can be seen by others.
struct SemaphoreWaiter : rt::SyncWaiter {
  SemaphoreWaiter(rt::G* self, SemaphoreWords* words) : SyncWaiter(self), semaphore(words) {}
  SemaphoreWords* const semaphore;
  bool parked = false;        // it waits, and neither grant nor cancel has been
  bool queued = false;        // ... in the queue (3)
  bool fired = false;         // the context's function is through with this record
  bool awaits_fired = false;  // it waits for that
};

bool Fits(const SemaphoreWords& words, int64_t n) { return words.size - words.used >= n; }

// Race detector: what precedes a Release, seen by those that acquire later.
const void* ReleaseToken(const SemaphoreWords& words) { return &words.used; }

// (2): moves those that can go to `granted`, to be readied after unlocking.
void GrantLocked(SemaphoreWords& words, rt::WaitQueue& granted) {
  while (rt::SyncWaiter* const first = rt::Front(words.header.waiters)) {
    if (!Fits(words, first->units)) return;
    words.used += first->units;
    rt::Remove(words.header.waiters, first);
    auto* const w = static_cast<SemaphoreWaiter*>(first);
    w->granted = true;
    w->parked = false;
    w->queued = false;
    rt::PushBack(granted, w);
  }
}

bool TryTake(SemaphoreWords& words, int64_t n) {
  rt::LockHolder holder(rt::QueueLock(&words));
  if (!Fits(words, n) || !rt::Empty(words.header.waiters)) return false;
  words.used += n;
  return true;
}

// The context has ended. Runs in a goroutine of its own, while Acquire is still in its call.
void Cancel(SemaphoreWaiter* self) {
  SemaphoreWords& words = *self->semaphore;
  rt::G* wake = nullptr;
  rt::WaitQueue granted;
  rt::Lock& lock = rt::QueueLock(&words);
  lock.lock();
  self->fired = true;
  if (self->parked) {
    self->parked = false;
    wake = self->g;
    if (self->queued) {
      self->queued = false;
      const bool was_first = rt::Front(words.header.waiters) == self;
      rt::Remove(words.header.waiters, self);
      if (was_first) GrantLocked(words, granted);
    }
  } else if (self->awaits_fired) {
    wake = self->g;
  }
  lock.unlock();
  rt::ReadyAll(granted.tail);
  if (wake != nullptr) rt::Ready(wake);
}

// The context's function has been started: waits until it no longer needs `self`.
void AwaitFired(SemaphoreWaiter& self) {
  rt::Lock& lock = rt::QueueLock(self.semaphore);
  lock.lock();
  if (self.fired) {
    lock.unlock();
    return;
  }
  self.awaits_fired = true;
  rt::Park(rt::WaitReason::kSemacquire, self.semaphore, &lock);
}

// Waits for `n` units. False: the context has ended first, and nothing was taken.
bool TakeContended(SemaphoreWords& words, const Context& ctx, int64_t n) {
  SemaphoreWaiter self(rt::CurrentG(), &words);
  self.units = n;
  const rt::ContextNode* const node = rt::ContextNode::Of(ctx);
  const bool cancellable = node != nullptr && node->canceller != nullptr;
  StopFunc stop;
  if (cancellable) {
    stop = AfterFunc(ctx, [w = &self] { Cancel(w); });
  }
  rt::Lock& lock = rt::QueueLock(&words);
  lock.lock();
  if (self.fired) {
    lock.unlock();
    return false;
  }
  if (Fits(words, n) && rt::Empty(words.header.waiters)) {
    words.used += n;
    self.granted = true;
    lock.unlock();
  } else {
    self.parked = true;
    if (n <= words.size) {  // (3)
      self.queued = true;
      rt::PushBack(words.header.waiters, &self);
    }
    rt::Park(rt::WaitReason::kSemacquire, &words, &lock);
    LEASH_CHECK(!self.parked);
    LEASH_CHECK(self.granted || self.fired);
  }
  if (cancellable && !stop()) AwaitFired(self);
  return self.granted;
}

}  // namespace

absl::Status Semaphore::Acquire(const Context& ctx, int64_t n) {
  if (absl::Status ended = ctx.Err(); !ended.ok()) return ended;
  if (TryTake(words_, n)) {
    rt::race::Acquire(ReleaseToken(words_));
    return absl::OkStatus();
  }
  if (!TakeContended(words_, ctx, n)) return ctx.Err();
  rt::race::Acquire(ReleaseToken(words_));
  if (absl::Status ended = ctx.Err(); !ended.ok()) {
    Release(n);
    return ended;
  }
  return absl::OkStatus();
}

bool Semaphore::TryAcquire(int64_t n) {
  if (!TryTake(words_, n)) return false;
  rt::race::Acquire(ReleaseToken(words_));
  return true;
}

void Semaphore::Release(int64_t n) {
  rt::race::Release(ReleaseToken(words_));
  rt::WaitQueue granted;
  rt::Lock& lock = rt::QueueLock(&words_);
  lock.lock();
  if (n > words_.used) {
    lock.unlock();
    Panic("semaphore: released more than held");
  }
  words_.used -= n;
  GrantLocked(words_, granted);
  lock.unlock();  // from here on the semaphore may be gone
  rt::ReadyAll(granted.tail);
}

}  // namespace leash
