// ChanCore: a channel. A ring of slots, and two queues of those who wait.
//
// One allocation: the record, a token for each slot (LEASH_RACE), the slots, the name.
//
// Laws.
// (1) While somebody waits to receive, the ring is empty; while somebody waits to send, it is full;
//   so both queues are empty or one of them is. Where `hand_over` is false this is so but for those
//   who were told to retry and have not come to it yet.
// (2) Last access. Whoever operates on a channel touches it for the last time when it unlocks, but
//   for the futex of the lock, whose wake needs no memory. Who has waited touches its sudog only.
//   So the last handle may go as soon as the operation that it needs could return.
// (3) Elements are moved under the lock, by the one that runs: a sender moves its value into a
// waiting
//   receiver's std::optional, a receiver moves a waiting sender's value out. If the move throws,
//   the running operation fails and has had no effect; a plain waiter was not taken off the queue,
//   and a select that was won starts over. (Rejected: moves outside of the lock. A waiter whose
//   value could not be moved has to come back to the front of a queue that others have passed
//   meanwhile, and a slot that is being filled stops those behind it.) So an element's move must
//   neither block nor use a channel: LEASH_DEBUG=lockrank=1 ends a program that does.
// (4) A receiver that makes room in a full ring moves a waiting sender's value into it, unless that
// may
//   throw: then whose failure would it be? It wakes the sender instead, which retries (`hand_over`
//   is false). A retrying one goes to the front of the queue if it must wait again. One that fails
//   (its move throws) wakes the next, so that room and waiters are never left together.
// (5) Nothing is readied, allocated or destroyed under the lock, but for the element that was moved
//   from.
// (6) handles == 0 means that nobody can operate on it any more: it is destroyed, unless somebody
//   waits on it still (by a reference to a handle that is gone): then it stays, as that one does,
//   so that a dump shows what it waits for.
//
// As the race detector sees it (research: the table of edges). k-th send -> k-th receive -> send k
// + C:
//   the token of the slot. Unbuffered, both ways: the token of the waiter. Buffered values are
//   never handed over directly under LEASH_RACE, since the one who moves would have to be ordered
//   with the one who waits, and buffered operations are not: everything goes through the
//   slots, by law (4). close -> receive: `close_token`, or that of the waiter. Close writes, and
//   send reads, `race_word`: that is how an unsynchronised pair is found. Elements without size are
//   counted by slots as others are: more exact than Go, which sees one address.
//   Freeing the memory needs everybody's past and must not hand it to the one who dropped the last
//   handle: every operation releases `life`, and a fiber of its own acquires it and frees. What is
//   left in the ring is received, in a way, by whoever drops the last handle: that is an edge.
//
// Lock order: kChan < kTimers < kSched. Several channels: by address, ascending.

#ifndef LEASH_CHAN_CHAN_CORE_H_
#define LEASH_CHAN_CHAN_CORE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <source_location>

#include "base/lock.h"
#include "base/race.h"
#include "chan/sudog.h"
#include "chan/token.h"
#include "leash/internal/chan_handle.h"

#ifndef LEASH_RECORD
#define LEASH_RECORD 1
#endif

namespace leash::rt {

using internal::ChanFlavor;
using internal::ElementType;

inline constexpr uint64_t kChanMagic = 0x6e61'6863'6873'656c;  // "leshchan"

// Who dropped the last handle of a kind. Written by that one alone, before the count says so.
struct LastDrop {
  std::atomic<uint64_t> pc{0};
  std::atomic<uint64_t> by{0};  // a goroutine's id
};

// Not aligned to a cache line: malloc has a fast way for what needs no more than its own alignment,
// 10 times as fast for a channel that comes and goes.
struct ChanCore {
  uint64_t magic = kChanMagic;  // 0 once it has been destroyed
  Lock lock{LockRank::kChan};
  std::atomic<uint32_t> closed{0};  // written under lock
  std::atomic<size_t> length{0};    // written under lock
  size_t send_index = 0;            // under lock
  size_t recv_index = 0;            // under lock
  SudogQueue recvq;
  SudogQueue sendq;

