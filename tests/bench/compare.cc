// This side's runs are processes as Go's are: neither has the other's leftovers or its warm memory.
// The driver itself never uses leash, so it takes no processor while it waits.

#include "bench/compare.h"

#include <sys/utsname.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <regex>
#include <set>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "bench/samples.h"
#include "bench/table.h"
#include "bench/workload.h"
#include "support/run_program.h"

namespace leash::bench {
namespace {

// A run that hangs is killed then, with every goroutine's stack in its error output.
constexpr absl::Duration kRunAtMost = absl::Minutes(10);

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

std::string ThisBuild() {
#if defined(__clang__)
  constexpr const char* kCompiler = "clang " __clang_version__;
#else
  constexpr const char* kCompiler = "gcc " __VERSION__;
#endif
  std::string_view compiler = kCompiler;
  while (!compiler.empty() && compiler.back() == ' ') compiler.remove_suffix(1);
  return absl::StrCat("leash " LEASH_VERSION ", ",
                      absl::string_view(compiler.data(), compiler.size()),
                      LEASH_RECORD ? ", recording on" : ", recording off");
}

std::vector<int> DefaultProcs() {
  std::set<int> procs = {1, 2};
  procs.insert(static_cast<int>(std::max(1u, std::thread::hardware_concurrency())));
  return {procs.begin(), procs.end()};
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

class Comparison {
 public:
  explicit Comparison(const CompareOptions& options) : options_(options) {}

  // One run of one side; a failure is said at once and counted.
  void RunOnce(Samples::Side side, const Item& item) {
    const std::string name(item.workload->name);
    const std::string scale = absl::StrCat(options_.scale);
    const std::string procs = absl::StrCat(item.procs);
    std::vector<std::string> argv;
    if (side == Samples::Side::kLeash) {
      argv = {options_.self, "run", name, "--procs", procs, "--scale", scale};
    } else {
      argv = {options_.against_go, "-procs", procs, "-scale", scale, name};
    }
    testing::ProgramOptions how;
    how.timeout = kRunAtMost;
    const testing::ProgramResult result = testing::RunProgram(argv, how);
    if (result.status == 0 && samples_.Add(side, item.procs, result.out) > 0) return;
    ++failures_;
    std::cerr << "leash_bench: " << argv[0] << ' ' << name << ", procs " << procs << ": "
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

  Circumstances circumstances;
  circumstances.machine = Machine();
  circumstances.leash = ThisBuild();
  circumstances.when = absl::FormatTime("%Y-%m-%d %H:%M UTC", absl::Now(), absl::UTCTimeZone());
  circumstances.pairs = options.pairs;
  circumstances.scale = options.scale;
  circumstances.load_before = Load();
  if (!options.against_go.empty()) {
    const std::string out = testing::RunProgram({options.against_go, "-version"}).out;
    circumstances.go_version = std::string(absl::StripTrailingAsciiWhitespace(out));
  }

  Comparison comparison(options);
  for (int pair = 1; pair <= options.pairs; ++pair) {
    for (const Item& item : plan) {
      std::cerr << "pass " << pair << " of " << options.pairs << ": " << item.workload->name
                << ", procs " << item.procs << '\n';
      comparison.RunOnce(Samples::Side::kLeash, item);
      if (!options.against_go.empty()) comparison.RunOnce(Samples::Side::kGo, item);
    }
  }
  circumstances.load_after = Load();

  WriteText(std::cout, comparison.rows(), circumstances);
  const bool written = WriteFile(options.json, comparison.rows(), circumstances, WriteJson) &&
                       WriteFile(options.markdown, comparison.rows(), circumstances, WriteMarkdown);
  if (comparison.failures() > 0) {
    std::cerr << "leash_bench: " << comparison.failures() << " runs failed\n";
  }
  return comparison.failures() == 0 && written ? 0 : 1;
}

}  // namespace leash::bench
