// leash explain.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/run_program.h"

namespace leash::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

ProgramResult Explain(const std::vector<std::string>& words) {
  std::vector<std::string> argv = {LEASH_PROGRAM, "explain"};
  argv.insert(argv.end(), words.begin(), words.end());
  return RunProgram(argv);
}

TEST(ExplainCommandTest, ACheckWithOrWithoutItsPrefix) {
  const ProgramResult full = Explain({"leash-fire-and-forget-spawn"});
  EXPECT_EQ(full.status, 0);
  EXPECT_THAT(full.out, AllOf(StartsWith("leash-fire-and-forget-spawn\n\nFinds a spawn whose task "
                                         "nothing can wait for, cancel or hear from.\n"),
                              HasSubstr("\nBad\n"), HasSubstr("\nGood\n")));
  EXPECT_EQ(Explain({"fire-and-forget-spawn"}).out, full.out);
}

// Every reason that a dump can show.
class WaitReason : public ::testing::TestWithParam<const char*> {};

TEST_P(WaitReason, HasASectionWithABadAndAGoodExample) {
  const ProgramResult result = Explain({GetParam()});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.out, AllOf(StartsWith(std::string(GetParam()) + "\n\n"), HasSubstr("\nBad: "),
                                HasSubstr("\nGood")));
}

INSTANTIATE_TEST_SUITE_P(ExplainCommandTest, WaitReason,
                         ::testing::Values("chan send", "chan receive", "chan send (nil chan)",
                                           "chan receive (nil chan)", "select", "select (no cases)",
                                           "sync.Mutex.Lock", "sync.RWMutex.RLock",
                                           "sync.RWMutex.Lock", "sync.WaitGroup.Wait",
                                           "sync.Cond.Wait", "semacquire", "sleep", "IO wait",
                                           "syscall", "running", "runnable"));

TEST(ExplainCommandTest, AReasonAsItIsCopiedFromADump) {
  EXPECT_THAT(Explain({"[chan send, 2 minutes]"}).out, StartsWith("chan send\n\n"));
  EXPECT_THAT(Explain({"chan", "receive"}).out, StartsWith("chan receive\n\n"));
}

TEST(ExplainCommandTest, AnUnknownNameIsAnErrorThatNamesTheKnown) {
  const ProgramResult result = Explain({"chan sent"});
  EXPECT_EQ(result.status, 2);
  EXPECT_EQ(result.out, "");
  EXPECT_THAT(result.err,
              AllOf(StartsWith("leash explain: 'chan sent' is neither a check nor a wait reason; "
                               "want one of: leash-add-inside-goroutine, "),
                    HasSubstr("\"chan send\"")));
}

}  // namespace
}  // namespace leash::testing
