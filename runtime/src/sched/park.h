// How a primitive makes its caller wait, and wakes it. All that chan, time, context, sync and net
// know of the scheduler.
//
// A caller is a G: a goroutine, or an OS thread that uses leash (it has a record of its own kind
// and waits on a futex). Primitives do not tell them apart.
//
// The protocol. The waiter, under the primitive's lock, puts itself on the primitive's list and
// calls Park with that lock. The lock is dropped only after the waiter's context is saved, so a
// waker that finds it on the list may call Ready at once. Exactly one Ready follows each Park: the
// waker that took the waiter off the list under the lock calls it, after dropping the lock.
//
//     G* self = CurrentG();
//     mu.lock();
//     if (Available()) { ...; mu.unlock(); return; }
//     waiters.PushBack(&node);              // node.g = self; node lives on this stack
//     Park(WaitReason::kMutexLock, this, &mu);
//
// What is stored on a waiter's stack may be written by its waker before Ready and read by the
// waiter after Park: Ready releases and the return from Park acquires (for the C++ memory model; in
// the eyes of the race detector neither orders anything: state edges with base/race.h).
//
// The caller of Park, Yield, Ready's peers and of whatever calls them may come back on another
// thread, so it keeps nothing of its thread across the call: no errno (raw_syscall.h), no address
// of a thread_local, no pthread_self(). The compiler keeps all three where it can see them.

#ifndef LEASH_SCHED_PARK_H_
#define LEASH_SCHED_PARK_H_

#include <cstdint>

#include "base/lock.h"
#include "sched/wait_reason.h"

namespace leash::rt {

struct G;

// The record of the calling goroutine or thread. A thread's first call makes its record and, if
// need be, starts the runtime. Never null. Do not keep it across a switch of threads: it belongs to
// the goroutine, and stays right for its life.
G* CurrentG();

// The same, but null on a thread that has never used leash. For ids and dumps.
G* CurrentGOrNull();

// Blocks the caller until Ready(its G). `object` is what it waits for, for dumps; it must stay
// valid while the caller waits. Drops `*unlock` (if not null) once the caller can be readied.
void Park(WaitReason reason, const void* object, Lock* unlock);

// The same with a hook in place of the lock, called on another stack once the caller's context is
// saved: it must be short and must not park. If it returns false the caller does not wait after
// all.
using ParkCommit = bool (*)(G* g, void* arg);
void Park(WaitReason reason, const void* object, ParkCommit commit, void* arg);

// Makes a parked G runnable: next on this P's list where possible, so that the value it was given
// is still in the cache. Called from a goroutine, a thread or a timer; holds no lock of rank kSched
// or above. Never blocks, never allocates.
void Ready(G* g);

// The same, and the caller is about to park or yield: nobody else is woken to run it.
void ReadyDirect(G* g);

// WakeList: those whom a primitive has taken off what they wait for, in that order, until it has
// dropped its lock. They are linked by their records, which lie densely, and not by what lies on
// their stacks, a page of its own for each: of many waiters every look at these waits for memory.
class WakeList {
 public:
  WakeList() = default;
  WakeList(const WakeList&) = delete;
  WakeList& operator=(const WakeList&) = delete;

  // Under the lock.
  void Push(G* g);
  // Ready() for each, without the lock. Once.
  void ReadyAll();

 private:
  G* first_ = nullptr;
  G* last_ = nullptr;
};

// Lets others run; the caller goes to the end of its P's queue.
void Yield();

// A pseudo-random number, for fairness (select, steal order). Not for secrets.
uint32_t CheapRandom();

// The caller's id: what debug texts print as "goroutine N".
uint64_t IdOf(const G* g);

// The coarse monotonic clock in nanoseconds, kept by sysmon: free to read, up to 10 ms old.
int64_t CoarseNow();
// The exact one.
int64_t Nanotime();

// True if `p` lies in the memory of goroutines: on one of their stacks or in the closure of one
// that has not started. How a channel handle knows who holds it. A few instructions, no lock.
bool IsGoroutineMemory(const void* p);

// Between these two the caller may block in a system call: its P is handed on after 20 us instead
// of 10 ms. No-ops on a thread.
void EnterSyscall();
void ExitSyscall();

}  // namespace leash::rt

#endif  // LEASH_SCHED_PARK_H_
