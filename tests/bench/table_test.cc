#include "bench/table.h"

#include <gtest/gtest.h>

#include <sstream>

namespace leash::bench {
namespace {

// The readings of passes 1, 2 and on.
std::vector<Reading> Passes(const std::vector<double>& values) {
  std::vector<Reading> readings;
  for (const double value : values)
    readings.push_back({static_cast<int>(readings.size()) + 1, value});
  return readings;
}

Series Measured(const std::string& unit, const std::vector<double>& leash,
                const std::vector<double>& go) {
  Series series = {unit, {}};
  series.of(Side::kLeash) = Passes(leash);
  series.of(Side::kGo) = Passes(go);
  return series;
}

Circumstances Some() {
  Circumstances c;
  c.machine = "Abacus, 2 processors, Linux 6.1.0";
  c.version(Side::kLeash) = "leash 0.1.0, gcc 12.2.0, recording on";
  c.version(Side::kGo) = "go1.22.1";
  c.when = "2026-01-02 03:04 UTC";
  c.load_before = 0.5;
  c.load_after = 2;
  c.pairs = 2;
  return c;
}

std::vector<Row> Rows() {
  return {{"pingpong", 1, Measured("ns/roundtrip", {100, 120}, {200, 200}),
           Measured("cpu-ns/roundtrip", {90, 90}, {180, 90})},
          {"skynet", 2, Measured("ms", {1234567, 1234567}, {100, 100}), {}},
          {"echo", 8, Measured("trips/s", {1.25}, {}), Measured("cpu-ns/trip", {12}, {})}};
}

TEST(TableTest, TextHasBothTimesThePairsSpreadAndWhatFollows) {
  std::ostringstream out;
  WriteText(out, Rows(), Some());
  EXPECT_EQ(
      out.str(),
      R"(workload             procs  unit              leash     Go                      leash/Go  target  verdict
pingpong                 1  ns/roundtrip      110.0  200.0              0.55 (0.50-0.60)    0.24  undecided
pingpong, processor      1  ns/roundtrip       90.0  135.0              0.75 (0.50-1.00)    0.24  undecided
skynet                   2  ms            1,234,567  100.0  12345.67 (12345.67-12345.67)    0.21  undecided
echo                     8  trips/s            1.25
echo, processor          8  ns/trip            12.0

Abacus, 2 processors, Linux 6.1.0; 2026-01-02 03:04 UTC; load 0.5 before, 2.0 after
leash 0.1.0, gcc 12.2.0, recording on; go1.22.1
Medians of 2 runs of each side, in turn.
leash/Go and the like: the median of the pairs' ratios, and between which of them the true one lies with a certainty of 50 %; below 1 leash is better.
Processor time is the whole process's, user and system: on a busy machine the one to trust.
A target is a ratio to Go's, or a figure with its unit. Undecided: the spread lies on both sides of it, or is of too few runs: fewer than five decide nothing.

Targets not reached, of 3: none

Targets undecided, of 3:
  pingpong, procs 1: target 0.24
  pingpong, processor, procs 1: target 0.24
  skynet, procs 2: target 0.21

Behind Go:
  skynet, procs 2: 12345.67 of Go's ms
)");
}

TEST(TableTest, MarkdownHasTheSameFigures) {
  std::ostringstream out;
  std::vector<Row> rows = Rows();
  rows.resize(1);
  WriteMarkdown(out, rows, Some());
  EXPECT_EQ(out.str(), R"(| workload | procs | unit | leash | Go | leash/Go | target | verdict |
|---|---:|---|---:|---:|---:|---:|---|
| pingpong | 1 | ns/roundtrip | 110.0 | 200.0 | 0.55 (0.50-0.60) | 0.24 | undecided |
| pingpong, processor | 1 | ns/roundtrip | 90.0 | 135.0 | 0.75 (0.50-1.00) | 0.24 | undecided |

- Abacus, 2 processors, Linux 6.1.0; 2026-01-02 03:04 UTC; load 0.5 before, 2.0 after
- leash 0.1.0, gcc 12.2.0, recording on; go1.22.1
- Medians of 2 runs of each side, in turn.
- leash/Go and the like: the median of the pairs' ratios, and between which of them the true one lies with a certainty of 50 %; below 1 leash is better.
- Processor time is the whole process's, user and system: on a busy machine the one to trust.
- A target is a ratio to Go's, or a figure with its unit. Undecided: the spread lies on both sides of it, or is of too few runs: fewer than five decide nothing.

Targets not reached, of 2: none.

Targets undecided, of 2:

- pingpong, procs 1: target 0.24
- pingpong, processor, procs 1: target 0.24

Behind Go: none.
)");
}

TEST(TableTest, OnlyWhatWasMeasuredHasColumns) {
  Circumstances c = Some();
  c.version(Side::kGo).clear();
  c.version(Side::kBoost) = "Boost.Fiber 1.81";
  c.version(Side::kRecordOff) = "leash 0.1.0, gcc 12.2.0, recording off";
  Row row = {"yield", 1, Measured("ns/switch", {12, 12}, {}), {}};
  row.wall.of(Side::kBoost) = Passes({48, 24});
  row.wall.of(Side::kRecordOff) = Passes({12, 10});
  std::ostringstream out;
  WriteMarkdown(out, {row}, c);
  EXPECT_EQ(
      out.str().substr(0, out.str().find("\n\n")),
      R"(| workload | procs | unit | leash | Boost.Fiber | leash/Boost.Fiber | recording on/off | target | verdict |
|---|---:|---|---:|---:|---:|---:|---:|---|
| yield | 1 | ns/switch | 12.0 | 36.0 | 0.38 (0.25-0.50) | 1.10 (1.00-1.20) | | |)");
}

TEST(TableTest, JsonKeepsEveryRun) {
  std::ostringstream out;
  std::vector<Row> rows = Rows();
  rows.resize(1);
  WriteJson(out, rows, Some());
  const std::string json = out.str();
  EXPECT_NE(json.find("\"name\": \"pingpong\""), std::string::npos) << json;
  EXPECT_NE(json.find("\"pass\": 2,\n              \"value\": 120.0"), std::string::npos) << json;
  EXPECT_NE(json.find("\"high\": 0.6"), std::string::npos) << json;
  EXPECT_NE(json.find("\"verdict\": \"undecided\""), std::string::npos) << json;
}

TEST(TableTest, TheFootSaysWhatIsSpecialAboutAnOldGoAndAShortRun) {
  Circumstances c = Some();
  c.version(Side::kGo) = "go1.19.8";
  c.scale = 0.01;
  c.pairs = 1;
  const std::vector<std::string> notes = Notes(c);
  ASSERT_EQ(notes.size(), 7u);
  EXPECT_EQ(notes[2],
            "Medians of 1 run of each side, in turn; operations times 0.01: not to be compared.");
  EXPECT_EQ(notes[6],
            "Go 1.19 (Debian 12's) is up to 1.6x faster than Go 1.27 at yield and pingpong: "
            "against a newer Go these two ratios are lower. The targets are scaled to it.");
}

TEST(TableTest, FiveRunsDecideWhatIsReachedAndWhatRecordingCosts) {
  Circumstances c = Some();
  c.pairs = 5;
  c.version(Side::kRecordOff) = "leash 0.1.0, gcc 12.2.0, recording off";
  Row slow = {"yield", 1, Measured("ns/switch", {30, 30, 30, 30, 30}, {83, 83, 83, 83, 83}), {}};
  slow.wall.of(Side::kRecordOff) = Passes({20, 20, 20, 20, 20});
  Row fast = {"pingpong", 1, Measured("ns/roundtrip", {9, 9, 9, 9, 9}, {99, 99, 99, 99, 99}), {}};
  fast.wall.of(Side::kRecordOff) = Passes({9, 9, 9, 9, 8});
  const std::vector<Findings> found = Conclusions({slow, fast}, c);
  ASSERT_EQ(found.size(), 4u);
  EXPECT_EQ(found[0].heading, "Targets not reached, of 2");
  EXPECT_EQ(found[0].lines, std::vector<std::string>{"yield, procs 1: target 0.12"});
  EXPECT_EQ(found[1].heading, "Targets undecided, of 2");
  EXPECT_TRUE(found[1].lines.empty());
  EXPECT_EQ(found[2].heading, "Behind Go");
  EXPECT_TRUE(found[2].lines.empty());
  EXPECT_EQ(found[3].heading, "Recording costs more than 3 % (of 2 rows 1 are undecided)");
  EXPECT_EQ(found[3].lines, std::vector<std::string>{"yield, procs 1: 1.50 (1.50-1.50)"});
}

TEST(TableTest, ALossIsToldOfEachSideByTheTimeThatBothHave) {
  Circumstances c = Some();
  c.version(Side::kBoost) = "Boost.Fiber 1.81";
  Row row = Rows()[0];
  row.wall.of(Side::kBoost) = Passes({50, 60});
  const std::vector<Findings> found = Conclusions({row}, c);
  ASSERT_EQ(found.size(), 4u);
  EXPECT_TRUE(found[2].lines.empty());
  EXPECT_EQ(found[3].heading, "Behind Boost.Fiber");
  EXPECT_EQ(found[3].lines,
            std::vector<std::string>{"pingpong, procs 1: 2.00 of Boost.Fiber's ns/roundtrip"});
}

}  // namespace
}  // namespace leash::bench
