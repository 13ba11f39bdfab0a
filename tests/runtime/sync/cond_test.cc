// Cond.

#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <vector>

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

constinit Mutex global_mutex;
constinit Cond global_cond(&global_mutex);

TEST(CondTest, SignalsThatNobodyWaitsForAreForgotten) {
  global_cond.Signal();
  global_cond.Broadcast();
  EXPECT_EQ(FactsOf(global_cond).waiters, 0u);
}

TEST(CondTest, SignalWakesInTheOrderInWhichTheyCame) {
  Mutex mu;
  Cond cond(&mu);
  std::vector<int> woken;  // by mu
  Crew crew;
  for (int i = 0; i < 4; ++i) {
    crew.Start([&, i] {
      MutexLock lock(&mu);
      cond.Wait();
      woken.push_back(i);
    });
    ASSERT_TRUE(EventuallyWaiting(cond, i + 1));
  }
  for (int i = 0; i < 4; ++i) {
    cond.Signal();
    ASSERT_TRUE(Eventually([&] {
      MutexLock lock(&mu);
      return woken.size() == static_cast<size_t>(i) + 1;
    }));
  }
  crew.Join();
  EXPECT_EQ(woken, (std::vector<int>{0, 1, 2, 3}));
}

TEST(CondTest, BroadcastWakesAllThatWaitAndNoneThatComeLater) {
  Mutex mu;
  Cond cond(&mu);
  std::atomic<int> woken{0};
  Crew crew;
  const auto wait = [&] {
    MutexLock lock(&mu);
    cond.Wait();
    ++woken;
  };
  for (int i = 0; i < 5; ++i) crew.Start(wait);
  ASSERT_TRUE(EventuallyWaiting(cond, 5));
  cond.Broadcast();
  ASSERT_TRUE(Eventually([&] { return woken == 5; }));
  crew.Start(wait);
  ASSERT_TRUE(EventuallyWaiting(cond, 1));
  EXPECT_EQ(woken, 5);
  cond.Signal();
  crew.Join();
  EXPECT_EQ(woken, 6);
}

TEST(CondTest, WaitsOnTheWriteSideOfAnRWMutex) {
  RWMutex mu;
  Cond cond(&mu);
  Crew crew;
  crew.Start([&] {
    WriteLock lock(&mu);
    cond.Wait();
    EXPECT_FALSE(mu.TryRLock());
  });
  ASSERT_TRUE(EventuallyWaiting(cond, 1));
  {
    WriteLock lock(&mu);
  }  // it has been unlocked
  cond.Signal();
  crew.Join();
}

TEST(CondTest, WaitsOnTheReadSideOfAnRWMutex) {
  RWMutex mu;
  Cond cond(mu.RLocker());
  std::atomic<int> woken{0};
  Crew crew;
  for (int i = 0; i < 2; ++i) {
    crew.Start([&] {
      ReadLock lock(&mu);
      cond.Wait();
      EXPECT_FALSE(mu.TryLock());
      ++woken;
      // Both are in at the same time: the read side is what was locked again.
      EXPECT_TRUE(Eventually([&] { return woken == 2; }));
    });
  }
  ASSERT_TRUE(EventuallyWaiting(cond, 2));
  {
    WriteLock lock(&mu);
  }
  cond.Broadcast();
  crew.Join();
}

class CondCrewTest : public ::testing::TestWithParam<CrewKind> {};

TEST_P(CondCrewTest, ProducersAndConsumersLoseNothing) {
  constexpr int kProducers = 3, kConsumers = 3, kItems = 2000, kRoom = 4;
  Mutex mu;
  Cond not_empty(&mu), not_full(&mu);
  std::deque<int> queue;
  int64_t consumed_sum = 0;
  Crew crew(GetParam());
  for (int p = 0; p < kProducers; ++p) {
    crew.Start([&] {
      for (int i = 1; i <= kItems; ++i) {
        MutexLock lock(&mu);
        while (queue.size() == kRoom) not_full.Wait();
        queue.push_back(i);
        not_empty.Signal();
      }
    });
  }
  for (int c = 0; c < kConsumers; ++c) {
    crew.Start([&] {
      for (int i = 0; i < kItems; ++i) {
        mu.Lock();
        while (queue.empty()) not_empty.Wait();
        consumed_sum += queue.front();
        queue.pop_front();
        mu.Unlock();
        not_full.Signal();  // without the lock, as is allowed
      }
    });
  }
  crew.Join();
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(consumed_sum, int64_t{kProducers} * kItems * (kItems + 1) / 2);
}

TEST_P(CondCrewTest, MayBeDestroyedByTheOneItWoke) {
  for (int round = 0; round < 100; ++round) {
    testing::Grave<Cond> grave(&global_mutex);
    Cond* const cond = grave.get();
    bool ready = false;
    Crew crew(GetParam());
    crew.Start([&] {
      {
        MutexLock lock(&global_mutex);
        while (!ready) cond->Wait();
      }
      grave.Bury();
    });
    if (round % 2 == 0) {
      ASSERT_TRUE(EventuallyWaiting(*cond, 1));
    }
    {
      MutexLock lock(&global_mutex);
      ready = true;
      round % 4 < 2 ? cond->Signal() : cond->Broadcast();
    }
    crew.Join();
    ASSERT_TRUE(grave.Undisturbed());
  }
}

INSTANTIATE_TEST_SUITE_P(Crews, CondCrewTest,
                         ::testing::Values(CrewKind::kGoroutines, CrewKind::kThreads,
                                           CrewKind::kMixed),
                         testing::CrewName);

}  // namespace
}  // namespace leash
