// The timer heaps as the scheduler sees them: run what is due, know what is next.

#ifndef LEASH_SCHED_TIMER_HEAP_H_
#define LEASH_SCHED_TIMER_HEAP_H_

#include <cstdint>

#include "sched/timer.h"

namespace leash::rt {

// How many heaps there are. A processor uses the one of its index, modulo this.
inline constexpr int kTimerShards = 64;

// Runs the functions of all timers of this heap that are due at `now_ns`, with the heap unlocked
// and on the caller's stack. Returns when the next one is due, or 0 if there is none; sets `*ran`
// if any function ran, else leaves it alone. One load if nothing is due. Any thread may call it for
// any shard, several at once too.
int64_t RunTimers(int shard, int64_t now_ns, bool* ran);

// When the next timer of this shard is due, or of all of them; 0: there is none. Never blocks.
int64_t NextTimer(int shard);
int64_t NextTimer();

// True if a timer is armed whose function could wake somebody: what keeps "all goroutines are
// asleep" from being true. Also true while a function is running.
bool AnyTimerMayWake();

// How many timers are armed, in all or in this shard. A moment's figure.
int64_t TimerCount();
int64_t TimerCount(int shard);

// How many calls of timers' functions there have been.
uint64_t TimersFired();

// In the child of a fork, where only the calling thread is left. A heap that another thread was
// changing is forgotten: its timers never fire.
void TimersAfterFork();

}  // namespace leash::rt

#endif  // LEASH_SCHED_TIMER_HEAP_H_
