// Arming, firing and stopping.

#include "time/timer_state.h"

#include <limits>
#include <utility>

#include "base/check.h"
#include "base/race.h"
#include "chan/timer_chan.h"
#include "leash/time.h"
#include "time/clock.h"

namespace leash {
namespace rt {

Chan<absl::Time> MakeTimerChan(std::source_location site) {
  return internal::ChanAccess::Make<Chan<absl::Time>>(1, "", site, internal::ChanFlavor::kTimer);
}

TimerState* TimerState::Make(const Chan<absl::Time>& channel, DeferredGoRef deferred) {
  LEASH_CHECK(static_cast<bool>(channel) == (deferred == nullptr));
  auto* const state = new TimerState;
  state->timer.fn = Fire;
  state->timer.arg = state;
  state->deferred = std::move(deferred);
  state->channel = internal::ChanAccess::Core(channel);
  if (state->channel != nullptr) state->timer.wakes_somebody = WakesSomebody;
  race::Release(state);  // for whoever frees it
  return state;
}

void TimerState::Release() {
  // Acquire and release: who frees it comes after all who used it.
  if (references.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  race::Acquire(this);
  delete this;
}

bool TimerState::Reset(int64_t when, int64_t period_ns) {
  SendChan<absl::Time> sender = internal::ChanAccess::FromCore<SendChan<absl::Time>>(channel);
  race::Release(&timer);
  bool pending;
  {
    LockHolder lock(mu);
    LEASH_CHECK(references.load(std::memory_order_relaxed) > 0);
    pending = when_ns != 0;
    if (channel != nullptr && ClearBuffer(channel)) pending = true;  // (2)
    periodic = period_ns != 0;
    if (!ResetTimer(&timer, when, period_ns)) Retain();  // (3)
    when_ns = when;
    std::swap(armed, sender);
  }
  return pending;
}

bool TimerState::Stop() {
  SendChan<absl::Time> dropped;
  bool pending;
  bool stopped;
  {
    LockHolder lock(mu);
    pending = when_ns != 0;
    when_ns = 0;
    stopped = StopTimer(&timer);
    if (channel != nullptr && ClearBuffer(channel)) pending = true;  // (2)
    std::swap(armed, dropped);
  }
  if (stopped) {
    if (periodic) FinishTimer(&timer);
    Release();  // (3)
  }
  return pending;
}

void TimerState::Fire(RtTimer* timer, int64_t now_ns) {
  auto* const state = static_cast<TimerState*>(timer->arg);
  SendChan<absl::Time> dropped;
  bool due;
  bool periodic;
  {
    LockHolder lock(state->mu);
    periodic = state->periodic;
    due = state->when_ns != 0 && state->when_ns <= now_ns;  // (1)
    if (due) {
      race::Acquire(timer);
      if (!periodic) {
        state->when_ns = 0;
        std::swap(state->armed, dropped);
      }
      if (state->channel != nullptr) {
        absl::Time tick = WallNow();
        TimerSend(state->channel, &tick);
      }
    }
  }
  if (due && state->deferred != nullptr) DeferredGo::Start(state->deferred->Retain());
  if (!periodic) state->Release();  // (3)
}

bool TimerState::WakesSomebody(RtTimer* timer) {
  // Armed, so `armed` is set and keeps the channel.
  return HasReceivers(static_cast<TimerState*>(timer->arg)->channel);
}

}  // namespace rt

namespace internal {

void TimerRetain(rt::TimerState* state) noexcept { state->Retain(); }
void TimerRelease(rt::TimerState* state) noexcept { state->Release(); }

}  // namespace internal
}  // namespace leash
