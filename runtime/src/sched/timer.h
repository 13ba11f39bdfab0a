// A timer of the scheduler: calls a function at a time. What Sleep, Timer, Ticker, After, deadlines
// of contexts and of connections are made of.
//
// Kept in heaps, one for each processor's worth, looked at by Ms that look for work; an idle
// runtime sleeps in epoll until the first is due. Functions run on an M's own stack, must be short,
// must not park or throw, and may call Ready, StartTimer, StopTimer (of others or their own) and
// start goroutines.
//
// Life: embed or allocate; zero-initialised is "not armed". The owner keeps it alive until
// StopTimer has returned true, or its function has been entered for the last time (which may free
// it itself: nothing touches the timer after a call that left it unarmed). StopTimer returning
// false means that the function is running or has run; FinishTimer waits out a run under way, and
// so it must be called before a periodic timer is freed even if StopTimer returned true. The owner
// serialises its calls; the function may run at the same time as any of them.

#ifndef LEASH_SCHED_TIMER_H_
#define LEASH_SCHED_TIMER_H_

#include <cstdint>

namespace leash::rt {

struct RtTimer {
  // Set by the owner before StartTimer, constant while armed.
  void (*fn)(RtTimer* timer, int64_t now_ns) = nullptr;
  void* arg = nullptr;
  // For a timer that sends on a channel: a deadlock check asks whether its tick could wake anyone
  // at all. Called with the heap locked: it may take no lock of rank kTimers or below. Null: it
  // could.
  bool (*wakes_somebody)(RtTimer* timer) = nullptr;

  // The scheduler's own, under its heap's lock.
  int64_t when_ns = 0;    // on the clock of Nanotime()
  int64_t period_ns = 0;  // 0: once
  int32_t index = -1;     // where in the heap; -1: not armed
  // Its heap, from the first time that it is armed on. Set by StartTimer, which is the owner's.
  int32_t heap = -1;
};

// Arms it: `fn` is called at when_ns, and every period_ns after that if that is not 0 (ticks that
// were missed are skipped, as in Go). REQUIRES: not armed. Throws std::bad_alloc, and then it is
// not armed; never for a timer that is popped and armed again by its own period.
void StartTimer(RtTimer* timer, int64_t when_ns, int64_t period_ns);

// Disarms it. True: it was armed and its function will not be called (again). False: it was not
// armed.
bool StopTimer(RtTimer* timer);

// StopTimer, then StartTimer, as one step. Returns whether it was armed. Throws as StartTimer does,
// but never when it was armed.
bool ResetTimer(RtTimer* timer, int64_t when_ns, int64_t period_ns);

// Waits (spinning: functions are short) until no call of `fn` is under way. Not from `fn` itself,
// nor with a lock held that `fn` takes.
void FinishTimer(RtTimer* timer);

}  // namespace leash::rt

#endif  // LEASH_SCHED_TIMER_H_
