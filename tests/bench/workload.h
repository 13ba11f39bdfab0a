// What is measured: each workload of tests/bench/go/gobench, under its name and with its meaning,
// so that the two print lines that compare. A workload runs in a goroutine of its own (Go's main is
// one), once for each process that counts: memory and profiles are disturbed by leftovers.

#ifndef LEASH_TESTS_BENCH_WORKLOAD_H_
#define LEASH_TESTS_BENCH_WORKLOAD_H_

#include <cstdint>
#include <span>
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

struct Workload {
  std::string_view name;
  void (*run)(Run& run);
  bool one_proc_only;  // more would measure something else: a yield between two Ps
  bool large;          // takes a million goroutines, or minutes: run when asked for
};
// In the order of the table.
std::span<const Workload> Workloads();
const Workload* FindWorkload(std::string_view name);

// Runs it at GOMAXPROCS `procs` in a goroutine, and waits. Call from a thread. `took`: the whole of
// it, without the wait for the runtime's start.
std::vector<Figure> RunWorkload(const Workload& workload, int procs, double scale,
                                Times* took = nullptr);

void SpawnJoin(Run& run);
void SpawnJoinBatch100(Run& run);
void Skynet(Run& run);
void PingPong(Run& run);
void Yield(Run& run);
void ChanBuffered(Run& run);
void MpmcUnbuffered(Run& run);
void MpmcBuffered64(Run& run);
void Select4(Run& run);
void MutexContended(Run& run);
void ParkedMemory100k(Run& run);
void ParkedMemory1m(Run& run);
void Timers(Run& run);
void Echo(Run& run);
void RaceSlowdown(Run& run);
template <int kDebug>
void Profile10k(Run& run);
template <int kDebug>
void Profile100k(Run& run);
template <int kDebug>
void Profile1m(Run& run);

}  // namespace leash::bench

#endif  // LEASH_TESTS_BENCH_WORKLOAD_H_
