// This side's runs are processes as the others' are: none has another's leftovers or its warm
// memory. The driver itself never uses leash, so it takes no processor while it waits.

#include "bench/compare.h"

#include <sys/utsname.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <regex>
#include <set>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "bench/programs.h"
#include "bench/table.h"
#include "bench/workload.h"
#include "support/run_program.h"

namespace leash::bench {
namespace {

// A run that hangs is killed then, with every goroutine's stack in its error output.
constexpr absl::Duration kRunAtMost = absl::Minutes(10);

// Control-C once: the run that goes on is the last one, and the table is made of what there is.
// Twice: the end.
std::atomic<bool> interrupted = false;
void Interrupt(int signal) {
  interrupted = true;
  std::signal(signal, SIG_DFL);
}

double Load() {
  double load = 0;
  return getloadavg(&load, 1) == 1 ? load : 0;
}

std::string Machine() {
  std::string model = "unknown processor";
  std::ifstream cpuinfo("/proc/cpuinfo");
  for (std::string line; std::getline(cpuinfo, line);) {
    if (line.rfind("model name", 0) != 0) continue;
    model = line.substr(line.find(':') + 2);
    break;
  }
  utsname names = {};
  uname(&names);
  return absl::StrCat(model, ", ", std::thread::hardware_concurrency(), " processors, ",
                      names.sysname, " ", names.release);
}

// A workload at a number of procs: a cell of the plan.
struct Item {
  const Workload* workload;
  int procs;
};

std::vector<Item> Plan(const CompareOptions& options, const std::regex& filter) {
  std::vector<Item> plan;
  const std::vector<int> procs = options.procs.empty() ? DefaultProcs() : options.procs;
  for (const Workload& workload : Workloads()) {
    if (workload.large && !options.large) continue;
    if (!std::regex_search(workload.name.begin(), workload.name.end(), filter)) continue;
    for (int n : procs) {
      if (n == 1 || !workload.one_proc_only) plan.push_back({&workload, n});
    }
  }
  return plan;
}

// In the order in which they run: leash between the two that matter most. nullopt: one is not what
// it should be, and that has been said.
std::optional<std::vector<Program>> Ask(const CompareOptions& options) {
  std::vector<Program> programs;
  for (const Side side :
       {Side::kGo, Side::kLeash, Side::kRecordOff, Side::kBoost, Side::kThreads}) {
    if (options.program(side).empty()) continue;
    std::optional<Program> program = Program::Ask(side, options.program(side));
    if (!program) return std::nullopt;
    programs.push_back(*std::move(program));
  }
  return programs;
}

class Comparison {
 public:
  explicit Comparison(const CompareOptions& options) : options_(options) {}

  // One run of one side; a failure is said at once and counted.
  void RunOnce(const Program& program, const Item& item, int pass) {
    testing::ProgramOptions how;
    how.timeout = kRunAtMost;
    const testing::ProgramResult result =
        testing::RunProgram(program.Argv(item.workload->name, item.procs, options_.scale), how);
    // A terminal's Control-C reaches the run as well.
    if (interrupted && result.signal == SIGINT) return;
    if (result.status == 0 && samples_.Add(program.side(), item.procs, pass, result.out) > 0) {
      return;
    }
    ++failures_;
    std::cerr << "leash_bench: " << program.path() << ' ' << item.workload->name << ", procs "
              << item.procs << ": "
              << (result.timed_out ? "out of time"
                                   : absl::StrCat("exit status ", result.status, ", no figures"))
              << '\n'
              << result.err;
  }

  const std::vector<Row>& rows() const { return samples_.rows(); }
  int failures() const { return failures_; }

 private:
  const CompareOptions& options_;
  Samples samples_;
  int failures_ = 0;
};

// "[37 of 215; about 12m left] pass 1 of 5: pingpong, procs 2".
class Progress {
 public:
  Progress(size_t items, int passes) : all_(items * static_cast<size_t>(passes)), passes_(passes) {}

