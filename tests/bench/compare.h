// leash beside what it is compared with: every workload in a process of its own, the sides in turn.

#ifndef LEASH_TESTS_BENCH_COMPARE_H_
#define LEASH_TESTS_BENCH_COMPARE_H_

#include <array>
#include <string>
#include <vector>

#include "bench/samples.h"

namespace leash::bench {

struct CompareOptions {
  // By Side: this program, and those that are measured with it; empty: that side is not.
  std::array<std::string, kSides> programs;
  int pairs = 5;
  double scale = 1;
  std::vector<int> procs;  // empty: DefaultProcs()
  std::string filter;      // a regular expression over workloads' names
  bool large = false;      // those of a million goroutines, too
  std::string json;        // files to write
  std::string markdown;

  std::string& program(Side side) { return programs[static_cast<size_t>(side)]; }
  const std::string& program(Side side) const { return programs[static_cast<size_t>(side)]; }
};

// 1, 2, and as many as the machine has.
std::vector<int> DefaultProcs();

// Runs, prints the table to standard output, writes the files. The exit status: 1 when a run failed
// or a file could not be written, 2 when nothing matches the filter, it is none, or a program is
// not what it should be.
int Compare(const CompareOptions& options);

}  // namespace leash::bench

#endif  // LEASH_TESTS_BENCH_COMPARE_H_
