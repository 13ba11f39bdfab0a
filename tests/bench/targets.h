// What leash is to reach, row by row, and whether it has.

#ifndef LEASH_TESTS_BENCH_TARGETS_H_
#define LEASH_TESTS_BENCH_TARGETS_H_

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bench/samples.h"

namespace leash::bench {

// A figure that leash is not to exceed, as it would be on the machine where Go 1.27 took `go`.
// Judged is the ratio of the two in one run; a figure without Go's beside it is judged as it is.
struct Target {
  std::string_view row;
  int procs;       // 0: however many
  double at_most;  // at least, where more is better
  double go = 0;   // 0: `at_most` does not depend on the machine
  // Go 1.19's figure over Go 1.27's: the processor times of the two at one proc, on one machine.
  double go119 = 1;
  std::string_view go_row = {};  // Go's row, where it is another
  std::string_view noise = {};   // a row that says what the machine alone does to this one
};
std::span<const Target> Targets();
const Target* FindTarget(std::string_view row, int procs);

enum class Verdict { kReached, kNotReached, kUndecided };
// "not reached"
std::string_view VerdictName(Verdict verdict);

struct Judgement {
  std::string want;  // "0.24", of Go's; "150.0 MB"
  Verdict verdict;
};

// Undecided: the spread lies on both sides of the target, there were too few runs for one, or the
// machine's noise alone is above it. nullopt: no target, or not measured. With `cpu` by the
// processor's time, which is the wall time of a quiet machine at one proc, and only there.
std::optional<Judgement> Judge(const std::vector<Row>& rows, const Row& row, bool cpu,
                               std::string_view go_version);

// That recording costs a row at most this, of the same row without.
constexpr double kRecordAtMost = 1.03;
// nullopt: not measured, or the row is not one that recording can cost.
std::optional<Verdict> JudgeRecording(const Row& row, bool cpu);

}  // namespace leash::bench

#endif  // LEASH_TESTS_BENCH_TARGETS_H_
