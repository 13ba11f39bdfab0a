// leash check over small projects of its own.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "support/run_program.h"

namespace leash::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr char kNames[] = R"(#pragma once
namespace leash {
template <class F> void go(F) {}
template <class F> void GoBackground(const char*, F) {}
struct WaitGroup { void Add(int); void Done(); void Wait(); };
}
)";
constexpr char kGood[] = R"(#include "names.h"
void Good() { leash::GoBackground("no end", [] {}); }
)";
constexpr char kBadHeader[] = R"(#pragma once
#include "names.h"
inline void InHeader() { leash::go([] {}); }
)";
constexpr char kBad[] = R"(#include "bad.h"
void Bad(leash::WaitGroup& wg) {
  leash::go([&wg] {
    wg.Add(1);
    wg.Done();
  });
}
)";
constexpr char kFound[] =
    "src/bad.cc:4:8: warning: 'Add' runs inside the goroutine that it counts, so 'Wait' may return "
    "before it; call it before 'go' [leash-add-inside-goroutine]\n"
    "src/bad.cc:3:3: note: the goroutine starts here\n"
    "src/bad.h:3:26: warning: nothing can wait for this goroutine, cancel it or hear from it; give "
    "it a WaitGroup, Context or channel, or say why it may outlive its spawner with 'GoBackground' "
    "[leash-fire-and-forget-spawn]\n"
    "see: leash explain leash-add-inside-goroutine\n"
    "see: leash explain leash-fire-and-forget-spawn\n";

class CheckCommandTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "leash-check-test-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    root_ = fs::canonical(pattern).string();
    fs::create_directories(root_ + "/build");
    fs::create_directories(root_ + "/src");
    Write("build/CMakeCache.txt", "CMAKE_HOME_DIRECTORY:INTERNAL=" + root_ + "\n");
    Write("src/names.h", kNames);
  }
  void TearDown() override { fs::remove_all(root_); }

  void Write(const std::string& file, const std::string& text) {
    std::ofstream(root_ + "/" + file) << text;
  }
  // Files of the project, with their texts, and the database of them.
  void Project(const std::vector<std::pair<std::string, std::string>>& sources) {
    nlohmann::json commands = nlohmann::json::array();
    for (const auto& [file, text] : sources) {
      Write(file, text);
      commands.push_back({{"directory", root_ + "/build"},
                          {"file", "../" + file},
                          {"command", "g++ -std=c++20 -c ../" + file}});
    }
    Write("build/compile_commands.json", commands.dump());
  }
  ProgramResult Check(std::vector<std::string> more, const std::string& module = LEASH_MODULE) {
    std::vector<std::string> argv = {LEASH_PROGRAM, "check", "--module=" + module};
    argv.insert(argv.end(), more.begin(), more.end());
    ProgramOptions options;
    options.directory = root_;
    return RunProgram(argv, options);
  }

  std::string root_;
};

TEST_F(CheckCommandTest, ACleanProgramIsStatusZero) {
  Project({{"src/good.cc", kGood}});
  const ProgramResult result = Check({"-p", "build"});
  EXPECT_EQ(result.out, "");
  EXPECT_EQ(result.err, "leash check: 0 findings in 1 file\n");
  EXPECT_EQ(result.status, 0);
}

TEST_F(CheckCommandTest, FindingsAreStatusOneAndAHeaderCountsOnce) {
  Write("src/bad.h", kBadHeader);
  Project({{"src/good.cc", kGood}, {"src/bad.cc", kBad}, {"src/more.cc", "#include \"bad.h\"\n"}});
  // The database is found in build, too.
  const ProgramResult result = Check({"--jobs=2"});
  EXPECT_EQ(result.out, kFound);
  EXPECT_EQ(result.err, "leash check: 2 findings in 3 files\n");
  EXPECT_EQ(result.status, 1);
}

TEST_F(CheckCommandTest, AHeaderThroughALinkIsTheSameHeader) {
  Write("src/bad.h", kBadHeader);
  fs::create_directory_symlink(root_ + "/src", root_ + "/link");
  Project({{"src/a.cc", "#include \"bad.h\"\n"}, {"src/b.cc", "#include \"../link/bad.h\"\n"}});
  EXPECT_EQ(Check({}).err, "leash check: 1 finding in 2 files\n");
}

TEST_F(CheckCommandTest, AHeaderOutsideOfTheProjectIsNotItsOwn) {
  Write("src/bad.h", kBadHeader);
  Project({{"src/a.cc", "#include \"bad.h\"\n"}});
  Write("build/CMakeCache.txt", "CMAKE_HOME_DIRECTORY:INTERNAL=" + root_ + "/elsewhere\n");
  EXPECT_EQ(Check({}).status, 0);
  EXPECT_EQ(Check({"--header-filter=bad"}).status, 1);
}

TEST_F(CheckCommandTest, AFileThatDoesNotParseIsStatusTwoWithItsName) {
  Project({{"src/good.cc", kGood}, {"src/broken.cc", "int f( {\n"}});
  const ProgramResult result = Check({});
  EXPECT_EQ(result.status, 2);
  EXPECT_EQ(result.err,
            "leash check: src/broken.cc: does not parse: src/broken.cc:1:9: expected ';' after top "
            "level declarator\n"
            "leash check: 0 findings in 2 files, 1 not checked\n");
}

