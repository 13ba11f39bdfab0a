// The programs that take part in a comparison: how each is asked what it has, and told to run it.

#ifndef LEASH_TESTS_BENCH_PROGRAMS_H_
#define LEASH_TESTS_BENCH_PROGRAMS_H_

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/samples.h"

namespace leash::bench {

// What stands before this build's figures: "leash 0.1.0, gcc 12.2.0, recording on".
std::string ThisBuild();

class Program {
 public:
  // Asks the program at `path` for its version and its workloads. On standard error, and nullopt:
  // that it does not answer, or that one for Side::kRecordOff records.
  static std::optional<Program> Ask(Side side, const std::string& path);

  Side side() const { return side_; }
  const std::string& path() const { return path_; }
  const std::string& version() const { return version_; }
  bool Has(std::string_view workload, int procs, bool large) const;
  // The command line of one run.
  std::vector<std::string> Argv(std::string_view workload, int procs, double scale) const;

 private:
  struct Bounds {
    int procs_max = 0;  // 0: none
    bool large = false;
  };

  // leash_bench itself; the others have gobench's command line.
  bool IsLeash() const { return side_ == Side::kLeash || side_ == Side::kRecordOff; }

  Side side_ = Side::kLeash;
  std::string path_;
  std::string version_;
  std::map<std::string, Bounds, std::less<>> workloads_;
};

}  // namespace leash::bench

#endif  // LEASH_TESTS_BENCH_PROGRAMS_H_
