// Programs run by tests: every way to end is told, nothing is left running.

#include "support/run_program.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>

#include "absl/strings/numbers.h"

namespace leash::testing {
namespace {

// True once the process has ended, within 10 seconds.
bool HasEnded(pid_t pid) {
  const int process = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  if (process < 0) return errno == ESRCH;
  pollfd fd = {process, POLLIN, 0};
  const int n = poll(&fd, 1, 10'000);
  close(process);
  return n == 1;
}

TEST(RunProgramTest, StatusAndBothOutputsAreCollected) {
  const ProgramResult r = RunProgram({"sh", "-c", "echo out; echo err >&2; exit 7"});
  EXPECT_EQ(r.status, 7);
  EXPECT_EQ(r.signal, 0);
  EXPECT_EQ(r.out, "out\n");
  EXPECT_EQ(r.err, "err\n");
}

TEST(RunProgramTest, SignalIsToldAsAShellTellsIt) {
  const ProgramResult r = RunProgram({"sh", "-c", "kill -TERM $$"});
  EXPECT_EQ(r.status, 128 + SIGTERM);
  EXPECT_EQ(r.signal, SIGTERM);
}

TEST(RunProgramTest, EnvironmentIsChangedAndTheTestsOwnKnobsAreNotInherited) {
  setenv("LEASH_OF_THE_TEST", "1", 1);
  setenv("OF_THE_TEST", "2", 1);
  const ProgramResult r =
      RunProgram({"sh", "-c", "echo \"$LEASH_OF_THE_TEST,$OF_THE_TEST,$LEASH_MAXPROCS\""},
                 {"LEASH_MAXPROCS=8"});
  EXPECT_EQ(r.out, ",2,8\n");
  EXPECT_EQ(RunProgram({"sh", "-c", "echo \"$OF_THE_TEST.\""}, {"OF_THE_TEST"}).out, ".\n");
}

TEST(RunProgramTest, InputLargerThanAPipeComesBackWhole) {
  ProgramOptions options;
  options.input.assign(3 << 20, 'x');
  const ProgramResult r = RunProgram({"cat"}, options);
  EXPECT_EQ(r.status, 0);
  EXPECT_TRUE(r.out == options.input) << r.out.size();
}

TEST(RunProgramTest, InputThatNobodyReadsIsNoError) {
  ProgramOptions options;
  options.input.assign(1 << 20, 'x');
  EXPECT_EQ(RunProgram({"true"}, options).status, 0);
}

TEST(RunProgramTest, ProgramOutOfTimeIsAskedForLastWordsAndKilledWithItsChildren) {
  ProgramOptions options;
  options.timeout = absl::Milliseconds(200);
  const ProgramResult r = RunProgram(
      {"sh", "-c", "trap 'echo stuck >&2; exit 2' QUIT; sleep 1000 & echo $!; wait"}, options);
  EXPECT_TRUE(r.timed_out);
  EXPECT_EQ(r.status, 2);
  EXPECT_EQ(r.err, "stuck\n");
  int child = 0;
  ASSERT_TRUE(absl::SimpleAtoi(r.out, &child)) << r.out;
  EXPECT_TRUE(HasEnded(child));
}

TEST(RunProgramTest, ProgramThatHasEndedIsNotHeldUpByTheChildrenThatItLeft) {
  const ProgramResult r = RunProgram({"sh", "-c", "sleep 1000 & echo $!"});
  EXPECT_FALSE(r.timed_out);
  int child = 0;
  ASSERT_TRUE(absl::SimpleAtoi(r.out, &child)) << r.out;
  EXPECT_TRUE(HasEnded(child));
}

TEST(ProgramTest, OutputIsSeenWhileItRunsAndSignalsReachIt) {
  Program server({"sh", "-c",
                  "trap 'echo stopped; exit 3' TERM; echo listening on 127.0.0.1:80;"
                  " while :; do sleep 0.01; done"});
  EXPECT_EQ(server.WaitForOutput("listening on "), "127.0.0.1:80");
  server.Signal(SIGTERM);
  const ProgramResult r = server.Wait();
  EXPECT_EQ(r.status, 3);
  EXPECT_EQ(r.out, "listening on 127.0.0.1:80\nstopped\n");
}

TEST(ProgramTest, OutputThatNeverComesEndsWithTheProgram) {
  Program program({"echo", "something else"});
  EXPECT_EQ(program.WaitForOutput("listening on "), std::nullopt);
  EXPECT_EQ(program.Wait().status, 0);
}

TEST(ProgramTest, ProgramIsKilledWhenItGoesOutOfScope) {
  pid_t pid;
  {
    Program program({"sleep", "1000"});
    pid = program.pid();
  }
  EXPECT_TRUE(HasEnded(pid));
}

TEST(ProgramDeathTest, MissingProgramIsNamed) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(RunProgram({"leash-no-such-program"}),
               "run leash-no-such-program: No such file or directory");
}

}  // namespace
}  // namespace leash::testing
