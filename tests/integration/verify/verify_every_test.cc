// A program with leash::verify_main: each test answers for what it left behind.

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

using ::testing::HasSubstr;
using ::testing::Not;

ProgramResult RunTest(std::string_view filter, std::vector<std::string> arguments = {},
                      std::vector<std::string> env = {}) {
  return RunTests("verify_every_program", filter, std::move(arguments), std::move(env));
}

// The failure of the test in the program's output, from its place on.
std::string Failure(const ProgramResult& r, std::string_view test) {
  const std::string begin = "[ RUN      ] " + std::string(test) + "\n";
  const std::string end = "[  FAILED  ] " + std::string(test);
  std::string text = Between(Normalized(r.out), begin, end);
  if (text.empty()) return "not failed:\n" + r.out + r.err;
  return text.substr(begin.size(), text.size() - begin.size() - end.size());
}

TEST(VerifyEveryTest, LeakedSendNamesTestPlaceAndReason) {
  const ProgramResult r = RunTest("ChanTest.Send");
  EXPECT_EQ(r.status, 1);
  EXPECT_EQ(r.err, "");
  EXPECT_EQ(Failure(r, "ChanTest.Send"),
            R"report(tests/integration/verify/leaky_program.cc:20: Failure
Failed
leash: ChanTest.Send leaked 1 goroutine in 1 group

1 goroutine [chan send] proved: no receiver is alive
    leaks::Send(leash::SendChan<int>)  leaks.cc:24
    created by ChanTest_Send_Test::TestBody at leaky_program.cc:22 in goroutine 1
    waits for Chan<int> "evictions" (cap 0) made at leaky_program.cc:21; its last receiver went at leaky_program.cc:23 in goroutine 1
    goroutine N; waiting T
see: leash explain "chan send"
)report");
}

TEST(VerifyEveryTest, LeakedReceive) {
  const ProgramResult r = RunTest("ChanTest.Receive");
  EXPECT_EQ(r.status, 1);
  EXPECT_EQ(Failure(r, "ChanTest.Receive"),
            R"report(tests/integration/verify/leaky_program.cc:25: Failure
Failed
leash: ChanTest.Receive leaked 1 goroutine in 1 group

1 goroutine [chan receive] proved: no sender is alive
    leaks::Receive(leash::RecvChan<int>)  leaks.cc:29
    created by ChanTest_Receive_Test::TestBody at leaky_program.cc:26 in goroutine 1
    waits for Chan<int> (cap 3, len 0) made at leaky_program.cc:26; its last sender went at leaky_program.cc:26 in goroutine 1
    goroutine N; waiting T
see: leash explain "chan receive"
)report");
}

TEST(VerifyEveryTest, NilChannel) {
  const ProgramResult r = RunTest("ChanTest.NilChannel");
  EXPECT_EQ(r.status, 1);
  EXPECT_EQ(Failure(r, "ChanTest.NilChannel"),
            R"report(tests/integration/verify/leaky_program.cc:29: Failure
Failed
leash: ChanTest.NilChannel leaked 1 goroutine in 1 group

1 goroutine [chan receive (nil chan)] proved: the channel is nil
    leaks::ReceiveFromNil()  leaks.cc:34
    created by ChanTest_NilChannel_Test::TestBody at leaky_program.cc:29 in goroutine 1
    goroutine N; waiting T
see: leash explain "chan receive (nil chan)"
)report");
}

TEST(VerifyEveryTest, EmptySelect) {
  const ProgramResult r = RunTest("ChanTest.EmptySelect");
  EXPECT_EQ(r.status, 1);
  EXPECT_EQ(Failure(r, "ChanTest.EmptySelect"),
            R"report(tests/integration/verify/leaky_program.cc:31: Failure
Failed
leash: ChanTest.EmptySelect leaked 1 goroutine in 1 group

1 goroutine [select (no cases)] proved: the select has no case that can ever be ready
    leaks::SelectNothing()  leaks.cc:39
    created by ChanTest_EmptySelect_Test::TestBody at leaky_program.cc:31 in goroutine 1
    goroutine N; waiting T
see: leash explain "select (no cases)"
)report");
}

TEST(VerifyEveryTest, EqualLeaksAreOneGroupAndTheBiggestIsFirst) {
  const ProgramResult r = RunTest("ChanTest.Thousand");
  EXPECT_EQ(r.status, 1);
  EXPECT_EQ(Failure(r, "ChanTest.Thousand"),
            R"report(tests/integration/verify/leaky_program.cc:33: Failure
Failed
leash: ChanTest.Thousand leaked 1001 goroutines in 2 groups

1000 goroutines [chan receive (nil chan)] proved: the channel is nil
    leaks::ReceiveFromNil()  leaks.cc:34
    created by ChanTest_Thousand_Test::TestBody at leaky_program.cc:35 in goroutine 1
    goroutines N, N, N and 997 more; waiting T

1 goroutine [select (no cases)] proved: the select has no case that can ever be ready
    leaks::SelectNothing()  leaks.cc:39
    created by ChanTest_Thousand_Test::TestBody at leaky_program.cc:34 in goroutine 1
    goroutine N; waiting T
see: leash explain "chan receive (nil chan)"
)report");
}

