// TimerState: what the handles of one Timer or Ticker share.
//
// Laws: (1) `when_ns` is not 0 iff it is to fire, whatever the scheduler's timer says: a call of
// Fire()
//   that was under way when somebody stopped or reset it finds nothing due, and sends nothing. So
//   no tick from before a Stop or Reset comes after it.  (2) The channel's one tick is taken back
//   by Stop and Reset in the same step, and counts as not having fired.  (3) While the scheduler's
//   timer is armed, or the call of Fire() that it led to is under way, there is one reference for
//   it; a ticker's is given back by who stops it, after FinishTimer, for its calls have none of
//   their own. (4) `armed` is a handle of the channel while it is to fire: it says that a sender is
//   alive.
// Lock order: mu (kTimerState) < the channel's < the timer heaps'. Handles are dropped, and
// goroutines
//   started, after mu. Receivers are readied under it: Ready takes no lock of a lower rank.

#ifndef LEASH_TIME_TIMER_STATE_H_
#define LEASH_TIME_TIMER_STATE_H_

#include <atomic>
#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "base/lock.h"
#include "leash/chan.h"
#include "sched/timer.h"
#include "time/deferred_go.h"

namespace leash::rt {

struct TimerState {
  // One reference, the caller's. Exactly one of `channel` (made by MakeTimerChan) and `deferred`.
  static TimerState* Make(const Chan<absl::Time>& channel, DeferredGoRef deferred);
  void Retain() { references.fetch_add(1, std::memory_order_relaxed); }
  void Release();

  // Makes it fire at when_ns, and every period_ns after that if that is not 0 (always or never the
  // same timer). True: it was still to fire, and its tick has not been received.
  bool Reset(int64_t when_ns, int64_t period_ns);
  bool Stop();

  std::atomic<uint32_t> references{1};
  Lock mu{LockRank::kTimerState};
  int64_t when_ns ABSL_GUARDED_BY(mu) = 0;         // (1)
  SendChan<absl::Time> armed ABSL_GUARDED_BY(mu);  // (4)
  RtTimer timer;                                   // armed and stopped under mu
  ChanCore* channel =
      nullptr;  // kept alive by the handles of whoever uses this: Timer's, or `armed`
  DeferredGoRef deferred;
  bool periodic = false;  // constant from the first Reset on

 private:
  static void Fire(RtTimer* timer, int64_t now_ns);
  static bool WakesSomebody(RtTimer* timer);
};

Chan<absl::Time> MakeTimerChan(std::source_location site);

}  // namespace leash::rt

#endif  // LEASH_TIME_TIMER_STATE_H_
