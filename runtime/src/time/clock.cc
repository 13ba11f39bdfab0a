// The clocks.

#include "time/clock.h"

#include <algorithm>
#include <limits>

#include "absl/time/clock.h"
#include "sched/park.h"

namespace leash::rt {

absl::Time WallNow() { return absl::Now(); }

int64_t WhenAfter(absl::Duration duration) {
  const int64_t now = Nanotime();
  if (duration <= absl::ZeroDuration()) return now;
  int64_t when;
  if (__builtin_add_overflow(now, IntervalNs(duration), &when)) {
    return std::numeric_limits<int64_t>::max();
  }
  return when;
}

int64_t DeadlineToMonotonic(absl::Time deadline) {
  if (deadline == absl::InfiniteFuture()) return 0;
  const absl::Duration left = deadline - WallNow();
  return left <= absl::ZeroDuration() ? -1 : WhenAfter(left);
}

int64_t IntervalNs(absl::Duration interval) {
  // Rounded up, so that nothing is early; saturates at about 292 years.
  const int64_t ns = absl::ToInt64Nanoseconds(interval);
  const bool fraction =
      ns < std::numeric_limits<int64_t>::max() && absl::Nanoseconds(ns) < interval;
  return std::max<int64_t>(fraction ? ns + 1 : ns, 1);
}

}  // namespace leash::rt
