#include "bench/samples.h"

#include <gtest/gtest.h>

namespace leash::bench {
namespace {

TEST(SamplesTest, ALineIsANameAValueAndAUnit) {
  const std::optional<Line> line = ParseLine("pingpong/cpu 251.3 cpu-ns/roundtrip");
  ASSERT_TRUE(line.has_value());
  EXPECT_EQ(line->name, "pingpong/cpu");
  EXPECT_EQ(line->value, 251.3);
  EXPECT_EQ(line->unit, "cpu-ns/roundtrip");
  EXPECT_FALSE(ParseLine("").has_value());
  EXPECT_FALSE(ParseLine("pingpong fast ns").has_value());
  EXPECT_FALSE(ParseLine("pingpong 1 ns more").has_value());
  EXPECT_FALSE(ParseLine("pingpong 1 ").has_value());
}

TEST(SamplesTest, WallAndProcessorTimeShareARowAndSidesAreApart) {
  Samples samples;
  EXPECT_EQ(samples.Add(Samples::Side::kLeash, 1, "yield 10.0 ns/switch\nyield/cpu 9.0 cpu-ns\n"),
            2);
  EXPECT_EQ(samples.Add(Samples::Side::kGo, 1, "yield 80.0 ns/switch\nnot a figure at all\n"), 1);
  EXPECT_EQ(samples.Add(Samples::Side::kLeash, 2, "yield 12.0 ns/switch\n"), 1);
  ASSERT_EQ(samples.rows().size(), 2u);
  const Row& one = samples.rows()[0];
  EXPECT_EQ(one.name, "yield");
  EXPECT_EQ(one.procs, 1);
  EXPECT_EQ(one.wall.unit, "ns/switch");
  EXPECT_EQ(one.wall.leash, std::vector<double>({10}));
  EXPECT_EQ(one.wall.go, std::vector<double>({80}));
  EXPECT_EQ(one.cpu.leash, std::vector<double>({9}));
  EXPECT_TRUE(one.cpu.go.empty());
  EXPECT_EQ(samples.rows()[1].procs, 2);
}

TEST(SamplesTest, MedianIsTheMiddleOrTheMeanOfTheTwoMiddleOnes) {
  EXPECT_EQ(Median({3, 1, 2}), 2);
  EXPECT_EQ(Median({4, 1, 2, 3}), 2.5);
  EXPECT_EQ(Median({7}), 7);
  EXPECT_EQ(Median({}), 0);
}

TEST(SamplesTest, RatiosAreTakenPairByPair) {
  const std::optional<Ratio> ratio = PairedRatio({"ns/op", {10, 40, 10}, {20, 20, 40}});
  ASSERT_TRUE(ratio.has_value());
  EXPECT_EQ(ratio->median, 0.5);
  EXPECT_EQ(ratio->min, 0.25);
  EXPECT_EQ(ratio->max, 2);
}

TEST(SamplesTest, ARateIsDividedTheOtherWay) {
  const std::optional<Ratio> ratio = PairedRatio({"roundtrips/s", {200}, {100}});
  ASSERT_TRUE(ratio.has_value());
  EXPECT_EQ(ratio->median, 0.5);
}

TEST(SamplesTest, ThereIsNoRatioWithoutPairsOrOfNothing) {
  EXPECT_FALSE(PairedRatio({"ns/op", {10}, {}}).has_value());
  EXPECT_FALSE(PairedRatio({"ns/op", {}, {10}}).has_value());
  EXPECT_FALSE(PairedRatio({"ns/op", {10}, {0}}).has_value());
}

}  // namespace
}  // namespace leash::bench
