// How programs end: whole reports, exit statuses, and silence where silence is right.

#include <csignal>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "support/golden.h"
#include "support/run_program.h"

namespace leash::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

ProgramResult RunKind(const std::string& kind, std::vector<std::string> env = {},
                      const std::string& argument = "") {
  // What the matrix says holds for the program, too.
  if (const char* procs = getenv("LEASH_MAXPROCS")) {
    env.push_back(std::string("LEASH_MAXPROCS=") + procs);
  }
  std::vector<std::string> command = {LEASH_SCHED_PROGRAM, kind};
  if (!argument.empty()) command.push_back(argument);
  return RunProgram(command, std::move(env));
}

TEST(PanicTest, IsReportedAsGoDoes) {
  const ProgramResult r = RunKind("panic");
  EXPECT_EQ(r.status, 2);
  EXPECT_THAT(r.err, StartsWith("panic: std::runtime_error: boom\n\tgoroutine 7 [fake]:\n\n"
                                "goroutine "));
  EXPECT_THAT(r.err, HasSubstr(" [running]:\n"));
  EXPECT_THAT(r.err, HasSubstr("Explode()\n\t"));
  EXPECT_THAT(r.err, HasSubstr("sched_program.cc:"));
  EXPECT_THAT(r.err, HasSubstr("created by main in goroutine 1\n\t"));
  // Only the one that panicked.
  EXPECT_EQ(r.err.find("[chan receive"), std::string::npos) << r.err;
}

TEST(PanicTest, TracebackAllShowsTheOthers) {
  const ProgramResult r = RunKind("panic", {"LEASH_TRACEBACK=all"});
  EXPECT_EQ(r.status, 2);
  EXPECT_THAT(r.err, HasSubstr("goroutine 1 [chan receive (nil chan), locked to thread]:\n"));
}

TEST(PanicTest, TracebackNoneShowsThePanicOnly) {
  const ProgramResult r = RunKind("panic", {"LEASH_TRACEBACK=none"});
  EXPECT_EQ(r.status, 2);
  EXPECT_EQ(r.err, "panic: std::runtime_error: boom\n\tgoroutine 7 [fake]:\n");
}

TEST(PanicTest, OnAThreadAPanicErrorIsReportedToo) {
  const ProgramResult r = RunKind("panic-thread");
  EXPECT_EQ(r.status, 2);
  EXPECT_THAT(r.err, StartsWith("panic: on the main thread\n\ngoroutine 1 [running, locked to "
                                "thread]:\nmain()\n\t"));
}

TEST(PanicTest, WhatIsNoExceptionIsNamedByItsType) {
  const ProgramResult r = RunKind("panic-int");
  EXPECT_EQ(r.status, 2);
  EXPECT_THAT(r.err, StartsWith("panic: (int)\n"));
}

TEST(DeadlockTest, IsReportedWithEveryStack) {
  const ProgramResult r = RunKind("deadlock");
  EXPECT_EQ(r.status, 2);
  EXPECT_THAT(r.err, StartsWith("fatal error: all goroutines are asleep - deadlock!\n\ngoroutine 1 "
                                "[sync.WaitGroup.Wait, locked to thread]:\n"));
  EXPECT_THAT(r.err, HasSubstr(" [chan send]:\n"));
  EXPECT_THAT(r.err, HasSubstr("created by main in goroutine 1\n"));
}

TEST(DeadlockTest, TheMainThreadAloneIsEnough) {
  const ProgramResult r = RunKind("deadlock-main");
  EXPECT_EQ(r.status, 2);
  EXPECT_THAT(r.err, StartsWith("fatal error: all goroutines are asleep - deadlock!\n"));
}

TEST(DeadlockTest, ATickerThatNobodyReceivesFromDoesNotHideIt) {
  const ProgramResult r = RunKind("deadlock-ticker");
  EXPECT_EQ(r.status, 2);
  EXPECT_THAT(r.err, StartsWith("fatal error: all goroutines are asleep - deadlock!\n"));
}

TEST(DeadlockTest, ATickerThatSomebodyReceivesFromIsNone) {
  const ProgramResult r = RunKind("no-deadlock-ticker");
  EXPECT_EQ(r.status, 0) << r.err;
  EXPECT_EQ(r.out, "fine\n");
}

TEST(DeadlockTest, AThreadOutsideCouldStillWakeThem) {
  const ProgramResult r = RunKind("no-deadlock-thread");
  EXPECT_EQ(r.status, 0) << r.err;
  EXPECT_EQ(r.out, "fine\n");
}

TEST(DeadlockTest, ASleeperWakes) {
  const ProgramResult r = RunKind("no-deadlock-sleep");
  EXPECT_EQ(r.status, 0) << r.err;
  EXPECT_EQ(r.out, "fine\n");
}

TEST(StackOverflowTest, SaysWhichGoroutineAndWhere) {
  const ProgramResult r = RunKind("overflow");
  EXPECT_EQ(r.status, 2);
  EXPECT_THAT(r.err, StartsWith("runtime: goroutine stack exceeds 262144-byte limit\n"
                                "fatal error: stack overflow\n\ngoroutine "));
  EXPECT_THAT(r.err, HasSubstr("Deep()+"));
  EXPECT_THAT(r.err, HasSubstr("created by "));
  EXPECT_THAT(r.err, HasSubstr("sched_program.cc:"));
}

