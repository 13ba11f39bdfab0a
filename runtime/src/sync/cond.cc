// Cond: a queue of waiters, first come first served.
//
// A waiter queues before it unlocks, so that no Signal after the unlock is missed, and parks only
// afterwards: unlocking may wake others and yield, which is not for under a queue lock. Whether it
// was signalled in between is settled in its own record.
//
// Laws, besides those of wait_queue.h: (1) `phase` is exchanged once by the waiter, on its way to
// sleep,
//   and once by its waker: the second of the two finds what the first has left. A waker that comes
//   first must not touch the record again; one that comes second calls Ready.

#include <atomic>
#include <cstdint>

#include "base/check.h"
#include "base/race.h"
#include "leash/sync.h"
#include "sync/wait_queue.h"

namespace leash {
namespace {

enum Phase : uint32_t { kQueued, kParked, kSignalled };

struct CondWaiter : rt::SyncWaiter {
  using SyncWaiter::SyncWaiter;
  std::atomic<uint32_t> phase{kQueued};
};

// What Park calls once the waiter's context is saved. False: it does not wait after all.
bool CommitPark(rt::G*, void* arg) {
  auto* const w = static_cast<CondWaiter*>(arg);
  // Release: publishes the saved context to the waker, which acquires it. Acquire: pairs with its
  // release if it came first.
  return w->phase.exchange(kParked, std::memory_order_acq_rel) == kQueued;
}

// A waiter taken off the queue. No lock held.
void Wake(rt::SyncWaiter* waiter) {
  auto* const w = static_cast<CondWaiter*>(waiter);
  rt::G* const g = w->g;
  rt::race::Release(w);
  if (w->phase.exchange(kSignalled, std::memory_order_acq_rel) == kParked) rt::Ready(g);  // (1)
}

}  // namespace

void Cond::UnlockForWait() {
  switch (side_) {
    case Side::kMutex:
      return static_cast<Mutex*>(locker_)->Unlock();
    case Side::kWrite:
      return static_cast<RWMutex*>(locker_)->Unlock();
    case Side::kRead:
      return static_cast<RWMutex*>(locker_)->RUnlock();
  }
}

void Cond::LockAgain() {
  switch (side_) {
    case Side::kMutex:
      return static_cast<Mutex*>(locker_)->Lock();
    case Side::kWrite:
      return static_cast<RWMutex*>(locker_)->Lock();
    case Side::kRead:
      return static_cast<RWMutex*>(locker_)->RLock();
  }
}

void Cond::Wait() {
  CondWaiter self(rt::CurrentG());
  {
    rt::Lock& lock = rt::QueueLock(this);
    rt::LockHolder holder(lock);
    rt::PushBack(header_.waiters, &self);
  }
  UnlockForWait();
  rt::Park(rt::WaitReason::kCondWait, this, &CommitPark, &self);
  LEASH_DCHECK(self.phase.load(std::memory_order_relaxed) != kQueued);  // (1)
  rt::race::Acquire(&self);
  LockAgain();
}

void Cond::Signal() {
  // Whoever must be seen here has queued before it unlocked, and the caller has learnt of that
  // unlock by the same lock: a relaxed look is enough to find nobody.
  if (rt::Length(header_.waiters) == 0) return;
  rt::Lock& lock = rt::QueueLock(this);
  lock.lock();
  rt::SyncWaiter* const w = rt::PopFront(header_.waiters);
  lock.unlock();
  if (w != nullptr) Wake(w);
}

void Cond::Broadcast() {
  if (rt::Length(header_.waiters) == 0) return;  // as in Signal
  rt::Lock& lock = rt::QueueLock(this);
  lock.lock();
  rt::SyncWaiter* const tail = rt::TakeAll(header_.waiters);
  lock.unlock();
  if (tail == nullptr) return;
  rt::SyncWaiter* w = tail->next;
  for (bool last = false; !last;) {
    rt::SyncWaiter* const next = w->next;  // its record is gone once it is woken
    last = w == tail;
    Wake(w);
    w = next;
  }
}

}  // namespace leash