  void Begin(int pass, const Item& item) {
    std::string left;
    if (done_ > 0) {
      const absl::Duration each = (absl::Now() - begin_) / static_cast<double>(done_);
      const absl::Duration all = each * static_cast<double>(all_ - done_);
      left = absl::StrCat("; about ", absl::FormatDuration(absl::Trunc(all, absl::Seconds(1))),
                          " left");
    }
    ++done_;
    std::cerr << '[' << done_ << " of " << all_ << left << "] pass " << pass << " of " << passes_
              << ": " << item.workload->name << ", procs " << item.procs << '\n';
  }

 private:
  const absl::Time begin_ = absl::Now();
  const size_t all_;
  const int passes_;
  size_t done_ = 0;
};

bool WriteFile(const std::string& path, const std::vector<Row>& rows, const Circumstances& c,
               void (*write)(std::ostream&, const std::vector<Row>&, const Circumstances&)) {
  if (path.empty()) return true;
  std::ofstream out(path);
  write(out, rows, c);
  out.close();
  if (!out) std::cerr << "leash_bench: write " << path << ": want a file that can be written\n";
  return static_cast<bool>(out);
}

}  // namespace

std::vector<int> DefaultProcs() {
  std::set<int> procs = {1, 2};
  procs.insert(static_cast<int>(std::max(1u, std::thread::hardware_concurrency())));
  return {procs.begin(), procs.end()};
}

int Compare(const CompareOptions& options) {
  std::regex filter;
  try {
    filter = std::regex(options.filter);
  } catch (const std::regex_error& e) {
    std::cerr << "leash_bench: --filter=" << options.filter << ": " << e.what() << '\n';
    return 2;
  }
  const std::vector<Item> plan = Plan(options, filter);
  if (plan.empty()) {
    std::cerr << "leash_bench: no workload matches " << options.filter
              << "; see leash_bench list\n";
    return 2;
  }
  std::optional<std::vector<Program>> programs = Ask(options);
  if (!programs) return 2;

  Circumstances circumstances;
  circumstances.machine = Machine();
  for (const Program& program : *programs) {
    circumstances.version(program.side()) = program.version();
  }
  circumstances.when = absl::FormatTime("%Y-%m-%d %H:%M UTC", absl::Now(), absl::UTCTimeZone());
  circumstances.pairs = options.pairs;
  circumstances.scale = options.scale;
  circumstances.load_before = Load();

  Comparison comparison(options);
  Progress progress(plan.size(), options.pairs);
  int complete = 0;  // passes
  std::signal(SIGINT, Interrupt);
  for (int pass = 1; pass <= options.pairs && !interrupted; ++pass) {
    for (const Item& item : plan) {
      if (interrupted) break;
      progress.Begin(pass, item);
      for (const Program& program : *programs) {
        if (!interrupted && program.Has(item.workload->name, item.procs, options.large)) {
          comparison.RunOnce(program, item, pass);
        }
      }
    }
    if (!interrupted) complete = pass;
    // Who goes first has no lasting advantage: the next pass goes the other way about.
    std::reverse(programs->begin(), programs->end());
  }
  circumstances.load_after = Load();
  if (interrupted) {
    std::cerr << "leash_bench: interrupted after " << complete << " passes; what there is:\n";
    circumstances.pairs = std::max(1, complete);
  }

  WriteText(std::cout, comparison.rows(), circumstances);
  const bool written = WriteFile(options.json, comparison.rows(), circumstances, WriteJson) &&
                       WriteFile(options.markdown, comparison.rows(), circumstances, WriteMarkdown);
  if (comparison.failures() > 0) {
    std::cerr << "leash_bench: " << comparison.failures() << " runs failed\n";
  }
  return comparison.failures() == 0 && written ? 0 : 1;
}

}  // namespace leash::bench