TEST(VerifyEveryTest, WhatMayStillEndIsStillThere) {
  const ProgramResult r = RunTest("SlowTest.Sleep:SlowTest.Mutex");
  EXPECT_EQ(r.status, 1);
  EXPECT_EQ(Failure(r, "SlowTest.Sleep"),
            R"report(tests/integration/verify/leaky_program.cc:38: Failure
Failed
leash: SlowTest.Sleep leaked 1 goroutine in 1 group

1 goroutine [sleep] still there
    leaks::Sleep()  leaks.cc:44
    created by SlowTest_Sleep_Test::TestBody at leaky_program.cc:38 in goroutine 1
    goroutine N; waiting T
see: leash explain "sleep"
)report");
  EXPECT_EQ(Failure(r, "SlowTest.Mutex"),
            R"report(tests/integration/verify/leaky_program.cc:40: Failure
Failed
leash: SlowTest.Mutex leaked 1 goroutine in 1 group

1 goroutine [sync.Mutex.Lock] still there
    leaks::Lock(leash::Mutex*)  leaks.cc:58
    created by SlowTest_Mutex_Test::TestBody at leaky_program.cc:43 in goroutine 1
    waits for Mutex; held by goroutine 1
    goroutine N; waiting T
see: leash explain "sync.Mutex.Lock"
)report");
}

TEST(VerifyEveryTest, WhatRunsAndRunsIsARunaway) {
  const ProgramResult r = RunTest("SlowTest.Spin");
  EXPECT_EQ(r.status, 1);
  const std::string failure = Failure(r, "SlowTest.Spin");
  EXPECT_THAT(failure, HasSubstr("leash: SlowTest.Spin leaked 1 goroutine in 1 group\n"));
  EXPECT_THAT(failure, HasSubstr("] runaway\n"));
  EXPECT_THAT(failure, HasSubstr("created by SlowTest_Spin_Test::TestBody at leaky_program.cc:46"));
}

TEST(VerifyEveryTest, CleanTestsPass) {
  const ProgramResult r = RunTest("CleanTest.*");
  EXPECT_EQ(r.status, 0) << r.out << r.err;
  EXPECT_THAT(r.out, Not(HasSubstr("leash:")));
  EXPECT_EQ(r.err, "");
}

TEST(VerifyEveryTest, DescendantsAndThreadsBelongToTheTest) {
  const ProgramResult r = RunTest("SpawnTest.*");
  EXPECT_EQ(r.status, 1);
  EXPECT_EQ(Failure(r, "SpawnTest.GrandChild"),
            R"report(tests/integration/verify/leaky_program.cc:58: Failure
Failed
leash: SpawnTest.GrandChild leaked 1 goroutine in 1 group

1 goroutine [chan receive (nil chan)] proved: the channel is nil
    leaks::ReceiveFromNil()  leaks.cc:34
    created by leaks::SpawnOnce at leaks.cc:17 in goroutine N
    goroutine N; waiting T
see: leash explain "chan receive (nil chan)"
)report");
  EXPECT_THAT(Failure(r, "SpawnTest.FromThread"),
              HasSubstr("leash: SpawnTest.FromThread leaked 1 goroutine in 1 group\n"));
}

TEST(VerifyEveryTest, FailedTestIsNotVerified) {
  const ProgramResult r = RunTest("BadTest.*:CleanTest.Nobody");
  EXPECT_EQ(r.status, 1);
  EXPECT_THAT(r.out, HasSubstr("the test's own failure"));
  EXPECT_THAT(r.out, HasSubstr("the test's own exception"));
  EXPECT_THAT(r.out, HasSubstr(" 2 FAILED TESTS\n"));
  EXPECT_THAT(r.out, Not(HasSubstr("leaked")));
}

TEST(VerifyEveryTest, SuiteSetUpIsTheSuitesNotATests) {
  const ProgramResult r = RunTest("SuiteTest.*");
  EXPECT_EQ(r.status, 1);
  EXPECT_THAT(r.out, HasSubstr("[       OK ] SuiteTest.First"));
  EXPECT_THAT(r.out, HasSubstr("[       OK ] SuiteTest.Second"));
  EXPECT_EQ(Between(Normalized(r.out), "tests/integration", "see: "),
            R"report(tests/integration/verify/leaky_program.cc:80: Failure
Failed
leash: SuiteTest (suite) leaked 1 goroutine in 1 group

1 goroutine [chan receive (nil chan)] proved: the channel is nil
    leaks::ReceiveFromNil()  leaks.cc:34
    created by SuiteTest::SetUpTestSuite at leaky_program.cc:80 in goroutine 1
    goroutine N; waiting T
see: )report");
  EXPECT_THAT(r.out, HasSubstr("[  FAILED  ] SuiteTest: SetUpTestSuite or TearDownTestSuite"));
}

