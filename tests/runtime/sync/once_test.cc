// Once.

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <string>

#include "leash/go.h"
#include "leash/sync.h"
#include "runtime/sync/sync_test_support.h"

namespace leash {
namespace {

using testing::Crew;
using testing::CrewKind;
using testing::Eventually;
using testing::EventuallyWaiting;
using testing::FactsOf;

constinit Once global_once;

TEST(OnceTest, RunsTheFirstFunctionOnly) {
  std::string calls;
  Once once;
  once.Do([&] { calls += "a"; });
  once.Do([&] { calls += "b"; });
  EXPECT_EQ(calls, "a");
  global_once.Do([] {});
}

TEST(OnceTest, AFunctionThatThrowsCountsAsDone) {
  Once once;
  EXPECT_THROW(once.Do([] { throw std::runtime_error("no"); }), std::runtime_error);
  bool again = false;
  once.Do([&] { again = true; });
  EXPECT_FALSE(again);
}

TEST(OnceTest, GoexitCountsAsDone) {
  Once once;
  WaitGroup wg;
  wg.Go([&] { once.Do([] { Goexit(); }); });
  wg.Wait();
  bool again = false;
  once.Do([&] { again = true; });
  EXPECT_FALSE(again);
}

TEST(OnceTest, ThoseThatComeMeanwhileWaitForTheEnd) {
  Once once;
  std::atomic<bool> finish{false};
  int result = 0;
  Crew crew;
  crew.Start([&] {
    once.Do([&] {
      EXPECT_TRUE(Eventually([&] { return finish.load(); }));
      result = 7;
    });
  });
  ASSERT_TRUE(Eventually([&] { return FactsOf(once).held; }));
  for (int i = 0; i < 3; ++i) {
    crew.Start([&] {
      once.Do([] { FAIL() << "ran twice"; });
      EXPECT_EQ(result, 7);
    });
  }
  ASSERT_TRUE(EventuallyWaiting(once, 3));
  finish = true;
  crew.Join();
  EXPECT_FALSE(FactsOf(once).held);
}

class OnceCrewTest : public ::testing::TestWithParam<CrewKind> {};

TEST_P(OnceCrewTest, OneRunsAndAllSeeWhatItDid) {
  for (int round = 0; round < 100; ++round) {
    Once once;
    int runs = 0;
    Crew crew(GetParam());
    for (int i = 0; i < 6; ++i) {
      crew.Start([&] {
        once.Do([&] { ++runs; });
        EXPECT_EQ(runs, 1);
      });
    }
    crew.Join();
    ASSERT_EQ(runs, 1);
  }
}

TEST_P(OnceCrewTest, MayBeDestroyedByWhoSeesItDone) {
  for (int round = 0; round < 100; ++round) {
    testing::Grave<Once> grave;
    Once* const once = grave.get();
    std::atomic<bool> running{false};
    Crew crew(GetParam());
    crew.Start([&] { once->Do([&] { running = true; }); });
    ASSERT_TRUE(Eventually([&] { return running.load(); }));
    once->Do([] {});
    grave.Bury();
    crew.Join();
    ASSERT_TRUE(grave.Undisturbed());
  }
}

INSTANTIATE_TEST_SUITE_P(Crews, OnceCrewTest,
                         ::testing::Values(CrewKind::kGoroutines, CrewKind::kThreads,
                                           CrewKind::kMixed),
                         testing::CrewName);

}  // namespace
}  // namespace leash
