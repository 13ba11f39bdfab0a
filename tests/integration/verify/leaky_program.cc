// Tests that leak, each in its own way, for programs that the tests run: with leash::verify_main as
// verify_every_program, with TestMain() as test_main_program. Line numbers stand in reports.

#include <cstdlib>
#include <stdexcept>
#include <string_view>
#include <thread>

#include "gtest/gtest.h"
#include "integration/verify/leaks.h"
#include "leash/chan.h"
#include "leash/debug.h"
#include "leash/go.h"
#include "leash/sync.h"

namespace {

bool Asked(const char* knob) { return std::getenv(knob) != nullptr; }

TEST(ChanTest, Send) {
  auto evictions = leash::MakeChan<int>(0, "evictions");
  leash::go(leaks::Send, leash::SendChan<int>(evictions));
}

TEST(ChanTest, Receive) {
  leash::go(leaks::Receive, leash::RecvChan<int>(leash::MakeChan<int>(3)));
}

TEST(ChanTest, NilChannel) { leash::go(leaks::ReceiveFromNil); }

TEST(ChanTest, EmptySelect) { leash::go(leaks::SelectNothing); }

TEST(ChanTest, Thousand) {
  leash::go(leaks::SelectNothing);
  for (int i = 0; i < 1000; ++i) leash::go(leaks::ReceiveFromNil);
}

TEST(SlowTest, Sleep) { leash::go(leaks::Sleep); }

TEST(SlowTest, Mutex) {
  static leash::Mutex mu;
  mu.Lock();
  leash::go(leaks::Lock, &mu);
}

TEST(SlowTest, Spin) { leash::go(leaks::Spin); }

TEST(CleanTest, Nobody) {}

TEST(CleanTest, EndsSoon) { leash::go(leaks::EndSoon); }

TEST(CleanTest, Background) { leash::GoBackground("stays", leaks::ReceiveFromNil); }

TEST(CleanTest, Thread) {
  std::thread([] { leash::MakeChan<int>(1).Send(1); }).join();
}

TEST(SpawnTest, GrandChild) { leash::go(leaks::SpawnTwice); }

TEST(SpawnTest, FromThread) {
  std::thread([] { leash::go(leaks::ReceiveFromNil); }).join();
}

TEST(BadTest, FailsAndLeaks) {
  leash::go(leaks::ReceiveFromNil);
  ADD_FAILURE() << "the test's own failure";
}

TEST(BadTest, ThrowsAndLeaks) {
  leash::go(leaks::ReceiveFromNil);
  throw std::runtime_error("the test's own exception");
}

TEST(BadTest, Skips) { GTEST_SKIP(); }

TEST(LabelTest, Name) { leash::GoWith({.name = "poller"}, leaks::ReceiveFromNil); }

class SuiteTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { leash::go(leaks::ReceiveFromNil); }
};
TEST_F(SuiteTest, First) {}
TEST_F(SuiteTest, Second) {}

class DyingTest : public testing::Test {};
TEST_F(DyingTest, Fast) {
  GTEST_FLAG_SET(death_test_style, "fast");
  leash::go(leaks::EndSoon);
  EXPECT_EXIT(({
                leash::go(leaks::ReceiveFromNil);
                std::exit(3);
              }),
              testing::ExitedWithCode(3), "^$");
}
TEST_F(DyingTest, Threadsafe) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(({
                leash::go(leaks::ReceiveFromNil);
                std::exit(3);
              }),
              testing::ExitedWithCode(3), "^$");
}

class Environment : public testing::Environment {
 public:
  void SetUp() override {
    if (Asked("LEAK_IN_ENVIRONMENT")) leash::go(leaks::ReceiveFromNil);
  }
};
[[maybe_unused]] const testing::Environment* const environment =
    testing::AddGlobalTestEnvironment(new Environment);

[[maybe_unused]] const bool before_main = [] {
  if (Asked("LEAK_BEFORE_MAIN")) leash::go(leaks::ReceiveFromNil);
  return true;
}();

// The first one's goroutine goes on while the second one runs, and spawns then.
leash::Chan<leash::Unit>& SecondRuns() {
  static auto* runs = new leash::Chan<leash::Unit>(leash::MakeChan<leash::Unit>());
  return *runs;
}
TEST(OverlapTest, First) {
  leash::go([] {
    SecondRuns().Recv();
    leash::go(leaks::ReceiveFromNil);
    SecondRuns().Send({});
  });
}
TEST(OverlapTest, Second) {
  SecondRuns().Send({});
  leash::go(leaks::SelectNothing);
  SecondRuns().Recv();
}

}  // namespace