TEST_F(CheckCommandTest, AFileThatIsNotInTheDatabaseIsStatusTwoWithItsName) {
  Project({{"src/good.cc", kGood}});
  Write("src/other.cc", kGood);
  const ProgramResult result = Check({"src/good.cc", "src/other.cc", "src/none.cc"});
  EXPECT_EQ(result.status, 2);
  EXPECT_EQ(result.err,
            "leash check: src/other.cc: not in build/compile_commands.json\n"
            "leash check: src/none.cc: no such file\n"
            "leash check: 0 findings in 1 file, 2 not checked\n");
}

TEST_F(CheckCommandTest, WithoutADatabaseItSaysWhereItLooked) {
  const ProgramResult result = Check({"-p", "build"});
  EXPECT_EQ(result.status, 2);
  EXPECT_EQ(result.err, "leash check: read build/compile_commands.json: no such file\n");
}

TEST_F(CheckCommandTest, AModuleThatDoesNotLoadFailsBeforeAnythingIsCalledClean) {
  Project({{"src/good.cc", kGood}});
  ProgramResult result = Check({}, "none.so");
  EXPECT_EQ(result.status, 2);
  EXPECT_EQ(result.err, "leash check: self-test: " + root_ + "/none.so: no such module\n");

  Write("broken.so", "this is no module\n");
  result = Check({}, "broken.so");
  EXPECT_EQ(result.status, 2);
  EXPECT_THAT(result.err, StartsWith("leash check: self-test: " + root_ +
                                     "/broken.so did not load into clang-tidy-19: no "
                                     "leash-add-inside-goroutine in its list: "));

  result = Check({}, LEASH_MODULE_OF_18);
  EXPECT_EQ(result.status, 2);
  EXPECT_THAT(result.err, HasSubstr("leash-tidy: built for clang-tidy 18, loaded into "));

  result = Check({"--clang-tidy=clang-tidy-none"});
  EXPECT_EQ(result.status, 2);
  EXPECT_EQ(result.err, "leash check: run clang-tidy-none: No such file or directory\n");
}

TEST_F(CheckCommandTest, OptionsReachOneCheckOrAll) {
  Project({{"src/a.cc", R"(
namespace pool { template <class F> void Run(F) {} }
void f() { pool::Run([] {}); }
)"}});
  EXPECT_EQ(Check({}).status, 0);
  EXPECT_EQ(Check({"--option", "SpawnFunctions=pool::Run"}).status, 1);
  EXPECT_EQ(Check({"--option", "leash-fire-and-forget-spawn.SpawnFunctions=pool::Run"}).status, 1);
  EXPECT_EQ(Check({"--option", "SpawnFunctions=pool::Run", "--checks=leash-add*"}).status, 0);
  EXPECT_EQ(Check({"--option", "SpawnFunctions"}).err,
            "leash check: --option 'SpawnFunctions': want NAME=VALUE\n");
  Write(".clang-tidy",
        "Checks: 'bugprone-*'\nCheckOptions:\n"
        "  - key: leash-fire-and-forget-spawn.SpawnFunctions\n"
        "    value: pool::Run\n");
  EXPECT_EQ(Check({}).status, 1);
  const ProgramResult unknown = Check({"--option", "Presets=qt"});
  EXPECT_EQ(unknown.status, 2);
  EXPECT_THAT(unknown.err, HasSubstr("there is no preset 'qt'"));
}

TEST_F(CheckCommandTest, GitHubAnnotationsAndSarif) {
  Write("src/bad.h", kBadHeader);
  Project({{"src/bad.cc", kBad}});
  const ProgramResult github = Check({"--format=github"});
  EXPECT_EQ(github.status, 1);
  EXPECT_THAT(github.out,
              StartsWith("::warning file=src/bad.cc,line=4,col=8,title=leash-add-inside-goroutine::"
                         "'Add' runs inside the goroutine"));
  const ProgramResult sarif = Check({"--format=sarif"});
  EXPECT_EQ(sarif.status, 1);
  const nlohmann::json log = nlohmann::json::parse(sarif.out);
  const auto& results = log["runs"][0]["results"];
  ASSERT_EQ(results.size(), 2u);
  EXPECT_EQ(results[0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
            "src/bad.cc");
  // The fix, applied by hand, is what --fix would make of the file.
  std::string text = kBad;
  const auto& replacements = results[0]["fixes"][0]["artifactChanges"][0]["replacements"];
  for (auto r = replacements.rbegin(); r != replacements.rend(); ++r) {
    const std::string inserted =
        r->contains("insertedContent") ? (*r)["insertedContent"]["text"].get<std::string>() : "";
    text.replace((*r)["deletedRegion"]["byteOffset"].get<size_t>(),
                 (*r)["deletedRegion"]["byteLength"].get<size_t>(), inserted);
  }
  EXPECT_EQ(text,
            "#include \"bad.h\"\n"
            "void Bad(leash::WaitGroup& wg) {\n"
            "  wg.Add(1);\n"
            "  leash::go([&wg] {\n"
            "    wg.Done();\n"
            "  });\n"
            "}\n");
}

}  // namespace
}  // namespace leash::testing
