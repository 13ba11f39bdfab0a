#include "bench/targets.h"

#include <gtest/gtest.h>

#include <set>

namespace leash::bench {
namespace {

// Five runs of each side, all alike.
std::vector<Reading> Five(double value) {
  return {{1, value}, {2, value}, {3, value}, {4, value}, {5, value}};
}

Row WallRow(const std::string& name, int procs, const std::string& unit,
            const std::vector<Reading>& leash, const std::vector<Reading>& go) {
  Row row = {name, procs, {}, {}};
  row.wall.unit = unit;
  row.wall.of(Side::kLeash) = leash;
  row.wall.of(Side::kGo) = go;
  return row;
}

std::optional<Judgement> JudgeAlone(const Row& row, const std::string& go_version) {
  return Judge({row}, row, false, go_version);
}

TEST(TargetsTest, EachRowHasOne) {
  std::set<std::pair<std::string_view, int>> seen;
  for (const Target& target : Targets()) {
    EXPECT_TRUE(seen.emplace(target.row, target.procs).second) << target.row;
    EXPECT_GT(target.at_most, 0) << target.row;
  }
}

TEST(TargetsTest, AFigureIsJudgedByItsRatioToGosInTheSameRun) {
  // 10 ns where Go 1.27 takes 83, whatever this machine's speed is.
  EXPECT_EQ(JudgeAlone(WallRow("yield", 1, "ns/switch", Five(24), Five(200)), "go1.27.3")->verdict,
            Verdict::kReached);
  const std::optional<Judgement> judgement =
      JudgeAlone(WallRow("yield", 1, "ns/switch", Five(25), Five(200)), "go1.27.3");
  EXPECT_EQ(judgement->verdict, Verdict::kNotReached);
  EXPECT_EQ(judgement->want, "0.12");
}

TEST(TargetsTest, AnOlderGoIsFasterAndMovesTheTarget) {
  // 1.19 takes 51 of 83: the target is 0.20 of its time.
  const Row row = WallRow("yield", 1, "ns/switch", Five(39), Five(200));
  EXPECT_EQ(JudgeAlone(row, "go1.27.3")->verdict, Verdict::kNotReached);
  EXPECT_EQ(JudgeAlone(row, "go1.19.8")->verdict, Verdict::kReached);
  EXPECT_EQ(JudgeAlone(row, "go1.19.8")->want, "0.20");
}

TEST(TargetsTest, ASpreadOnBothSidesOrOfFewRunsDecidesNothing) {
  std::vector<Reading> leash = Five(20);
  leash[3].value = 30;
  EXPECT_EQ(JudgeAlone(WallRow("yield", 1, "ns/switch", leash, Five(200)), "go1.27.3")->verdict,
            Verdict::kUndecided);
  const Row few = WallRow("yield", 1, "ns/switch", {{1, 1}, {2, 1}}, {{1, 100}, {2, 100}});
  EXPECT_EQ(JudgeAlone(few, "go1.27.3")->verdict, Verdict::kUndecided);
}

TEST(TargetsTest, ARateIsToBeHigher) {
  // 1.3 of Go's, of any Go.
  EXPECT_EQ(
      JudgeAlone(WallRow("echo", 2, "roundtrips/s", Five(131), Five(100)), "go1.19.8")->verdict,
      Verdict::kReached);
  EXPECT_EQ(
      JudgeAlone(WallRow("echo", 2, "roundtrips/s", Five(129), Five(100)), "go1.19.8")->verdict,
      Verdict::kNotReached);
}

TEST(TargetsTest, TheProcessorsTimeIsJudgedAtOneProcOnly) {
  Row row = {"echo", 1, {}, {}};
  row.wall.unit = "roundtrips/s";
  row.cpu.unit = "cpu-ns/roundtrip";
  row.cpu.of(Side::kLeash) = Five(76);
  row.cpu.of(Side::kGo) = Five(100);
  const std::optional<Judgement> judgement = Judge({row}, row, true, "go1.27.3");
  ASSERT_TRUE(judgement.has_value());
  EXPECT_EQ(judgement->want, "0.77");
  EXPECT_EQ(judgement->verdict, Verdict::kReached);
  row.procs = 2;
  EXPECT_FALSE(Judge({row}, row, true, "go1.27.3").has_value());
}

TEST(TargetsTest, ASizeIsJudgedAsItIs) {
  const std::string name = "parked_mem_64k/100k/rss+vmpte";
  const std::optional<Judgement> judgement =
      JudgeAlone(WallRow(name, 8, "bytes/goroutine", Five(4499), {}), "");
  EXPECT_EQ(judgement->verdict, Verdict::kReached);
  EXPECT_EQ(judgement->want, "4,500 bytes/goroutine");
  EXPECT_EQ(JudgeAlone(WallRow(name, 1, "bytes/goroutine", Five(4501), {}), "")->verdict,
            Verdict::kNotReached);
}

TEST(TargetsTest, AWholeProfileIsComplete) {
  const std::string name = "profile_debug2/100k/complete";
  EXPECT_EQ(JudgeAlone(WallRow(name, 1, "percent", Five(100), {}), "")->verdict, Verdict::kReached);
  EXPECT_EQ(JudgeAlone(WallRow(name, 1, "percent", Five(99.9), {}), "")->verdict,
            Verdict::kNotReached);
}

TEST(TargetsTest, AStallIsUndecidedWhereTheMachineStallsLongerByItself) {
  const Row stall = WallRow("profile_debug2/100k/stall", 2, "us", Five(300), {});
  const Row noisy = WallRow("profile_debug2/100k/stall_idle", 2, "us", Five(250), {});
  const Row calm = WallRow("profile_debug2/100k/stall_idle", 2, "us", Five(150), {});
  EXPECT_EQ(Judge({stall, noisy}, stall, false, "")->verdict, Verdict::kUndecided);
  EXPECT_EQ(Judge({stall, calm}, stall, false, "")->verdict, Verdict::kNotReached);
}

TEST(TargetsTest, AWarmCreationIsHeldAgainstGosFirstOne) {
  const Row warm = WallRow("parked_mem/100k/create_warm", 1, "ns/goroutine", Five(700), Five(1));
  const Row cold = WallRow("parked_mem/100k/create", 1, "ns/goroutine", Five(1), Five(2200));
  EXPECT_EQ(Judge({warm, cold}, warm, false, "go1.27.3")->verdict, Verdict::kReached);
  EXPECT_FALSE(Judge({warm}, warm, false, "go1.27.3").has_value());
}

TEST(TargetsTest, WithoutATargetOrWithoutGoThereIsNoVerdict) {
  EXPECT_FALSE(
      JudgeAlone(WallRow("yield", 2, "ns/switch", Five(1), Five(9)), "go1.27").has_value());
  EXPECT_FALSE(JudgeAlone(WallRow("yield", 1, "ns/switch", Five(1), {}), "").has_value());
}

TEST(TargetsTest, RecordingMayCostThreeInAHundredOfARowThatItCanCost) {
  Row row = WallRow("yield", 1, "ns/switch", Five(102), {});
  EXPECT_FALSE(JudgeRecording(row, false).has_value());
  row.wall.of(Side::kRecordOff) = Five(100);
  EXPECT_EQ(JudgeRecording(row, false), Verdict::kReached);
  row.wall.of(Side::kLeash) = Five(104);
  EXPECT_EQ(JudgeRecording(row, false), Verdict::kNotReached);
  row.wall.of(Side::kLeash)[0].value = 99;
  EXPECT_EQ(JudgeRecording(row, false), Verdict::kUndecided);
  row.name = "profile_debug2/100k/size";
  EXPECT_FALSE(JudgeRecording(row, false).has_value());
}

}  // namespace
}  // namespace leash::bench
