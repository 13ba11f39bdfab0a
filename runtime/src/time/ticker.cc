// leash::Ticker.

#include "leash/go.h"
#include "leash/time.h"
#include "time/clock.h"
#include "time/timer_state.h"

namespace leash {
namespace {

internal::TimerRef MakeTicker(absl::Duration interval, std::source_location site) {
  if (interval <= absl::ZeroDuration()) Panic("non-positive interval for NewTicker");
  const Chan<absl::Time> channel = rt::MakeTimerChan(site);
  return internal::TimerRef(rt::TimerState::Make(channel, nullptr), channel);
}

}  // namespace

Ticker::Ticker(absl::Duration interval, std::source_location site)
    : ref_(MakeTicker(interval, site)) {
  ref_.state()->Reset(rt::WhenAfter(interval), rt::IntervalNs(interval));
}

void Ticker::Stop() const { ref_.state()->Stop(); }

void Ticker::Reset(absl::Duration interval) const {
  if (interval <= absl::ZeroDuration()) Panic("non-positive interval for Ticker.Reset");
  ref_.state()->Reset(rt::WhenAfter(interval), rt::IntervalNs(interval));
}

}  // namespace leash
