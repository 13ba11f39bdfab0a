// Waiting for time to pass: Sleep, Timer, Ticker, After, AfterFunc.
//
//     leash::Timer timer(absl::Seconds(5));
//     leash::Select(leash::OnRecv(results, [&](std::optional<Result> r) { Use(*r); }),
//                   leash::OnRecv(timer.C(), [&] { LOG(WARNING) << "slow"; }));
//
// Go's semantics of version 1.23 and later: the channel of a Timer or Ticker shows Len() and Cap()
// 0, and no tick from before a Stop or Reset is received after it. Timers and tickers run on when
// their last handle goes: only Stop stops them.

#ifndef LEASH_TIME_H_
#define LEASH_TIME_H_

#include <functional>
#include <source_location>
#include <utility>

#include "absl/time/time.h"
#include "leash/chan.h"

namespace leash {

namespace rt {
struct TimerState;
}  // namespace rt

// Sleep()
//
// Blocks the caller for at least `duration`; returns at once if it is zero or negative. Shown in
// dumps as [sleep].
void Sleep(absl::Duration duration);

// Now()
//
// The time of day. All of leash reads the clock that this reads.
absl::Time Now();

// After()
//
// Returns a channel on which the time is sent once, after `duration`. A Timer is better where the
// wait is often given up: it can be stopped.
RecvChan<absl::Time> After(absl::Duration duration,
                           std::source_location site = std::source_location::current());

namespace internal {

void TimerRetain(rt::TimerState* state) noexcept;
void TimerRelease(rt::TimerState* state) noexcept;

// A counted reference to a timer, with a handle of its channel. The handle says to whoever proves
// leaks that the channel can still be sent on, through Reset, from where this object is.
class TimerRef {
 public:
  // Takes over one reference.
  TimerRef(rt::TimerState* state, Chan<absl::Time> channel) noexcept
      : state_(state), channel_(std::move(channel)) {}
  TimerRef(const TimerRef& other) noexcept : state_(other.state_), channel_(other.channel_) {
    if (state_ != nullptr) TimerRetain(state_);
  }
  TimerRef(TimerRef&& other) noexcept
      : state_(std::exchange(other.state_, nullptr)), channel_(std::move(other.channel_)) {}
  [[gnu::always_inline]] TimerRef& operator=(TimerRef other) noexcept {
    std::swap(state_, other.state_);
    std::swap(channel_, other.channel_);
    return *this;
  }
  [[gnu::always_inline]] ~TimerRef() {
    if (state_ != nullptr) TimerRelease(state_);
  }

  rt::TimerState* state() const { return state_; }
  const Chan<absl::Time>& channel() const { return channel_; }

 private:
  rt::TimerState* state_;
  Chan<absl::Time> channel_;
};

}  // namespace internal

// Timer
//
// Sends the time on its channel, or runs a function, once.
//
//     leash::Timer timer(absl::Milliseconds(100));
//     timer.C().Recv();
//
// A handle: copies are the same timer. A moved-from handle may only be assigned or destroyed.
class Timer {
 public:
  // Timer::Timer()
  //
  // Starts a timer that sends the current time on C() after at least `duration`.
  explicit Timer(absl::Duration duration,
                 std::source_location site = std::source_location::current());

  // Timer::C()
  //
  // The channel of the ticks. The nil channel for a timer made by AfterFunc.
  RecvChan<absl::Time> C() const { return ref_.channel(); }

  // Timer::Stop()
  //
  // Keeps the timer from firing. True: it will not fire, nor has anybody received its tick. False:
  // it has fired or been stopped before; of AfterFunc then: the function has been started, and Stop
  // does not wait for it. Never blocks. No tick is received after it.
  bool Stop() const;

  // Timer::Reset()
  //
  // Makes the timer fire after `duration` from now; true if it was still running. Never blocks. No
  // tick of before is received after it.
  // Memory ordering: what precedes a Reset, or the timer's making, is visible after the receive of
  // its tick and in its function.
  bool Reset(absl::Duration duration) const;

 private:
  friend Timer AfterFunc(absl::Duration, std::function<void()>, std::source_location);
  explicit Timer(internal::TimerRef ref) : ref_(std::move(ref)) {}

  internal::TimerRef ref_;
};

// AfterFunc()
//
// Runs `fn` in a goroutine of its own after at least `duration`, unless the timer is stopped
// before. The goroutine is "created by" the caller of AfterFunc, at the place of this call. Reset
// runs it (once more). Panics if `fn` is empty: "time: AfterFunc of an empty function".
Timer AfterFunc(absl::Duration duration, std::function<void()> fn,
                std::source_location site = std::source_location::current());

// Ticker
//
// Sends the time on its channel again and again. Ticks that nobody receives in time are dropped.
//
//     leash::Ticker ticker(absl::Seconds(1));
//     for (absl::Time t : ticker.C()) Report(t);
//
// A handle: copies are the same ticker. A moved-from handle may only be assigned or destroyed.
class Ticker {
 public:
  // Ticker::Ticker()
  //
  // Starts a ticker.
  // Panics: "non-positive interval for NewTicker".
  explicit Ticker(absl::Duration interval,
                  std::source_location site = std::source_location::current());

  // Ticker::C()
  //
  // The channel of the ticks. Stop does not close it.
  RecvChan<absl::Time> C() const { return ref_.channel(); }

  // Ticker::Stop()
  //
  // No tick is received after it, until a Reset. Never blocks.
  void Stop() const;

  // Ticker::Reset()
  //
  // The next tick comes after `interval` from now, and then one every `interval`. Never blocks.
  // Panics: "non-positive interval for Ticker.Reset".
  void Reset(absl::Duration interval) const;

 private:
  internal::TimerRef ref_;
};

}  // namespace leash

#endif  // LEASH_TIME_H_
