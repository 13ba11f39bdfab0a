// The order in which the runtime's locks are taken: a thread may take a lock only while every lock
// that it holds has a lower rank (several of equal rank only where the rank allows it, by address).

#ifndef LEASH_BASE_LOCK_RANK_H_
#define LEASH_BASE_LOCK_RANK_H_

#include <cstdint>

namespace leash::rt {

enum class LockRank : uint8_t {
  kUnranked = 0,  // a leaf in every order, checked against nothing
  kNet,           // net: one fd's deadlines and waiters
  kContext,       // context: one context's children
  kTimerState,    // time: one Timer or Ticker
  kSync,          // sync: the waiters of one Mutex, WaitGroup, ...
  kChan,          // chan: one channel; a select holds several, ascending by address
  kTimers,        // sched: one timer heap
  kThread,        // sched: the parking of one thread
  kNetpoll,       // sched: descriptors known to epoll
  kSched,         // sched: the global run queue, idle Ms and Ps
  kRegistry,      // sched: blocks of G records
  kStack,         // stack: the slab's free lists
  kLeaf,          // takes nothing while held
};

// LEASH_DEBUG=lockrank=1: from then on every lock calls the two below.
void CheckLockRanks(bool on);
void LockRankAcquire(LockRank rank);
void LockRankRelease(LockRank rank);

}  // namespace leash::rt

#endif  // LEASH_BASE_LOCK_RANK_H_
