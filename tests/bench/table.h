// How the figures are shown: text for a terminal, Markdown for docs/performance.md, JSON for
// programs.

#ifndef LEASH_TESTS_BENCH_TABLE_H_
#define LEASH_TESTS_BENCH_TABLE_H_

#include <array>
#include <ostream>
#include <string>
#include <vector>

#include "bench/samples.h"

namespace leash::bench {

// Where and how the figures were had: what a reader must know to judge them.
struct Circumstances {
  std::string machine;  // "Xeon, 2 processors, Linux 6.1.0"
  // "leash 0.1.0, gcc 12.2.0, recording on", "go1.19.8"; empty: that side was not measured
  std::array<std::string, kSides> versions;
  std::string when;        // "2026-11-21 10:59 UTC"
  double load_before = 0;  // the load average of one minute
  double load_after = 0;
  int pairs = 0;
  double scale = 1;

  const std::string& version(Side side) const { return versions[static_cast<size_t>(side)]; }
  std::string& version(Side side) { return versions[static_cast<size_t>(side)]; }
};

// What is to be said with the figures, a line each.
std::vector<std::string> Notes(const Circumstances& circumstances);

// A list under the table, with its heading.
struct Findings {
  std::string heading;
  std::vector<std::string> lines;
};
// Which targets are not reached or not decided, where leash is behind another ("mutex, procs
// 2: 1.31 of Go's processor time"), and where recording costs too much. Those that were not
// measured are absent.
std::vector<Findings> Conclusions(const std::vector<Row>& rows, const Circumstances& circumstances);

void WriteText(std::ostream& out, const std::vector<Row>& rows, const Circumstances& circumstances);
void WriteMarkdown(std::ostream& out, const std::vector<Row>& rows,
                   const Circumstances& circumstances);
void WriteJson(std::ostream& out, const std::vector<Row>& rows, const Circumstances& circumstances);

}  // namespace leash::bench

#endif  // LEASH_TESTS_BENCH_TABLE_H_