// Wherever in a small function, or in what the compiler has it call under ThreadSanitizer, the
// stack ends: its callers are shown, as many as Go shows.
TEST(StackOverflowTest, ShowsItsFramesWhateverInstructionMeetsTheGuardPage) {
  for (int bytes = 0; bytes < 128; bytes += 16) {
    const ProgramResult r = RunKind("overflow-from", {}, std::to_string(bytes));
    EXPECT_EQ(r.status, 2);
    EXPECT_THAT(r.err, HasSubstr("fatal error: stack overflow\n\ngoroutine "));
    size_t frames = 0;
    for (size_t at = 0; (at = r.err.find("Thin()+", at)) != r.err.npos; ++at) ++frames;
    EXPECT_GT(frames, 90u) << bytes << " bytes from the top\n" << r.err;
    EXPECT_THAT(r.err, HasSubstr(" frames elided...\n"));
  }
}

TEST(GoexitTest, SwallowingItIsFatal) {
  const ProgramResult r = RunKind("goexit-caught");
  EXPECT_EQ(r.status, 2);
  EXPECT_THAT(r.err,
              StartsWith("fatal error: leash: Goexit was caught by a catch (...) that does not "
                         "rethrow\n"));
}

TEST(FatalTest, CarriesGosTextAndTheCallersStack) {
  const ProgramResult r = RunKind("unlock");
  EXPECT_EQ(r.status, 2);
  EXPECT_THAT(r.err, StartsWith("fatal error: sync: unlock of unlocked mutex\n\ngoroutine 1 "
                                "[running, locked to thread]:\n"));
  EXPECT_THAT(r.err, HasSubstr("main()\n\t"));
}

TEST(ForkTest, TheChildStartsAfresh) {
  const ProgramResult r = RunKind("fork");
  EXPECT_EQ(r.out, "child: 0\n") << r.err;
}

TEST(ForkTest, OneDuringTheStartWaitsForItsEnd) {
  const ProgramResult r = RunProgram({LEASH_FORK_IN_START_PROGRAM});
  EXPECT_EQ(r.status, 0) << r.err;
  EXPECT_EQ(r.out, "child: 0\nparent: 499500\n") << r.err;
}

TEST(LifeTest, WorksBeforeMainAndAfterExitBegan) {
  const ProgramResult r = RunKind("late");
  EXPECT_EQ(r.status, 0) << r.err;
  EXPECT_EQ(r.out, "before main: 3\nafter main: 5\n");
}

TEST(QuitTest, DumpsEverythingAndExits) {
  Program program({LEASH_SCHED_PROGRAM, "quit"});
  ASSERT_TRUE(program.WaitForOutput("ready"));
  program.Signal(SIGQUIT);
  const ProgramResult r = program.Wait();
  EXPECT_EQ(r.status, 2);
  EXPECT_THAT(r.err, StartsWith("SIGQUIT: quit\n\ngoroutine 1 ["));
}

TEST(QuitTest, DumpAndGoOn) {
  Program program({LEASH_SCHED_PROGRAM, "quit"}, {.env = {"LEASH_SIGQUIT=dump"}});
  ASSERT_TRUE(program.WaitForOutput("ready"));
  for (int i = 0; i < 2; ++i) {
    program.Signal(SIGQUIT);
    ASSERT_TRUE(program.WaitForOutput("created by main in goroutine 1"));
  }
  program.Signal(SIGTERM);
  EXPECT_EQ(program.Wait().signal, SIGTERM);
}

TEST(EnvironmentTest, WhatCannotBeReadIsAnError) {
  const auto error = [](const std::string& setting) {
    const ProgramResult r = RunProgram({LEASH_SCHED_PROGRAM, "late"}, {setting});
    EXPECT_EQ(r.status, 2);
    return r.err;
  };
  EXPECT_EQ(error("LEASH_MAXPROCS=many"),
            "leash: environment: LEASH_MAXPROCS=many: want a number from 1 to 1024\n");
  EXPECT_EQ(error("LEASH_MAXPROCS=0"),
            "leash: environment: LEASH_MAXPROCS=0: want a number from 1 to 1024\n");
  EXPECT_EQ(error("LEASH_STACK_SIZE=12T"),
            "leash: environment: LEASH_STACK_SIZE=12T: want bytes from 16K to 1G, as in 256K\n");
  EXPECT_EQ(error("LEASH_TRACEBACK=some"),
            "leash: environment: LEASH_TRACEBACK=some: want none, single or all\n");
  EXPECT_EQ(error("LEASH_SIGQUIT=maybe"),
            "leash: environment: LEASH_SIGQUIT=maybe: want exit, dump or off\n");
  EXPECT_EQ(error("LEASH_DEBUG=wrong=1"),
            "leash: environment: LEASH_DEBUG key=wrong: want guards, lockrank, scheddetail, "
            "schedtrace or spawnstack\n");
  EXPECT_EQ(error("LEASH_DEBUG=guards"),
            "leash: environment: LEASH_DEBUG=guards: want key=value\n");
}

}  // namespace
}  // namespace leash::testing
