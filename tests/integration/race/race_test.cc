// Programs that race, and their whole reports.

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "support/golden.h"
#include "support/run_program.h"

namespace leash::testing {
namespace {

// What differs from run to run, and between compilers.
std::string Scrubbed(std::string text) {
  text = Scrub(std::move(text), "0x[0-9a-f]{12}", "0xADDRESS");
  text = Scrub(std::move(text), "\\+0x[0-9a-f]+", "+0xOFFSET");
  return Scrub(std::move(text), "hread [0-9]+", "hread N");
}

ProgramResult RunRacing(std::vector<std::string> arguments, const std::string& options = "") {
  ProgramOptions program;
  program.env = {"LEASH_RACE_OPTIONS=strip_path_prefix=" + LeashSource("") + " " + options};
  if (const char* procs = getenv("LEASH_MAXPROCS")) {
    program.env.push_back(std::string("LEASH_MAXPROCS=") + procs);
  }
  arguments.insert(arguments.begin(), LeashBinary("tests/integration/race/race_program"));
  return RunProgram(std::move(arguments), std::move(program));
}

void ExpectReport(const std::string& race) {
  const ProgramResult result = RunRacing({race});
  EXPECT_EQ(result.status, 66) << race;
  EXPECT_EQ(result.out, "done\n") << race;
  ExpectGolden("tests/integration/race/testdata/" + race + ".golden", Scrubbed(result.err));
}

TEST(RaceTest, UnsynchronisedCounter) { ExpectReport("counter"); }
TEST(RaceTest, LoopVariableCapturedByReference) { ExpectReport("loop-variable"); }
TEST(RaceTest, WaitGroupAddInsideTheGoroutine) { ExpectReport("waitgroup-add"); }
TEST(RaceTest, CloseAgainstSend) { ExpectReport("close-send"); }
TEST(RaceTest, CloseAgainstSendInSelect) { ExpectReport("select-send"); }
TEST(RaceTest, GoroutineThatHasFinished) { ExpectReport("finished"); }
TEST(RaceTest, LockedOnOneSideOnly) { ExpectReport("half-locked"); }
TEST(RaceTest, ThreadAgainstGoroutine) { ExpectReport("thread"); }

// ThreadSanitizer by itself, and Go's -race, forget it after 64.
TEST(RaceTest, GoroutineThatEndedTwoHundredAndFiftyGoroutinesAgo) {
  const ProgramResult result = RunRacing({"long-gone", "250"});
  EXPECT_EQ(result.status, 66);
  EXPECT_TRUE(result.err.ends_with("Found 1 data race(s)\n")) << result.err;
}

// Who finds a race waits until another has been reported, with a lock that the report must do
// without.
TEST(RaceTest, RacesFoundWhileAnotherIsReported) {
  const ProgramResult result = RunRacing({"many"});
  EXPECT_EQ(result.status, 66);
  EXPECT_EQ(result.out, "done\n");
}

TEST(RaceTest, HaltOnErrorEndsTheProgramAtTheFirstReport) {
  const ProgramResult result = RunRacing({"finished"}, "halt_on_error=1 exitcode=7");
  EXPECT_EQ(result.status, 7);
  EXPECT_EQ(result.out, "");
  EXPECT_TRUE(result.err.ends_with("==================\nFound 1 data race(s)\n")) << result.err;
}

TEST(RaceTest, LogPathTakesTheReports) {
  const std::string prefix = ::testing::TempDir() + "race_log_" + std::to_string(getpid());
  const ProgramResult result = RunRacing({"finished"}, "log_path=" + prefix);
  EXPECT_EQ(result.status, 66);
  EXPECT_EQ(result.err, "");
  std::string log;
  for (const auto& entry : std::filesystem::directory_iterator(::testing::TempDir())) {
    if (!entry.path().string().starts_with(prefix + ".")) continue;
    log += ReadTestFile(entry.path().string());
    std::filesystem::remove(entry.path());
  }
  ExpectGolden("tests/integration/race/testdata/finished.golden", Scrubbed(log));
}

TEST(RaceTest, AnUnknownOptionIsAnError) {
  const ProgramResult result = RunRacing({"finished"}, "colour=1");
  EXPECT_EQ(result.status, 2);
  EXPECT_EQ(result.out, "");
  EXPECT_EQ(result.err,
            "leash: environment: LEASH_RACE_OPTIONS: colour=1: want atexit_sleep_ms, exitcode, "
            "halt_on_error, history_size, log_path or strip_path_prefix\n");
}

}  // namespace
}  // namespace leash::testing
