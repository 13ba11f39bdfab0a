// LEASH_VERIFY_NONE under GoogleTest's own main().

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "integration/verify/report_text.h"

namespace leash::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

ProgramResult RunTest(std::string_view filter) { return RunTests("verify_scope_program", filter); }

TEST(VerifyScopeTest, FailureStandsAtTheMacroWithTheWholeReport) {
  const ProgramResult r = RunTest("ScopeTest.Leaks");
  EXPECT_EQ(r.status, 1);
  EXPECT_EQ(r.err, "");
  EXPECT_EQ(Between(Normalized(r.out), "[ RUN      ]", "[  FAILED  ]"),
            R"report([ RUN      ] ScopeTest.Leaks
tests/integration/verify/scope_program.cc:26: Failure
Failed
leash: ScopeTest.Leaks leaked 1 goroutine in 1 group

1 goroutine [chan receive (nil chan)] proved: the channel is nil
    leaks::ReceiveFromNil()  leaks.cc:34
    created by ScopeTest_Leaks_Test::TestBody at scope_program.cc:27 in goroutine 1
    goroutine N; waiting T
see: leash explain "chan receive (nil chan)"
[  FAILED  ])report");
}

TEST(VerifyScopeTest, CleanTestPasses) {
  const ProgramResult r = RunTest("ScopeTest.Clean");
  EXPECT_EQ(r.status, 0) << r.out;
  EXPECT_EQ(r.err, "");
}

TEST(VerifyScopeTest, TestDoesNotAnswerForTheTestBefore) {
  const ProgramResult r =
      RunTest("ScopeTest.Leaks:ScopeTest.FailsAndLeaks:ScopeTest.DoesNotAnswerForTheTestBefore");
  EXPECT_THAT(r.out, HasSubstr("[       OK ] ScopeTest.DoesNotAnswerForTheTestBefore"));
}

TEST(VerifyScopeTest, InnerScopeIsVerifiedAtItsEnd) {
  const ProgramResult r = RunTest("ScopeTest.InnerScope");
  EXPECT_EQ(r.status, 1);
  EXPECT_THAT(r.out, HasSubstr("scope_program.cc:34: Failure\n"));
  EXPECT_THAT(r.out, HasSubstr("1 goroutine [sleep] still there\n"));
}

TEST(VerifyScopeTest, FailedTestIsVerifiedWithRunOnFailureOnly) {
  EXPECT_THAT(RunTest("ScopeTest.FailsAndLeaks").out, Not(HasSubstr("leaked")));
  EXPECT_THAT(RunTest("ScopeTest.Throws").out, Not(HasSubstr("leaked")));
  EXPECT_THAT(RunTest("ScopeTest.RunOnFailure").out,
              HasSubstr("leash: ScopeTest.RunOnFailure leaked 1 goroutine in 1 group\n"));
}

TEST(VerifyScopeTest, CurrentOnesAreIgnored) { EXPECT_EQ(RunTest("ScopeTest.Current").status, 0); }

TEST(VerifyScopeTest, StaleOptionIsSaidOnStandardError) {
  const ProgramResult r = RunTest("ScopeTest.Stale");
  EXPECT_EQ(r.status, 0) << r.out;
  EXPECT_EQ(r.err,
            "leash: warning: stale option: IgnoreTopFunction(\"Nobody\") matched no goroutine; "
            "take it out before it hides a leak\n");
}

}  // namespace
}  // namespace leash::testing
