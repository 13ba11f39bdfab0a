// The figures of many runs of several sides, put together: what the table is made from. Knows
// nothing of how they were had.

#ifndef LEASH_TESTS_BENCH_SAMPLES_H_
#define LEASH_TESTS_BENCH_SAMPLES_H_

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace leash::bench {

// leash, and what it is compared with.
enum class Side { kLeash, kGo, kBoost, kThreads, kRecordOff };
constexpr size_t kSides = 5;
constexpr std::array<Side, kSides - 1> kBaselines = {Side::kGo, Side::kBoost, Side::kThreads,
                                                     Side::kRecordOff};
// "Go"
std::string_view SideName(Side side);
// "go", in JSON
std::string_view SideKey(Side side);

// One line of a side's output: "pingpong/cpu 251.3 cpu-ns/roundtrip". nullopt if it is none.
struct Line {
  std::string name;
  double value;
  std::string unit;
};
std::optional<Line> ParseLine(std::string_view line);

// What one run said. Runs of the same pass were neighbours in time.
struct Reading {
  int pass;
  double value;
};

// What one quantity came to.
struct Series {
  std::string unit;
  std::array<std::vector<Reading>, kSides> by_side;

  const std::vector<Reading>& of(Side side) const { return by_side[static_cast<size_t>(side)]; }
  std::vector<Reading>& of(Side side) { return by_side[static_cast<size_t>(side)]; }
  bool empty() const { return unit.empty(); }
};

// A quantity and, where it is a time, the processor's time for the same.
struct Row {
  std::string name;
  int procs;
  Series wall;
  Series cpu;  // empty: no such figure
};

// Rows in the order in which their quantities first came.
class Samples {
 public:
  // Takes a whole run's output. Returns how many figures were in it.
  int Add(Side side, int procs, int pass, std::string_view output);

  const std::vector<Row>& rows() const { return rows_; }

 private:
  Row& Find(std::string_view name, int procs);

  std::vector<Row> rows_;
};

// nullptr if there is none.
const Row* FindRow(const std::vector<Row>& rows, std::string_view name, int procs);

// A rate ("roundtrips/s") or a share ("percent"): more of it is better.
bool MoreIsBetter(std::string_view unit);

// The middle of some values, and between which two of them the true median lies: with
// `certainty`, if each value is as likely above it as below. The narrowest range with nine tenths
// of certainty or more; of fewer than five values, all of them with less.
struct Spread {
  double median;
  double low;
  double high;
  double certainty;
};
constexpr double kCertain = 0.9;
std::optional<Spread> SpreadOf(std::vector<double> values);
std::optional<Spread> SpreadOf(const std::vector<Reading>& readings);

// `over` divided by `under`, pass by pass; the other way about where more is better, so that below
// 1 always says that `over` is better. nullopt without pairs or where a divisor is 0.
std::optional<Spread> PairedRatio(const std::vector<Reading>& over,
                                  const std::vector<Reading>& under, std::string_view unit);
// leash over a baseline.
std::optional<Spread> PairedRatio(const Series& series, Side baseline);

}  // namespace leash::bench

#endif  // LEASH_TESTS_BENCH_SAMPLES_H_
