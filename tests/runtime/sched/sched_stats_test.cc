// How latencies are sampled and sorted into buckets.

#include "sched/sched_stats.h"

#include <cstdint>
#include <random>

#include "gtest/gtest.h"

namespace leash::rt {
namespace {

TEST(LatencyBucketTest, ABoundBelongsToItsOwnBucket) {
  for (int i = 0; i < kLatencyBounds; ++i) {
    EXPECT_EQ(LatencyBucket(LatencyBound(i)), i);
    EXPECT_EQ(LatencyBucket(LatencyBound(i) + 1), i + 1);
  }
}

TEST(LatencyBucketTest, TheEndsTakeWhatLiesBeyond) {
  EXPECT_EQ(LatencyBucket(0), 0);
  EXPECT_EQ(LatencyBucket(1), 0);
  EXPECT_EQ(LatencyBucket(INT64_MAX), kLatencyBounds);
}

// Runs for `seconds` at one event every `interval_ns`; returns how many of them were stamped, and
// in `*counted` for how many the stamps stand.
uint64_t Stamps(StampGap* gap, int64_t interval_ns, double seconds, uint64_t* counted) {
  std::minstd_rand random(1);
  uint16_t countdown = 1;
  uint64_t stamps = 0;
  const auto events = static_cast<int64_t>(seconds * 1e9 / static_cast<double>(interval_ns));
  *counted = 0;
  for (int64_t i = 1; i <= events; ++i) {
    if (--countdown != 0) continue;
    ++stamps;
    *counted += gap->drawn;
    countdown = gap->Next(i * interval_ns, static_cast<uint32_t>(random()));
  }
  return stamps;
}

TEST(StampGapTest, ABusyPIsSampledOnceInFourThousand) {
  StampGap gap;
  uint64_t counted = 0;
  // 50 million a second: at that gap 12,000 stamps.
  const uint64_t stamps = Stamps(&gap, 20, 1, &counted);
  EXPECT_EQ(gap.mean, StampGap::kMeanMax);
  EXPECT_NEAR(static_cast<double>(stamps), 50e6 / StampGap::kMeanMax, 600);
}

TEST(StampGapTest, ASlowOneOnceInSixtyFour) {
  StampGap gap;
  uint64_t counted = 0;
  const uint64_t stamps = Stamps(&gap, 1'000'000, 1000, &counted);
  EXPECT_EQ(gap.mean, StampGap::kMeanMin);
  EXPECT_NEAR(static_cast<double>(stamps), 1e6 / StampGap::kMeanMin, 800);
}

TEST(StampGapTest, InBetweenAboutAThousandTimesASecond) {
  StampGap gap;
  uint64_t counted = 0;
  const uint64_t stamps = Stamps(&gap, 1000, 10, &counted);
  EXPECT_GT(stamps, 10 * 400u);
  EXPECT_LT(stamps, 10 * 2500u);
}

TEST(StampGapTest, StampsStandForEveryEventButTheLastGap) {
  for (int64_t interval_ns : {20, 1000, 1'000'000}) {
    StampGap gap;
    uint64_t counted = 0;
    Stamps(&gap, interval_ns, 1e-3 * static_cast<double>(interval_ns), &counted);
    EXPECT_LE(counted, 1'000'000u);
    EXPECT_GT(counted, 1'000'000u - 2 * StampGap::kMeanMax);
  }
}

TEST(StampGapTest, EveryPlaceOfARoundIsSeen) {
  // Events come in rounds of 61: which of them are stamped does not depend on the round.
  StampGap gap;
  std::minstd_rand random(1);
  uint16_t countdown = 1;
  int seen[61] = {};
  for (int i = 0; i < 20'000'000; ++i) {
    if (--countdown != 0) continue;
    ++seen[i % 61];
    countdown = gap.Next(i * int64_t{1'000'000}, static_cast<uint32_t>(random()));
  }
  // 5,100 each; the standard deviation is 72.
  for (int place = 0; place < 61; ++place) EXPECT_NEAR(seen[place], 20e6 / 64 / 61, 500) << place;
}

}  // namespace
}  // namespace leash::rt
