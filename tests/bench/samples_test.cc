#include "bench/samples.h"

#include <gtest/gtest.h>

namespace leash::bench {
namespace {

std::vector<double> Values(const std::vector<Reading>& readings) {
  std::vector<double> values;
  for (const Reading& reading : readings) values.push_back(reading.value);
  return values;
}

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
  EXPECT_EQ(samples.Add(Side::kLeash, 1, 1, "yield 10.0 ns/switch\nyield/cpu 9.0 cpu-ns\n"), 2);
  EXPECT_EQ(samples.Add(Side::kGo, 1, 1, "yield 80.0 ns/switch\nnot a figure at all\n"), 1);
  EXPECT_EQ(samples.Add(Side::kBoost, 1, 1, "yield 40.0 ns/switch\n"), 1);
  EXPECT_EQ(samples.Add(Side::kLeash, 2, 1, "yield 12.0 ns/switch\n"), 1);
  ASSERT_EQ(samples.rows().size(), 2u);
  const Row& one = samples.rows()[0];
  EXPECT_EQ(one.name, "yield");
  EXPECT_EQ(one.procs, 1);
  EXPECT_EQ(one.wall.unit, "ns/switch");
  EXPECT_EQ(Values(one.wall.of(Side::kLeash)), std::vector<double>({10}));
  EXPECT_EQ(Values(one.wall.of(Side::kGo)), std::vector<double>({80}));
  EXPECT_EQ(Values(one.wall.of(Side::kBoost)), std::vector<double>({40}));
  EXPECT_EQ(Values(one.cpu.of(Side::kLeash)), std::vector<double>({9}));
  EXPECT_TRUE(one.cpu.of(Side::kGo).empty());
  EXPECT_EQ(samples.rows()[1].procs, 2);
  EXPECT_EQ(FindRow(samples.rows(), "yield", 2), &samples.rows()[1]);
  EXPECT_EQ(FindRow(samples.rows(), "yield", 4), nullptr);
}

TEST(SpreadTest, MedianIsTheMiddleOrTheMeanOfTheTwoMiddleOnes) {
  EXPECT_EQ(SpreadOf(std::vector<double>{3, 1, 2})->median, 2);
  EXPECT_EQ(SpreadOf(std::vector<double>{4, 1, 2, 3})->median, 2.5);
  EXPECT_EQ(SpreadOf(std::vector<double>{7})->median, 7);
  EXPECT_FALSE(SpreadOf(std::vector<double>{}).has_value());
}

TEST(SpreadTest, ItIsTheNarrowestRangeOfNineTenthsCertainty) {
  // Of five, the median is outside all of them once in sixteen.
  const std::optional<Spread> five = SpreadOf(std::vector<double>{1, 2, 3, 4, 5});
  EXPECT_EQ(five->low, 1);
  EXPECT_EQ(five->high, 5);
  EXPECT_DOUBLE_EQ(five->certainty, 0.9375);
  // Of eight, one at each end can go: 1 - 2 (1 + 8) / 256.
  const std::optional<Spread> eight = SpreadOf(std::vector<double>{8, 7, 6, 5, 4, 3, 2, 1});
  EXPECT_EQ(eight->low, 2);
  EXPECT_EQ(eight->high, 7);
  EXPECT_DOUBLE_EQ(eight->certainty, 1 - 18.0 / 256);
  // Of seven that would leave less: 1 - 2 (1 + 7) / 128.
  EXPECT_EQ(SpreadOf(std::vector<double>{1, 2, 3, 4, 5, 6, 7})->low, 1);
}

TEST(SpreadTest, FewValuesGiveAllOfThemAndLittleCertainty) {
  const std::optional<Spread> three = SpreadOf(std::vector<double>{1, 2, 3});
  EXPECT_EQ(three->low, 1);
  EXPECT_EQ(three->high, 3);
  EXPECT_DOUBLE_EQ(three->certainty, 0.75);
  EXPECT_DOUBLE_EQ(SpreadOf(std::vector<double>{1})->certainty, 0);
}

TEST(PairedRatioTest, RatiosAreTakenPassByPass) {
  const std::optional<Spread> ratio =
      PairedRatio({{1, 10}, {2, 40}, {3, 10}}, {{1, 20}, {2, 20}, {3, 40}}, "ns/op");
  ASSERT_TRUE(ratio.has_value());
  EXPECT_EQ(ratio->median, 0.5);
  EXPECT_EQ(ratio->low, 0.25);
  EXPECT_EQ(ratio->high, 2);
}

TEST(PairedRatioTest, ARunThatFailedDoesNotShiftThoseAfterIt) {
  const std::optional<Spread> ratio = PairedRatio({{1, 10}, {3, 10}}, {{2, 1}, {3, 40}}, "ns/op");
  ASSERT_TRUE(ratio.has_value());
  EXPECT_EQ(ratio->low, 0.25);
  EXPECT_EQ(ratio->high, 0.25);
}

TEST(PairedRatioTest, WhereMoreIsBetterItIsDividedTheOtherWay) {
  EXPECT_EQ(PairedRatio({{1, 200}}, {{1, 100}}, "roundtrips/s")->median, 0.5);
  EXPECT_EQ(PairedRatio({{1, 100}}, {{1, 50}}, "percent")->median, 0.5);
}

TEST(PairedRatioTest, ThereIsNoneWithoutPairsOrOfNothing) {
  EXPECT_FALSE(PairedRatio({{1, 10}}, {}, "ns/op").has_value());
  EXPECT_FALSE(PairedRatio({}, {{1, 10}}, "ns/op").has_value());
  EXPECT_FALSE(PairedRatio({{1, 10}}, {{1, 0}}, "ns/op").has_value());
}

}  // namespace
}  // namespace leash::bench
