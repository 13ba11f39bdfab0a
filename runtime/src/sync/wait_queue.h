// The queues in which callers wait for the objects of <leash/sync.h>.
//
// A waiter is a record on its own stack; nothing is allocated. The queue hangs from the object, and
// is guarded by a lock that does not belong to it: one of a fixed table, chosen by the object's
// address. So an object needs no lock of its own (four words for a Mutex), and giving one up never
// ends with a touch of memory that may be gone:
//
// Laws: (1) Last access. The atomic operation that gives an object up (that lets another caller
//   return from a call on it) is the last access to the object's memory by whoever does it. What is
//   left to do then needs the queue lock, which is never destroyed, and records of waiters that
//   nobody else can wake. So an object may be destroyed as soon as the last call on it could
//   return, though the unlocker's call still has to. (2) A waiter is in one queue at most, and
//   leaves it under the queue lock, by the hand of whoever will wake it. That one calls Ready once,
//   after unlocking. (3) One queue lock at a time, and nothing else is locked under it. (4)
//   `length` is the number of waiters in the ring, and `tail` is null iff it is zero.
//
// Rejected: a lock inside each object (its own unlock would be the last access, which is sound, but
// costs a word more and brings private types into the public header); Go's table of queues by
// address (waiters of many objects in one tree: a dump could not count them from a copy of the
// object).

#ifndef LEASH_SYNC_WAIT_QUEUE_H_
#define LEASH_SYNC_WAIT_QUEUE_H_

#include <atomic>
#include <cstdint>

#include "base/check.h"
#include "base/lock.h"
#include "leash/internal/sync_words.h"
#include "sched/park.h"

namespace leash::rt {

using internal::WaitQueue;

// One that waits. Written by its own goroutine before it is in a queue, by whoever holds the queue
// lock while it is, and by its own goroutine again once it has been readied.
struct SyncWaiter {
  explicit SyncWaiter(G* self) : g(self) {}

  G* const g;
  SyncWaiter* next = nullptr;
  SyncWaiter* prev = nullptr;
  int64_t since_ns = 0;  // lock: when it began to wait
  int64_t units = 0;     // semaphore: what it asks for
  bool granted = false;  // it got what it waits for, and need not compete
};

// The lock that guards the queues of `object`.
Lock& QueueLock(const void* object);

// In a child of fork(), where no other thread exists: forgets who held the queue locks.
void ResetQueueLocksAfterFork();

inline bool Empty(const WaitQueue& q) { return q.tail == nullptr; }
inline SyncWaiter* Front(const WaitQueue& q) { return q.tail == nullptr ? nullptr : q.tail->next; }

inline void SetLength(WaitQueue& q, uint32_t n) { q.length.store(n, std::memory_order_relaxed); }
inline uint32_t Length(const WaitQueue& q) { return q.length.load(std::memory_order_relaxed); }

// All of these: under the queue lock, or on a queue that nobody else can see.
inline void PushBack(WaitQueue& q, SyncWaiter* w) {
  LEASH_DCHECK(w->next == nullptr);  // (2)
  if (q.tail == nullptr) {
    w->next = w->prev = w;
  } else {
    w->next = q.tail->next;
    w->prev = q.tail;
    w->next->prev = w;
    w->prev->next = w;
  }
  q.tail = w;
  SetLength(q, Length(q) + 1);
}

inline void PushFront(WaitQueue& q, SyncWaiter* w) {
  SyncWaiter* const tail = q.tail;
  PushBack(q, w);
  if (tail != nullptr) q.tail = tail;  // what follows the last is the first
}

inline void Remove(WaitQueue& q, SyncWaiter* w) {
  LEASH_CHECK(q.tail != nullptr);  // (4)
  if (w->next == w) {
    q.tail = nullptr;
  } else {
    w->next->prev = w->prev;
    w->prev->next = w->next;
    if (q.tail == w) q.tail = w->prev;
  }
  w->next = w->prev = nullptr;
  SetLength(q, Length(q) - 1);
}

inline SyncWaiter* PopFront(WaitQueue& q) {
  SyncWaiter* const w = Front(q);
  if (w != nullptr) Remove(q, w);
  return w;
}

// Takes the whole queue: its tail, for ReadyAll.
inline SyncWaiter* TakeAll(WaitQueue& q) {
  SyncWaiter* const tail = q.tail;
  q.tail = nullptr;
  SetLength(q, 0);
  return tail;
}

// Wakes a queue that was taken whole, first come first. No lock held. A waiter's record is gone
// once it is readied.
void ReadyAll(SyncWaiter* tail);

}  // namespace leash::rt

#endif  // LEASH_SYNC_WAIT_QUEUE_H_
