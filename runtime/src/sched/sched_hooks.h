// What the timers and the netpoller ask of the scheduler, which is above them.

#ifndef LEASH_SCHED_SCHED_HOOKS_H_
#define LEASH_SCHED_SCHED_HOOKS_H_

#include <cstdint>

namespace leash::rt {

// Which shard of the timer heaps the caller should use: the index of its processor, or of its last
// one for a thread that has none now. Any number; taken modulo the number of shards.
int CurrentTimerShard();

// Sees to it that some M is awake, or sleeps in NetPoll no longer than until `when_ns`. Called
// after a new earliest timer is in its heap, and with INT64_MAX when somebody is about to wait for
// a descriptor and nobody did so far (a thread has no M of its own that would poll for it). The
// caller holds no lock of rank kTimers or above and may be on any stack; must not park.
//
// The other side of the handshake: an M that is about to sleep first publishes until when
// (seq_cst), then reads NextTimer() and NetPollWaiters() again. The callers of this function have
// put in their timer or counted their waiter (seq_cst) before they call, so one of the two sees the
// other.
void WakeNetPoller(int64_t when_ns);

}  // namespace leash::rt

#endif  // LEASH_SCHED_SCHED_HOOKS_H_
