// How every program of tests/bench measures and reports, whatever it measures: clocks, memory, and
// lines of the form "pingpong/cpu 251.3 cpu-ns/roundtrip". Knows nothing of leash, so that the
// programs that leash is compared with have it too.

#ifndef LEASH_TESTS_BENCH_MEASURE_H_
#define LEASH_TESTS_BENCH_MEASURE_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace leash::bench {

// One figure: "pingpong/cpu 251.3 cpu-ns/roundtrip".
struct Figure {
  std::string name;
  double value;
  std::string unit;
};

// Wall and processor time (of the whole process, from getrusage) since it was made. On a machine
// that others use too, the processor time is the steadier of the two.
struct Times {
  double wall_ns;
  double cpu_ns;
};
class Lap {
 public:
  Lap();
  Times Read() const;

 private:
  Times begin_;
};

// What one run of a workload is given, and where it puts its figures.
class Run {
 public:
  explicit Run(double scale) : scale_(scale) {}

  // `full` operations times the scale, at least 1.
  int64_t Scaled(int64_t full) const;

  void Report(std::string_view name, double value, std::string_view unit);
  // Nanoseconds an operation: NAME in ns/WHAT, and NAME/cpu in cpu-ns/WHAT.
  void ReportPerOp(std::string_view name, Times times, int64_t ops, std::string_view what);
  // NAME in ms, and NAME/cpu in cpu-ms.
  void ReportMillis(std::string_view name, Times times);

  const std::vector<Figure>& figures() const { return figures_; }

 private:
  double scale_;
  std::vector<Figure> figures_;
};

// The memory of this process.
struct Memory {
  int64_t rss_bytes;
  int64_t page_table_bytes;  // not in the RSS, and held all the same
  int64_t peak_rss_bytes;    // the largest RSS so far
};
Memory ReadMemory();

// Reports what `n` things that are alive now cost beside what there was `before`: PREFIX/rss,
// /vmpte and the two together.
void ReportMemory(Run& run, const std::string& prefix, const Memory& before, const Memory& after,
                  int64_t n);

// A tree's number of leaves: the power of ten that is not above `n`.
int64_t PowerOfTenAtMost(int64_t n);

// Prints the figures, a line each.
void Print(const std::vector<Figure>& figures);

// Ends the process with `what` unless `ok`: a workload that miscounts measures nothing.
void Require(bool ok, std::string_view what);

// The numbers that both sides draw (xorshift64).
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t Next() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return state_;
  }

 private:
  uint64_t state_;
};

}  // namespace leash::bench

#endif  // LEASH_TESTS_BENCH_MEASURE_H_
