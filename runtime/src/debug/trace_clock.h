// What TraceNow() means in nanoseconds of CLOCK_BOOTTIME (Perfetto's trace clock, so that a trace
// of the system can be laid beside ours).
//
// Two clocks are read together at each pass of the writer, and times between two passes are
// interpolated: no rate is measured in advance, and none drifts.

#ifndef LEASH_DEBUG_TRACE_CLOCK_H_
#define LEASH_DEBUG_TRACE_CLOCK_H_

#include <cstdint>

#include "sched/trace.h"

namespace leash::rt {

class TraceClock {
 public:
  struct Reading {
    uint64_t ticks = 0;
    uint64_t ns = 0;
  };

  // Both clocks at one moment: of three tries the one that was interrupted least.
  static Reading Read() {
    Reading best;
    uint64_t best_gap = UINT64_MAX;
    for (int i = 0; i < 3; ++i) {
      const uint64_t before = TraceNow();
      const uint64_t ns = BootNow();
      const uint64_t after = TraceNow();
      if (after - before >= best_gap) continue;
      best_gap = after - before;
      best = {before + (after - before) / 2, ns};
    }
    return best;
  }

  void Begin(Reading now) { from_ = to_ = now; }
  // Events up to `now` are converted from here on.
  void Advance(Reading now) {
    if (now.ticks <= to_.ticks || now.ns < to_.ns) return;
    from_ = to_;
    to_ = now;
    rate_ = static_cast<double>(to_.ns - from_.ns) / static_cast<double>(to_.ticks - from_.ticks);
  }
  uint64_t ToNs(uint64_t ticks) const {
    const auto since = static_cast<double>(static_cast<int64_t>(ticks - from_.ticks));
    return from_.ns + static_cast<uint64_t>(static_cast<int64_t>(since * rate_));
  }
  const Reading& now() const { return to_; }

 private:
  Reading from_;
  Reading to_;
  double rate_ = 1;
};

}  // namespace leash::rt

#endif  // LEASH_DEBUG_TRACE_CLOCK_H_
