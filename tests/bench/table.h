// How the figures are shown: text for a terminal, Markdown for docs/performance.md, JSON for
// programs.

#ifndef LEASH_TESTS_BENCH_TABLE_H_
#define LEASH_TESTS_BENCH_TABLE_H_

#include <ostream>
#include <string>
#include <vector>

#include "bench/samples.h"

namespace leash::bench {

// Where and how the figures were had: what a reader must know to judge them.
struct Circumstances {
  std::string machine;     // "Xeon, 2 processors, Linux 6.1.0"
  std::string leash;       // "leash 0.1.0, gcc 12.2.0, recording on"
  std::string go_version;  // "go1.19.8"; empty: Go was not measured
  std::string when;        // "2026-11-21 10:59 UTC"
  double load_before = 0;  // the load average of one minute
  double load_after = 0;
  int pairs = 0;
  double scale = 1;
};

// What is to be said with the figures, a line each.
std::vector<std::string> Notes(const Circumstances& circumstances);

// Where leash is behind, by processor time where there is one: "mutex, 2 procs: 1.31 of Go's".
std::vector<std::string> Losses(const std::vector<Row>& rows);

void WriteText(std::ostream& out, const std::vector<Row>& rows, const Circumstances& circumstances);
void WriteMarkdown(std::ostream& out, const std::vector<Row>& rows,
                   const Circumstances& circumstances);
void WriteJson(std::ostream& out, const std::vector<Row>& rows, const Circumstances& circumstances);

}  // namespace leash::bench

#endif  // LEASH_TESTS_BENCH_TABLE_H_
