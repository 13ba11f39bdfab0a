// The commands of tools/dev.sh, as far as they can be asked without a build, and its list of
// packages.

#include <gtest/gtest.h>

#include <regex>
#include <set>
#include <sstream>
#include <string>

#include "support/golden.h"
#include "support/run_program.h"
#include "tidy/tree.h"

namespace leash::tidy {
namespace {

using testing::LeashSource;
using testing::ProgramOptions;
using testing::ProgramResult;
using testing::RunProgram;

ProgramResult Dev(std::vector<std::string> args) {
  args.insert(args.begin(), LeashSource("tools/dev.sh"));
  ProgramOptions options;
  options.directory = "/";
  return RunProgram(std::move(args), options);
}

TEST(DevShTest, HelpNamesEveryCommandFromAnyFolder) {
  const ProgramResult r = Dev({"help"});
  EXPECT_EQ(r.status, 0) << r.err;
  for (const char* command : {"demo", "test", "soak", "bench", "lint", "format", "packages"}) {
    EXPECT_NE(r.out.find(std::string("tools/dev.sh ") + command), std::string::npos) << command;
  }
}

TEST(DevShTest, BadUseIsStatus2AndSaysWhy) {
  const ProgramResult command = Dev({"tset"});
  EXPECT_EQ(command.status, 2);
  EXPECT_NE(command.err.find("tools/dev.sh: unknown command 'tset'\n"), std::string::npos);
  const ProgramResult option = Dev({"test", "--fast"});
  EXPECT_EQ(option.status, 2);
  EXPECT_EQ(option.err, "tools/dev.sh: unknown option --fast; see tools/dev.sh help\n");
  const ProgramResult two = Dev({"test", "--race", "--asan"});
  EXPECT_EQ(two.status, 2);
  EXPECT_EQ(two.err, "tools/dev.sh: --race and --asan: one at a time\n");
  const ProgramResult filters = Dev({"test", "chan", "sync"});
  EXPECT_EQ(filters.status, 2);
  EXPECT_EQ(filters.err,
            "tools/dev.sh: one FILTER only, have 'chan' and 'sync'; join them: 'chan|sync'\n");
}

// The packages of tools/dev/packages.txt; each has a reason behind it.
std::set<std::string> Packages() {
  std::set<std::string> packages;
  const std::string text = testing::ReadTestFile("tools/dev/packages.txt");
  for (std::string_view line : Lines(text)) {
    if (line.empty() || line.front() == '#') continue;
    packages.insert(std::string(line.substr(0, line.find(' '))));
    EXPECT_NE(line.find("# "), line.npos) << "no reason: " << line;
  }
  return packages;
}

TEST(DevShTest, GuideInstallsWhatIsInTheListOnly) {
  const std::set<std::string> packages = Packages();
  EXPECT_GT(packages.size(), 10u);
  const std::string guide = testing::ReadTestFile("docs/guide/install.md");
  const std::regex command("apt-get install ((?:[^\\n]*\\\\\\n)*[^\\n]*)\\n");
  std::smatch match;
  ASSERT_TRUE(std::regex_search(guide, match, command));
  std::istringstream words(testing::Scrub(match.str(1), "\\\\\\n", " "));
  for (std::string word; words >> word;) {
    EXPECT_EQ(packages.count(word), 1u) << word << " is not in tools/dev/packages.txt";
  }
}

}  // namespace
}  // namespace leash::tidy
