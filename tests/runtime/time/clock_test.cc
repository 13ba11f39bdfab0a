#include "time/clock.h"

#include <gtest/gtest.h>

#include <limits>

#include "sched/park.h"

namespace leash::rt {
namespace {

constexpr int64_t kMax = std::numeric_limits<int64_t>::max();

TEST(ClockTest, AnIntervalIsNeverShortenedNorZero) {
  EXPECT_EQ(IntervalNs(absl::Nanoseconds(1)), 1);
  EXPECT_EQ(IntervalNs(absl::Nanoseconds(1) / 4), 1);
  EXPECT_EQ(IntervalNs(absl::Nanoseconds(5) / 2), 3);
  EXPECT_EQ(IntervalNs(absl::Seconds(2)), 2'000'000'000);
  EXPECT_EQ(IntervalNs(absl::InfiniteDuration()), kMax);
}

TEST(ClockTest, WhenIsFromNowAndSaturates) {
  const int64_t before = Nanotime();
  const int64_t when = WhenAfter(absl::Seconds(1));
  EXPECT_GE(when, before + 1'000'000'000);
  EXPECT_LE(when, Nanotime() + 1'000'000'000);
  EXPECT_EQ(WhenAfter(absl::InfiniteDuration()), kMax);
  EXPECT_GE(WhenAfter(-absl::InfiniteDuration()), before);
  const int64_t past = WhenAfter(-absl::Seconds(5));
  EXPECT_LE(past, Nanotime());
}

TEST(ClockTest, ADeadlineIsNeverOrPastOrOnTheTimersClock) {
  EXPECT_EQ(DeadlineToMonotonic(absl::InfiniteFuture()), 0);
  EXPECT_LT(DeadlineToMonotonic(absl::InfinitePast()), 0);
  EXPECT_LT(DeadlineToMonotonic(WallNow()), 0);
  EXPECT_GT(DeadlineToMonotonic(WallNow() + absl::Hours(1)), Nanotime());
}

}  // namespace
}  // namespace leash::rt
