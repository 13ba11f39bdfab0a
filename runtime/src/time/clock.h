// What time it is, for everything above the scheduler. Two clocks: the time of day, which people
// see and which may jump, and Nanotime(), which timers run on. Every reading of either goes through
// this file, so that an exploration can put another clock in its place.

#ifndef LEASH_TIME_CLOCK_H_
#define LEASH_TIME_CLOCK_H_

#include <cstdint>

#include "absl/time/time.h"

namespace leash::rt {

// The time of day.
absl::Time WallNow();

// When `duration` from now will be, on the clock of timers. Never before now; as far in the future
// as the clock goes for what is longer than that.
int64_t WhenAfter(absl::Duration duration);

// A time of day as a deadline of the netpoller: 0 for absl::InfiniteFuture(), negative if it has
// passed, else on the clock of timers.
int64_t DeadlineToMonotonic(absl::Time deadline);

// A positive interval in nanoseconds, at least 1.
int64_t IntervalNs(absl::Duration interval);

}  // namespace leash::rt

#endif  // LEASH_TIME_CLOCK_H_