TEST(VerifyEveryTest, EnvironmentAndWhatRanBeforeMainAnswerAtTheEnd) {
  const ProgramResult r =
      RunTest("CleanTest.*", {}, {"LEAK_IN_ENVIRONMENT=1", "LEAK_BEFORE_MAIN=1"});
  EXPECT_EQ(r.status, 1);
  EXPECT_THAT(r.out, HasSubstr("leash: global test environment leaked 1 goroutine in 1 group\n"));
  EXPECT_THAT(r.out, HasSubstr("created by Environment::SetUp at leaky_program.cc:"));
  EXPECT_THAT(r.out, HasSubstr("leash: code outside of tests leaked 1 goroutine in 1 group\n"));
  EXPECT_THAT(r.out, Not(HasSubstr("[  FAILED  ] CleanTest")));
}

TEST(VerifyEveryTest, XmlHasTheFailureInItsTest) {
  const std::string path = ::testing::TempDir() + "/verify_every." + std::to_string(getpid());
  const ProgramResult r =
      RunTest("ChanTest.Send:CleanTest.Nobody:SuiteTest.First", {"--gtest_output=xml:" + path});
  EXPECT_EQ(r.status, 1);
  std::ostringstream xml;
  xml << std::ifstream(path).rdbuf();
  std::remove(path.c_str());
  const std::string test = Between(xml.str(), "<testcase name=\"Send\"", "</testcase>");
  EXPECT_THAT(test, HasSubstr("leash: ChanTest.Send leaked 1 goroutine in 1 group"));
  EXPECT_THAT(test, HasSubstr("waits for Chan<int> \"evictions\" (cap 0)"));
  EXPECT_THAT(Between(xml.str(), "<testcase name=\"Nobody\"", "/>"), Not(HasSubstr("failure")));
  EXPECT_THAT(xml.str(), HasSubstr("<testsuites tests=\"3\" failures=\"1\" "));
  // GoogleTest writes no failures of suites; their properties it does.
  EXPECT_THAT(Between(xml.str(), "<testsuite name=\"SuiteTest\"", ">"),
              HasSubstr("leak=\"leash: SuiteTest (suite) leaked 1 goroutine in 1 group\""));
}

TEST(VerifyEveryTest, RepeatedTestAnswersForItsOwnRunOnly) {
  const ProgramResult r = RunTest("ChanTest.NilChannel:CleanTest.*", {"--gtest_repeat=3"});
  EXPECT_EQ(r.status, 1);
  size_t reports = 0;
  for (size_t at = 0; (at = r.out.find("leaked 1 goroutine in 1 group", at)) != r.out.npos; ++at) {
    ++reports;
  }
  EXPECT_EQ(reports, 3u) << r.out;
  EXPECT_THAT(r.out, Not(HasSubstr("[  FAILED  ] CleanTest")));
}

TEST(VerifyEveryTest, DeathTestsDieAsTheyShould) {
  const ProgramResult r = RunTest("DyingTest.*");
  EXPECT_EQ(r.status, 0) << r.out << r.err;
  EXPECT_THAT(r.out + r.err, Not(HasSubstr("leash:")));
}

TEST(VerifyEveryTest, ShardRunsItsPart) {
  int failed = 0;
  for (const char* index : {"0", "1"}) {
    const ProgramResult r =
        RunTest("ChanTest.NilChannel:CleanTest.Nobody", {},
                {"GTEST_TOTAL_SHARDS=2", std::string("GTEST_SHARD_INDEX=") + index});
    if (r.status != 0) ++failed;
    EXPECT_EQ(r.status != 0, r.out.find("ChanTest.NilChannel leaked") != r.out.npos) << r.out;
  }
  EXPECT_EQ(failed, 1);
}

TEST(VerifyEveryTest, BreaksOnFailure) {
  const ProgramResult r = RunTest("ChanTest.NilChannel", {"--gtest_break_on_failure"});
  EXPECT_EQ(r.signal, SIGTRAP);
  EXPECT_THAT(r.out, HasSubstr("leash: ChanTest.NilChannel leaked 1 goroutine in 1 group\n"));
}

TEST(VerifyEveryTest, ListingVerifiesNothing) {
  const ProgramResult r = RunTest("CleanTest.*", {"--gtest_list_tests"}, {"LEAK_BEFORE_MAIN=1"});
  EXPECT_EQ(r.status, 0);
  EXPECT_EQ(r.out, "CleanTest.\n  Nobody\n  EndsSoon\n  Background\n  Thread\n");
}

}  // namespace
}  // namespace leash::testing
