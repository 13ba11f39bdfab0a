#include "bench/programs.h"

#include <iostream>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "support/run_program.h"

namespace leash::bench {

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

std::optional<Program> Program::Ask(Side side, const std::string& path) {
  Program program;
  program.side_ = side;
  program.path_ = path;
  const bool leash = program.IsLeash();
  const testing::ProgramResult version =
      testing::RunProgram({path, leash ? "version" : "-version"});
  const testing::ProgramResult list =
      testing::RunProgram(leash ? std::vector<std::string>{path, "list"} : std::vector{path});
  program.version_ = std::string(absl::StripAsciiWhitespace(version.out));
  std::istringstream lines(list.out);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string name;
    std::string large;
    Bounds bounds;
    words >> name >> bounds.procs_max >> large;
    bounds.large = large == "large";
    if (!name.empty()) program.workloads_[name] = bounds;
  }
  if (version.status != 0 || list.status != 0 || program.version_.empty()) {
    std::cerr << "leash_bench: " << path << ": want a program with "
              << (leash ? "leash_bench's" : "gobench's") << " command line\n";
    return std::nullopt;
  }
  const std::string want = side == Side::kRecordOff ? "recording off" : "recording on";
  if (leash && !program.version_.ends_with(want)) {
    std::cerr << "leash_bench: " << path << ": want a build with " << want << ", have "
              << program.version_ << '\n';
    return std::nullopt;
  }
  return program;
}

bool Program::Has(std::string_view workload, int procs, bool large) const {
  const auto found = workloads_.find(workload);
  if (found == workloads_.end()) return false;
  const Bounds& bounds = found->second;
  return (bounds.procs_max == 0 || procs <= bounds.procs_max) && (large || !bounds.large);
}

std::vector<std::string> Program::Argv(std::string_view workload, int procs, double scale) const {
  const std::string name(workload);
  const std::string times = absl::StrCat(scale);
  if (IsLeash()) {
    return {path_, "run", name, "--procs", absl::StrCat(procs), "--scale", times};
  }
  return {path_, "-procs", absl::StrCat(procs), "-scale", times, name};
}

}  // namespace leash::bench
