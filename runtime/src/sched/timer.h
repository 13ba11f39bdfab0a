// A timer of the scheduler: calls a function at a time. What Sleep, Timer, Ticker, After, deadlines
// of contexts and of connections are made of.
//
// Kept in heaps, one for each processor's worth, looked at by Ms that look for work; an idle runtime
// sleeps in epoll until the first is due. Functions run on an M's own stack, must be short, must not
// park, and may call Ready, StartTimer, StopTimer (of others or their own) and start goroutines.
//
// Life: embed or allocate; zero-initialised is "not armed". The owner keeps it alive until
// StopTimer has returned true, or its function has been entered for the last time; StopTimer returning
// false means that the function is running or has run: FinishTimer waits out the former.

#ifndef LEASH_SCHED_TIMER_H_
#define LEASH_SCHED_TIMER_H_

#include <atomic>
#include <cstdint>

namespace leash::rt {

struct RtTimer {
  // Set by the owner before StartTimer, constant while armed.
  void (*fn)(RtTimer* timer, int64_t now_ns) = nullptr;
  void* arg = nullptr;
  // True for a timer that sends on a channel: a deadlock check asks `wakes_somebody` whether its tick
  // could wake anyone at all. Null: it could.
  bool (*wakes_somebody)(RtTimer* timer) = nullptr;

  // The scheduler's own, under its heap's lock.
  int64_t when_ns = 0;    // on the clock of Nanotime()
  int64_t period_ns = 0;  // 0: once
  std::atomic<int32_t> heap{-1};   // which heap it is in or was last in
  int32_t index = -1;              // where in the heap; -1: not in one
  std::atomic<uint32_t> running{0};  // calls of fn under way
};

// Arms it: `fn` is called at when_ns, and every period_ns after that if that is not 0 (ticks that
// were missed are skipped, as in Go). REQUIRES: not armed.
void StartTimer(RtTimer* timer, int64_t when_ns, int64_t period_ns);

// Disarms it. True: it was armed and its function will not be called (again). False: it was not armed.
bool StopTimer(RtTimer* timer);

// StopTimer, then StartTimer, as one step. Returns whether it was armed.
bool ResetTimer(RtTimer* timer, int64_t when_ns, int64_t period_ns);

// Waits (spinning, the function is short) until no call of `fn` is under way on another thread. Not
// from `fn` itself.
void FinishTimer(RtTimer* timer);

}  // namespace leash::rt

#endif  // LEASH_SCHED_TIMER_H_
