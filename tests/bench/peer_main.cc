#include "bench/peer_main.h"

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <string>

namespace leash::bench {
namespace {

// All of `text`, as a number above 0; 0 if it is none.
double PositiveNumber(const char* text) {
  char* end = nullptr;
  const double value = text == nullptr ? 0 : std::strtod(text, &end);
  return text != nullptr && *text != '\0' && *end == '\0' && value > 0 ? value : 0;
}

}  // namespace

int PeerMain(int argc, char** argv, std::string_view version,
             std::span<const PeerWorkload> workloads, void (*prepare)(int procs)) {
  double procs = 1;
  double scale = 1;
  std::string_view name;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "-version") {
      std::cout << version << '\n';
      return 0;
    }
    if (argument == "-procs") {
      procs = PositiveNumber(argv[++i]);
    } else if (argument == "-scale") {
      scale = PositiveNumber(argv[++i]);
    } else if (name.empty() && !argument.starts_with('-')) {
      name = argument;
    } else {
      procs = 0;
    }
    if (procs < 1 || scale == 0) {
      std::cerr << "usage: " << argv[0] << " [-procs N] [-scale F] [WORKLOAD] | -version\n";
      return 2;
    }
  }
  if (name.empty()) {
    for (const PeerWorkload& workload : workloads) {
      std::cout << workload.name << ' ' << workload.procs_max << (workload.large ? " large" : "")
                << '\n';
    }
    return 0;
  }
  const auto named = [name](const PeerWorkload& workload) { return workload.name == name; };
  const auto workload = std::find_if(workloads.begin(), workloads.end(), named);
  const int n = static_cast<int>(procs);
  if (workload == workloads.end() || (workload->procs_max > 0 && n > workload->procs_max)) {
    std::cerr << argv[0] << ": no workload named " << name << " at " << n << " procs\n";
    return 2;
  }
  prepare(n);
  Run run(scale);
  workload->run(run);
  Print(run.figures());
  return 0;
}

}  // namespace leash::bench
