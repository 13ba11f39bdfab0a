// leash beside Go: every workload in a process of its own, the two sides in turn.

#ifndef LEASH_TESTS_BENCH_COMPARE_H_
#define LEASH_TESTS_BENCH_COMPARE_H_

#include <string>
#include <vector>

namespace leash::bench {

struct CompareOptions {
  std::string self;        // this program
  std::string against_go;  // gobench, built; empty: leash alone
  int pairs = 5;
  double scale = 1;
  std::vector<int> procs;  // empty: 1, 2, and as many as the machine has
  std::string filter;      // a regular expression over workloads' names
  bool large = false;      // those of a million goroutines, too
  std::string json;        // files to write
  std::string markdown;
};

// Runs, prints the table to standard output, writes the files. The exit status: 1 when a run failed
// or a file could not be written, 2 when nothing matches the filter or it is none.
int Compare(const CompareOptions& options);

}  // namespace leash::bench

#endif  // LEASH_TESTS_BENCH_COMPARE_H_
