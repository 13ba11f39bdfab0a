#include "bench/table.h"

#include <gtest/gtest.h>

#include <sstream>

namespace leash::bench {
namespace {

Circumstances Some() {
  Circumstances c;
  c.machine = "Abacus, 2 processors, Linux 6.1.0";
  c.leash = "leash 0.1.0, gcc 12.2.0, recording on";
  c.go_version = "go1.22.1";
  c.when = "2026-01-02 03:04 UTC";
  c.load_before = 0.5;
  c.load_after = 2;
  c.pairs = 2;
  return c;
}

std::vector<Row> Rows() {
  return {{"pingpong",
           1,
           {"ns/roundtrip", {100, 120}, {200, 200}},
           {"cpu-ns/roundtrip", {90, 90}, {180, 90}}},
          {"skynet", 2, {"ms", {1234567, 1234567}, {100, 100}}, {}},
          {"echo", 1, {"trips/s", {1.25}, {}}, {"cpu-ns/trip", {12}, {}}}};
}

TEST(TableTest, TextHasBothTimesThePairsSpreadAndTheLosses) {
  std::ostringstream out;
  WriteText(out, Rows(), Some());
  EXPECT_EQ(
      out.str(),
      R"(                                   wall                                            processor
workload  procs  unit                  leash     Go                      leash/Go  leash     Go          leash/Go
pingpong      1  ns/roundtrip          110.0  200.0              0.55 (0.50-0.60)   90.0  135.0  0.75 (0.50-1.00)
skynet        2  ms                1,234,567  100.0  12345.67 (12345.67-12345.67)
echo          1  trips/s; ns/trip       1.25      -                             -   12.0      -                 -

Abacus, 2 processors, Linux 6.1.0; 2026-01-02 03:04 UTC; load 0.5 before, 2.0 after
leash 0.1.0, gcc 12.2.0, recording on; go1.22.1
Medians of 2 runs of each side, in turn.
leash/Go: the median of the pairs' ratios, with the smallest and the largest; below 1 leash is better.
Processor time is the whole process's, user and system: on a busy machine the one to trust.

Behind Go:
  skynet, procs 2: 12345.67 of Go's ms
)");
}

TEST(TableTest, MarkdownHasTheSameFigures) {
  std::ostringstream out;
  std::vector<Row> rows = Rows();
  rows.resize(1);
  WriteMarkdown(out, rows, Some());
  EXPECT_EQ(
      out.str(),
      R"(| workload | procs | unit | leash | Go | leash/Go | leash, processor | Go, processor | leash/Go, processor |
|---|---:|---|---:|---:|---:|---:|---:|---:|
| pingpong | 1 | ns/roundtrip | 110.0 | 200.0 | 0.55 (0.50-0.60) | 90.0 | 135.0 | 0.75 (0.50-1.00) |

- Abacus, 2 processors, Linux 6.1.0; 2026-01-02 03:04 UTC; load 0.5 before, 2.0 after
- leash 0.1.0, gcc 12.2.0, recording on; go1.22.1
- Medians of 2 runs of each side, in turn.
- leash/Go: the median of the pairs' ratios, with the smallest and the largest; below 1 leash is better.
- Processor time is the whole process's, user and system: on a busy machine the one to trust.

Nowhere behind Go.
)");
}

TEST(TableTest, JsonKeepsEveryRun) {
  std::ostringstream out;
  std::vector<Row> rows = Rows();
  rows.resize(1);
  WriteJson(out, rows, Some());
  const std::string json = out.str();
  EXPECT_NE(json.find("\"name\": \"pingpong\""), std::string::npos) << json;
  EXPECT_NE(json.find("100.0,\n          120.0"), std::string::npos) << json;
  EXPECT_NE(json.find("\"max\": 0.6"), std::string::npos) << json;
}

TEST(TableTest, TheFootSaysWhatIsSpecialAboutAnOldGoAndAShortRun) {
  Circumstances c = Some();
  c.go_version = "go1.19.8";
  c.scale = 0.01;
  c.pairs = 1;
  const std::vector<std::string> notes = Notes(c);
  ASSERT_EQ(notes.size(), 6u);
  EXPECT_EQ(notes[2],
            "Medians of 1 run of each side, in turn; operations times 0.01: not to be compared.");
  EXPECT_EQ(notes[5],
            "Go 1.19 (Debian 12's) is up to 1.6x faster than Go 1.27 at yield and pingpong: "
            "against a newer Go these two ratios are lower.");
}

}  // namespace
}  // namespace leash::bench
