// A program with TestMain(): one verdict at the end, on standard error and in the exit status.

#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <fstream>
#include <sstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "integration/verify/report_text.h"

namespace leash::testing {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

ProgramResult RunTest(std::string_view filter, std::vector<std::string> arguments = {},
                      std::vector<std::string> env = {}) {
  return RunTests("test_main_program", filter, std::move(arguments), std::move(env));
}

TEST(TestMainTest, LeakTurnsZeroIntoOneAndNamesEachTest) {
  const ProgramResult r = RunTest("ChanTest.NilChannel:CleanTest.*:SpawnTest.GrandChild");
  EXPECT_EQ(r.status, 1);
  EXPECT_THAT(r.out, HasSubstr("[  PASSED  ] 6 tests.\n"));
  EXPECT_THAT(r.out, Not(HasSubstr("leash:")));
  EXPECT_EQ(Normalized(r.err),
            R"report(leash: ChanTest.NilChannel leaked 1 goroutine in 1 group

1 goroutine [chan receive (nil chan)] proved: the channel is nil
    leaks::ReceiveFromNil()  leaks.cc:34
    created by ChanTest_NilChannel_Test::TestBody at leaky_program.cc:29 in goroutine 1
    goroutine N; waiting T
see: leash explain "chan receive (nil chan)"

leash: SpawnTest.GrandChild leaked 1 goroutine in 1 group

1 goroutine [chan receive (nil chan)] proved: the channel is nil
    leaks::ReceiveFromNil()  leaks.cc:34
    created by leaks::SpawnOnce at leaks.cc:17 in goroutine N
    goroutine N; waiting T
see: leash explain "chan receive (nil chan)"
)report");
}

TEST(TestMainTest, GoroutinesOfSeveralTestsAtOnceKeepTheirNames) {
  const ProgramResult r = RunTest("OverlapTest.*");
  EXPECT_EQ(r.status, 1);
  EXPECT_THAT(Between(r.err, "leash: OverlapTest.First leaked 1 goroutine in 1 group\n", "see:"),
              HasSubstr("1 goroutine [chan receive (nil chan)] proved"));
  EXPECT_THAT(Between(r.err, "leash: OverlapTest.Second leaked 1 goroutine in 1 group\n", "see:"),
              HasSubstr("1 goroutine [select (no cases)] proved"));
}

TEST(TestMainTest, CleanProgramSaysNothing) {
  const ProgramResult r = RunTest("CleanTest.*");
  EXPECT_EQ(r.status, 0);
  EXPECT_EQ(r.err, "");
}

TEST(TestMainTest, SetUpsAreReportedByTheirNames) {
  const ProgramResult r =
      RunTest("SuiteTest.*", {}, {"LEAK_IN_ENVIRONMENT=1", "LEAK_BEFORE_MAIN=1"});
  EXPECT_EQ(r.status, 1);
  EXPECT_THAT(r.err, HasSubstr("leash: code outside of tests leaked 1 goroutine in 1 group\n"));
  EXPECT_THAT(r.err, HasSubstr("leash: global test environment leaked 1 goroutine in 1 group\n"));
  EXPECT_THAT(r.err, HasSubstr("leash: SuiteTest (suite) leaked 1 goroutine in 1 group\n"));
}

TEST(TestMainTest, WhatRanBeforeMainMayBeIgnored) {
  const ProgramResult r =
      RunTest("CleanTest.Nobody", {}, {"LEAK_BEFORE_MAIN=1", "VERIFY_OPTIONS=current"});
  EXPECT_EQ(r.status, 0);
  EXPECT_EQ(r.err, "");
}

TEST(TestMainTest, FailedProgramIsNotVerifiedAndCleanupGetsItsStatus) {
  const ProgramResult r = RunTest("BadTest.*:ChanTest.NilChannel", {}, {"VERIFY_OPTIONS=cleanup"});
  EXPECT_EQ(r.status, 1);
  EXPECT_THAT(r.out, EndsWith("cleanup: 1\n"));
  EXPECT_EQ(r.err, "");
}

TEST(TestMainTest, RunOnFailureVerifiesAFailedProgram) {
  const ProgramResult r = RunTest("BadTest.FailsAndLeaks", {}, {"VERIFY_OPTIONS=on_failure"});
  EXPECT_EQ(r.status, 1);
  EXPECT_THAT(r.out, EndsWith("cleanup: 1\n"));
  EXPECT_THAT(r.err, HasSubstr("leash: BadTest.FailsAndLeaks leaked 1 goroutine in 1 group\n"));
}

TEST(TestMainTest, CleanupGetsZeroOrTheLeaksOne) {
  EXPECT_THAT(RunTest("CleanTest.Nobody", {}, {"VERIFY_OPTIONS=cleanup"}).out,
              EndsWith("cleanup: 0\n"));
  EXPECT_THAT(RunTest("ChanTest.Send", {}, {"VERIFY_OPTIONS=cleanup"}).out,
              EndsWith("cleanup: 1\n"));
}

TEST(TestMainTest, IgnoresAndSaysWhichOptionIsStale) {
  const ProgramResult r = RunTest("ChanTest.NilChannel", {}, {"VERIFY_OPTIONS=ignore"});
  EXPECT_EQ(r.status, 0) << r.err;
  EXPECT_EQ(r.err,
            "leash: warning: stale option: IgnoreLabel(\"name\", \"nobody\") matched no goroutine; "
            "take it out before it hides a leak\n");
}

TEST(TestMainTest, XmlHasTheFailure) {
  const std::string path = ::testing::TempDir() + "/test_main." + std::to_string(getpid());
  const ProgramResult r = RunTest("ChanTest.Send:CleanTest.Nobody", {"--gtest_output=xml:" + path});
  EXPECT_EQ(r.status, 1);
  std::ostringstream xml;
  xml << std::ifstream(path).rdbuf();
  std::remove(path.c_str());
  EXPECT_THAT(xml.str(), HasSubstr("leash: ChanTest.Send leaked 1 goroutine in 1 group"));
  EXPECT_THAT(xml.str(), HasSubstr("<testcase name=\"Send\""));
  EXPECT_THAT(xml.str(), HasSubstr("<testcase name=\"Nobody\""));
}

size_t Count(std::string_view text, std::string_view what) {
  size_t n = 0;
  for (size_t at = 0; (at = text.find(what, at)) != text.npos; at += what.size()) ++n;
  return n;
}

TEST(TestMainTest, VerifiesWhenTheEnvironmentsAreTornDown) {
  // GoogleTest keeps them for all iterations, unless it is told otherwise.
  const ProgramResult once = RunTest("ChanTest.NilChannel", {"--gtest_repeat=3"});
  EXPECT_EQ(once.status, 1);
  EXPECT_EQ(Count(once.err, "leaked"), 1u) << once.err;
  EXPECT_THAT(once.err, HasSubstr("leaked 3 goroutines in 1 group\n"));
  const ProgramResult each = RunTest(
      "ChanTest.NilChannel", {"--gtest_repeat=3", "--gtest_recreate_environments_when_repeating"});
  EXPECT_EQ(each.status, 1);
  EXPECT_EQ(Count(each.err, "leaked 1 goroutine in 1 group\n"), 3u) << each.err;
}

TEST(TestMainTest, DeathTestsDieAsTheyShould) {
  const ProgramResult r = RunTest("DyingTest.*");
  EXPECT_EQ(r.status, 0) << r.out << r.err;
  EXPECT_THAT(r.err, Not(HasSubstr("leash:")));
}

TEST(TestMainTest, EmptyShardIsVerifiedToo) {
  const ProgramResult r = RunTest("NoSuchTest.*", {}, {"LEAK_BEFORE_MAIN=1"});
  EXPECT_EQ(r.status, 1);
  EXPECT_THAT(r.err, HasSubstr("leash: code outside of tests leaked 1 goroutine in 1 group\n"));
  EXPECT_EQ(RunTest("NoSuchTest.*").status, 0);
}

TEST(TestMainTest, ListingVerifiesNothing) {
  const ProgramResult r = RunTest("CleanTest.*", {"--gtest_list_tests"}, {"LEAK_BEFORE_MAIN=1"});
  EXPECT_EQ(r.status, 0);
  EXPECT_EQ(r.err, "");
}

TEST(TestMainTest, BreaksOnFailureBehindTheReport) {
  const ProgramResult r = RunTest("ChanTest.NilChannel", {"--gtest_break_on_failure"});
  EXPECT_EQ(r.signal, SIGTRAP);
  EXPECT_THAT(r.err, HasSubstr("leash: ChanTest.NilChannel leaked 1 goroutine in 1 group\n"));
}

}  // namespace
}  // namespace leash::testing