  // Constant after ChanMake.
  size_t capacity = 0;  // of the ring
  const ElementType* type = nullptr;
  char* slots = nullptr;
  size_t slot_bytes = 0;
  Token* tokens = nullptr;
  bool hand_over = true;  // (4)
  bool plain = false;     // hand_over, and elements are bytes: nothing throws
  ChanFlavor flavor = ChanFlavor::kPlain;
  size_t align = 0;  // of the allocation
  const char* name = nullptr;
  size_t name_bytes = 0;
  const char* element_function_name = nullptr;

  // The count of handles, of all of them and of those that do not lie in the memory of goroutines:
  // senders in the upper half, receivers in the lower. Relaxed but for the last drop.
  std::atomic<uint64_t> handles{0};
  std::atomic<uint64_t> elsewhere{0};
  LastDrop last_sender, last_receiver;
  std::source_location made_at;  // constant
  uint64_t made_by = 0;          // constant

  // Names for the race detector, each in a word of its own.
  Token close_token;
  uint64_t race_word = 0;
  uint64_t life = 0;

  char* Slot(size_t i) const { return slots + i * slot_bytes; }
  Token& SlotToken(size_t i) { return race::kEnabled ? tokens[i] : close_token; }
  size_t After(size_t i) const { return i + 1 == capacity ? 0 : i + 1; }
  size_t Length() const { return length.load(std::memory_order_relaxed); }
  // Acquire: pairs with the release in ChanClose. What is read next is as new as the close.
  bool Closed() const { return closed.load(std::memory_order_acquire) != 0; }

  // A receive, or a send, would block: a moment's answer, without the lock.
  bool SeemsEmpty() const { return capacity == 0 ? sendq.Empty() : Length() == 0; }
  bool SeemsFull() const { return capacity == 0 ? recvq.Empty() : Length() == capacity; }
};

// Holds a channel's lock; when it is given up, wakes the one that was found to be woken.
class ABSL_SCOPED_LOCKABLE ChanLock {
 public:
  // `locked`: the caller has locked it.
  explicit ChanLock(ChanCore* chan, bool locked = false) ABSL_EXCLUSIVE_LOCK_FUNCTION(chan->lock)
      : chan_(chan) {
    if (!locked) chan_->lock.lock();
  }
  ~ChanLock() ABSL_UNLOCK_FUNCTION() {
    if (chan_ != nullptr) Unlock();
  }
  ChanLock(const ChanLock&) = delete;
  ChanLock& operator=(const ChanLock&) = delete;

  void Unlock() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    ChanCore* chan = chan_;
    chan_ = nullptr;
    race::Release(&chan->life);
    chan->lock.unlock();
    if (wake != nullptr) WakeOne();
  }
  // It stays locked: Park() will unlock it.
  ChanCore* GiveToPark() {
    LEASH_CHECK(wake == nullptr);
    ChanCore* chan = chan_;
    chan_ = nullptr;
    race::Release(&chan->life);
    return chan;
  }

  G* wake = nullptr;

 private:
  void WakeOne();

  ChanCore* chan_;
};

// What an operation under the lock came to.
enum class Attempt : uint8_t { kWouldBlock, kDone, kClosed };

// Send and receive, as far as they go without waiting. `*wake` is to be readied after unlocking, if
// it is not null; also when the move of the element throws.
Attempt SendLocked(ChanCore* chan, void* value, G** wake) ABSL_EXCLUSIVE_LOCKS_REQUIRED(chan->lock);
Attempt RecvLocked(ChanCore* chan, void* room, G** wake) ABSL_EXCLUSIVE_LOCKS_REQUIRED(chan->lock);

// Takes a waiter that has been claimed off its queue: the caller readies it after unlocking.
inline G* Complete(SudogQueue& queue, Sudog* waiter, Outcome outcome) {
  queue.PopFront(waiter);
  waiter->outcome = outcome;
  return waiter->g;
}

// The last handle has gone: destroys the channel, unless (6).
void ChanUnreferenced(ChanCore* chan);

}  // namespace leash::rt

#endif  // LEASH_CHAN_CHAN_CORE_H_
