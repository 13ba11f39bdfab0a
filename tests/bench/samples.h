// The figures of many runs of two sides, put together: what the table is made from. Knows nothing
// of how they were had.

#ifndef LEASH_TESTS_BENCH_SAMPLES_H_
#define LEASH_TESTS_BENCH_SAMPLES_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace leash::bench {

// One line of a side's output: "pingpong/cpu 251.3 cpu-ns/roundtrip". nullopt if it is none.
struct Line {
  std::string name;
  double value;
  std::string unit;
};
std::optional<Line> ParseLine(std::string_view line);

// What one quantity came to: the i-th run of each side were neighbours in time.
struct Series {
  std::string unit;
  std::vector<double> leash;
  std::vector<double> go;  // empty: Go has none
};

// A line of the table: a quantity and, where it is a time, the processor's time for the same.
struct Row {
  std::string name;
  int procs;
  Series wall;
  Series cpu;  // cpu.leash is empty: no such figure
};

// Rows in the order in which their quantities first came.
class Samples {
 public:
  enum class Side { kLeash, kGo };

  // Takes a whole run's output. Returns how many figures were in it.
  int Add(Side side, int procs, std::string_view output);

  const std::vector<Row>& rows() const { return rows_; }

 private:
  Row& Find(std::string_view name, int procs);

  std::vector<Row> rows_;
};

double Median(std::vector<double> values);

// leash over Go, pair by pair; the other way about for a rate ("roundtrips/s"), so that below 1
// always says that leash is better. nullopt without pairs or where Go's figure is 0.
struct Ratio {
  double median;
  double min;
  double max;
};
std::optional<Ratio> PairedRatio(const Series& series);

}  // namespace leash::bench

#endif  // LEASH_TESTS_BENCH_SAMPLES_H_
