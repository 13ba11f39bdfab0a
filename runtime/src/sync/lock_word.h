// LockWord: the state of a Mutex, and of the writers' side of an RWMutex.
//
//   bit 0  kHeld      a writer has it (of an RWMutex: has the writers' slot; readers may have to
//   leave) bit 1  kWoken     somebody who was woken, or spins, is about to try: no need to wake
//   another bit 2  kStarving  the lock is handed over in order bit 3  kWaiters   header.waiters is
//   not empty bit 4  kReaders   RWMutex: its queue of readers is not empty 32 up  RWMutex: the
//   readers that hold it
//
// Normal and starving, as in Go: normally a waiter that is woken competes with the newly come, who
// run already and mostly win. One that has lost for 1 ms makes the lock starving: from then on
// Unlock hands it to the first waiter, and the newly come go to the end of the queue. It is normal
// again when the queue is empty or the first had waited for less than 1 ms. Unlike in Go the lock
// stays kHeld while it is handed over, so nobody can see it free.
//
// Laws, besides those of wait_queue.h: (1) Every change of state is one compare-exchange.
//   (2) kWaiters and kReaders change under the queue lock only, and say whether the queues are
//   empty. (3) kWaiters is set and a waiter queued only while kHeld: so whoever gives the lock up
//   sees it. (4) kStarving implies kHeld, kWaiters and not kWoken. (5) kWoken belongs to one caller
//   of Lock, who clears it by taking the lock or by queueing again. (6) The unlocker pops the
//   waiter that it wakes while it still has the lock: the compare-exchange that gives the lock up
//   is its last access. A waiter that is handed the lock is popped likewise.

#ifndef LEASH_SYNC_LOCK_WORD_H_
#define LEASH_SYNC_LOCK_WORD_H_

#include <atomic>
#include <cstdint>

#include "leash/internal/sync_words.h"
#include "sched/park.h"
#include "sync/wait_queue.h"

namespace leash::rt {

using internal::LockWord;

inline constexpr uint64_t kHeld = 1;
inline constexpr uint64_t kWoken = 2;
inline constexpr uint64_t kStarving = 4;
inline constexpr uint64_t kWaiters = 8;
inline constexpr uint64_t kReaders = 16;
inline constexpr int kReadersShift = 32;
inline constexpr uint64_t kOneReader = uint64_t{1} << kReadersShift;

inline constexpr int64_t kStarvationNs = 1'000'000;

inline uint64_t ReadersIn(uint64_t state) { return state >> kReadersShift; }

// Takes kHeld if it is free, whatever the readers do; true if so.
inline bool TryTake(LockWord& word) {
  uint64_t old = word.state.load(std::memory_order_relaxed);
  while ((old & kHeld) == 0) {
    // Acquire: pairs with the release by which it was given up.
    if (word.state.compare_exchange_weak(old, old | kHeld, std::memory_order_acquire,
                                         std::memory_order_relaxed)) {
      return true;
    }
  }
  return false;
}

// Takes kHeld; waits for it as kMutexLock on `word`.
void TakeContended(LockWord& word);

// What an unlocker has to do besides, worked out under the queue lock.
struct Succession {
  SyncWaiter* waiter = nullptr;  // popped; to be readied
  uint64_t state = 0;            // what the lock is to become
};
// Whether giving up a lock in this state needs Succeed.
inline bool HasSuccessor(uint64_t state) {
  return (state & kStarving) != 0 || (state & (kWaiters | kWoken)) == kWaiters;
}
// Queue lock held, and the lock too: chooses who is woken or handed the lock, and pops it.
Succession Succeed(LockWord& word, uint64_t old, int64_t now_ns);
// Undoes that, since the state has changed meanwhile.
void TakeBack(LockWord& word, const Succession& succession);
// After everything is unlocked.
void WakeSuccessor(const Succession& succession);

// Notes for dumps who has it: the caller, or the one that it is handed to. A plain store: only who
// has the lock writes it. Never cleared; it counts while kHeld is set. (For a moment after kHeld is
// set it still names the one before.)
inline void RecordHolder(std::atomic<uint64_t>& holder, G* g) {
#if LEASH_RECORD
  holder.store(IdOf(g), std::memory_order_relaxed);
#else
  (void)holder;
  (void)g;
#endif
}
inline void RecordHolder(std::atomic<uint64_t>& holder) {
#if LEASH_RECORD
  RecordHolder(holder, CurrentG());
#else
  (void)holder;
#endif
}

}  // namespace leash::rt

#endif  // LEASH_SYNC_LOCK_WORD_H_
