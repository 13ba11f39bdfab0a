// leash_bench: what leash costs, beside Go, Boost.Fiber, std::thread and itself without recording.
//
//   leash_bench compare --against-go=build/gobench    the table: both sides, in turn
//   leash_bench compare                               the table: leash alone
//   leash_bench run pingpong --procs 2                one workload, once, as gobench prints it
//   leash_bench list                                  the workloads
//   leash_bench version                               what was built
//   leash_bench [--benchmark_filter=pingpong ...]     Google Benchmark, all in this process

#include <benchmark/benchmark.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <string>
#include <string_view>

#include "bench/compare.h"
#include "bench/programs.h"
#include "bench/workload.h"

namespace leash::bench {
namespace {

// The path of this program, for the processes that it starts.
std::string Self() {
  char path[4096];
  const ssize_t n = readlink("/proc/self/exe", path, sizeof path);
  return n > 0 ? std::string(path, static_cast<size_t>(n)) : "leash_bench";
}

int RunOne(const std::string& name, int procs, double scale) {
  const Workload* workload = FindWorkload(name);
  if (workload == nullptr) {
    std::cerr << "leash_bench: no workload named " << name << "; see leash_bench list\n";
    return 2;
  }
  Print(RunWorkload(*workload, procs, scale));
  return 0;
}

int RunGoogleBenchmark(int argc, char** argv) {
  for (const Workload& workload : Workloads()) {
    for (int procs : DefaultProcs()) {
      if (workload.large || (procs > 1 && workload.one_proc_only)) continue;
      const std::string name = std::string(workload.name) + "/procs:" + std::to_string(procs);
      benchmark::RegisterBenchmark(
          name.c_str(),
          [&workload, procs](benchmark::State& state) {
            for ([[maybe_unused]] auto _ : state) {
              Times took;
              const std::vector<Figure> figures = RunWorkload(workload, procs, 1, &took);
              state.SetIterationTime(took.wall_ns / 1e9);
              for (const Figure& figure : figures) {
                state.counters[figure.name + " " + figure.unit] = figure.value;
              }
            }
          })
          ->UseManualTime()
          ->MeasureProcessCPUTime()
          ->Iterations(1)
          ->Unit(benchmark::kMillisecond);
    }
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}

int Main(int argc, char** argv) {
  if (argc < 2 || std::string_view(argv[1]).starts_with("--benchmark")) {
    return RunGoogleBenchmark(argc, argv);
  }
  CLI::App app("leash_bench: what leash costs, beside Go and others");
  app.require_subcommand(1);

  CompareOptions compare;
  compare.program(Side::kLeash) = Self();
  CLI::App* compare_command =
      app.add_subcommand("compare", "every workload, beside the others' if there are, in turn");
  const auto against = [&](const char* option, Side side, const char* what) {
    compare_command->add_option(option, compare.program(side), what)->check(CLI::ExistingFile);
  };
  against("--against-go", Side::kGo, "gobench, built by go/run.sh");
  against("--against-boost", Side::kBoost, "boost_bench");
  against("--against-threads", Side::kThreads, "thread_bench");
  against("--against-record-off", Side::kRecordOff, "leash_bench, built with LEASH_RECORD=OFF");
  compare_command->add_option("--pairs", compare.pairs, "runs of each side (5)")
      ->check(CLI::PositiveNumber);
  compare_command->add_option("--procs", compare.procs, "GOMAXPROCS (1,2, and the machine's)")
      ->delimiter(',')
      ->check(CLI::PositiveNumber);
  compare_command->add_option("--filter", compare.filter, "a regular expression over their names");
  compare_command->add_option("--scale", compare.scale, "multiplies the operations, for a try")
      ->check(CLI::PositiveNumber);
  compare_command->add_flag("--large", compare.large, "those of a million goroutines, too");
  compare_command->add_option("--json", compare.json, "a file to write");
  compare_command->add_option("--markdown", compare.markdown, "a file to write");

  std::string name;
  int procs = 2;
  double scale = 1;
  CLI::App* run_command = app.add_subcommand("run", "one workload, once, in this process");
  run_command->add_option("workload", name, "its name")->required();
  run_command->add_option("--procs", procs, "GOMAXPROCS (2)")->check(CLI::PositiveNumber);
  run_command->add_option("--scale", scale, "multiplies the operations (1)")
      ->check(CLI::PositiveNumber);
  CLI::App* list_command = app.add_subcommand("list", "the workloads");
  CLI::App* version_command = app.add_subcommand("version", "what was built");

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  if (list_command->parsed()) {
    for (const Workload& workload : Workloads()) std::cout << workload.name << '\n';
    return 0;
  }
  if (version_command->parsed()) {
    std::cout << ThisBuild() << '\n';
    return 0;
  }
  return compare_command->parsed() ? Compare(compare) : RunOne(name, procs, scale);
}

}  // namespace
}  // namespace leash::bench

int main(int argc, char** argv) { return leash::bench::Main(argc, argv); }
