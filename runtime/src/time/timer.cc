// leash::Timer, After and AfterFunc.

#include <utility>

#include "leash/time.h"
#include "time/clock.h"
#include "time/timer_state.h"

namespace leash {
namespace {

internal::TimerRef MakeTimer(const Chan<absl::Time>& channel, rt::DeferredGoRef deferred) {
  return internal::TimerRef(rt::TimerState::Make(channel, std::move(deferred)), channel);
}

}  // namespace

Timer::Timer(absl::Duration duration, std::source_location site)
    : ref_(MakeTimer(rt::MakeTimerChan(site), nullptr)) {
  ref_.state()->Reset(rt::WhenAfter(duration), 0);
}

bool Timer::Stop() const { return ref_.state()->Stop(); }

bool Timer::Reset(absl::Duration duration) const {
  return ref_.state()->Reset(rt::WhenAfter(duration), 0);
}

RecvChan<absl::Time> After(absl::Duration duration, std::source_location site) {
  return Timer(duration, site).C();
}

Timer AfterFunc(absl::Duration duration, std::function<void()> fn, std::source_location site) {
  if (!fn) Panic("time: AfterFunc of an empty function");
  Timer timer(MakeTimer({}, rt::DeferredGo::Make(std::move(fn), site)));
  timer.Reset(duration);
  return timer;
}

}  // namespace leash
