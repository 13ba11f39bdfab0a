// LEASH_TRACE, and what a trace is worth however its program ends.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>

#include "support/perfetto_trace.h"
#include "support/run_program.h"

namespace leash::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::StartsWith;

class TraceProgramTest : public ::testing::Test {
 protected:
  TraceProgramTest()
      : path_(::testing::TempDir() + "/leash_trace_" + std::to_string(getpid()) + "_" +
              ::testing::UnitTest::GetInstance()->current_test_info()->name()) {}
  ~TraceProgramTest() override { unlink(path_.c_str()); }

  ProgramResult Run(const std::string& how, const std::string& path) {
    return RunProgram({LEASH_TRACE_PROGRAM, how}, {"LEASH_TRACE=" + path});
  }
  ProgramResult Run(const std::string& how) { return Run(how, path_); }
  // The file is whole and tells of Work().
  void ExpectWork(int times = 1) {
    const PerfettoTrace trace = ReadPerfettoFile(path_);
    EXPECT_THAT(trace.errors, IsEmpty());
    EXPECT_NE(trace.TrackNamed("keeper"), 0u);
    EXPECT_EQ(trace.Named("work").size(), 10u * static_cast<size_t>(times));
  }

  const std::string path_;
};

TEST_F(TraceProgramTest, IsWrittenWhenMainReturns) {
  const ProgramResult r = Run("return");
  EXPECT_EQ(r.status, 0);
  EXPECT_THAT(r.err, MatchesRegex("leash: trace " + path_ + ": [0-9]+ events\n"));
  ExpectWork();
}

TEST_F(TraceProgramTest, IsWrittenWhenAGoroutineExits) {
  EXPECT_EQ(Run("exit").status, 3);
  ExpectWork();
}

TEST_F(TraceProgramTest, IsWrittenAfterADeadlock) {
  const ProgramResult r = Run("deadlock");
  EXPECT_EQ(r.status, 2);
  EXPECT_THAT(r.err, StartsWith("fatal error: all goroutines are asleep - deadlock!\n"));
  ExpectWork();
  const auto waiting = ReadPerfettoFile(path_).SlicesOf("thread ");
  ASSERT_FALSE(waiting.empty());
  EXPECT_EQ(waiting.back().name, "chan receive");
}

TEST_F(TraceProgramTest, IsWrittenAfterAPanic) {
  const ProgramResult r = Run("panic");
  EXPECT_EQ(r.status, 2);
  EXPECT_THAT(r.err, StartsWith("panic: no more\n"));
  ExpectWork();
}

TEST_F(TraceProgramTest, IsWrittenAfterAStackOverflow) {
  const ProgramResult r = Run("overflow");
  EXPECT_EQ(r.status, 2);
  EXPECT_THAT(r.err, HasSubstr("fatal error: stack overflow\n"));
  ExpectWork();
}

TEST_F(TraceProgramTest, TheChildOfAForkWritesNothing) {
  for (const char* how : {"fork", "fork-silent"}) {
    const ProgramResult r = Run(how);
    EXPECT_EQ(r.status, 0) << r.err;
    EXPECT_THAT(r.err, MatchesRegex("leash: trace " + path_ + ": [0-9]+ events\n")) << how;
    ExpectWork(2);
    EXPECT_EQ(ReadPerfettoFile(path_).TrackNamed("the child's"), 0u);
  }
}

TEST_F(TraceProgramTest, PercentPIsTheProcessId) {
  Program program({LEASH_TRACE_PROGRAM, "return"}, {.env = {"LEASH_TRACE=" + path_ + ".%p"}});
  const std::string path = path_ + "." + std::to_string(program.pid());
  EXPECT_THAT(program.Wait().err, HasSubstr("leash: trace " + path + ": "));
  EXPECT_THAT(ReadPerfettoFile(path).errors, IsEmpty());
  unlink(path.c_str());
}

TEST_F(TraceProgramTest, APathThatCannotBeWrittenIsAnError) {
  const ProgramResult r = Run("return", "/nowhere/trace");
  EXPECT_EQ(r.status, 2);
  EXPECT_EQ(r.err,
            "leash: environment: LEASH_TRACE: trace: open /nowhere/trace: No such file or "
            "directory\n");
}

TEST_F(TraceProgramTest, ADiskThatIsFullIsSaid) {
  const ProgramResult r = Run("return", "/dev/full");
  EXPECT_EQ(r.status, 0);
  EXPECT_EQ(r.err, "leash: trace: write /dev/full: No space left on device\n");
}

TEST_F(TraceProgramTest, ATraceInCodeIsTheSecond) {
  const ProgramResult r = Run("code");
  EXPECT_EQ(r.out, "trace: tracing already enabled\n");
  ExpectWork();
}

TEST_F(TraceProgramTest, AProgramThatDoesNotUseLeashWritesNothing) {
  EXPECT_EQ(Run("nothing").err, "");
  EXPECT_NE(access(path_.c_str(), F_OK), 0);
}

}  // namespace
}  // namespace leash::testing
