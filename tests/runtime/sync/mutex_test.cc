// Mutex.

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <type_traits>

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

static_assert(!std::is_copy_constructible_v<Mutex> && !std::is_move_constructible_v<Mutex>);
static_assert(std::is_trivially_destructible_v<Mutex>);

TEST(MutexTest, AGlobalNeedsNoConstructor) {
  global_mutex.Lock();
  global_mutex.Unlock();
}

TEST(MutexTest, TryLockTakesOnlyAFreeOne) {
  Mutex mu;
  EXPECT_TRUE(mu.TryLock());
  EXPECT_FALSE(mu.TryLock());
  mu.Unlock();
  EXPECT_TRUE(mu.TryLock());
  mu.Unlock();
}

TEST(MutexTest, AnotherGoroutineMayUnlock) {
  Mutex mu;
  mu.Lock();
  go([&] { mu.Unlock(); });
  mu.Lock();
  mu.Unlock();
}

TEST(MutexTest, StandardGuardsTakeIt) {
  Mutex a, b;
  {
    std::lock_guard<Mutex> guard(a);
    EXPECT_FALSE(a.TryLock());
  }
  {
    std::scoped_lock<Mutex, Mutex> both(a, b);
    EXPECT_FALSE(a.TryLock());
    EXPECT_FALSE(b.TryLock());
  }
  std::unique_lock<Mutex> unique(a, std::try_to_lock);
  EXPECT_TRUE(unique.owns_lock());
}

TEST(MutexTest, MutexLockHoldsForItsScope) {
  Mutex mu;
  {
    MutexLock lock(&mu);
    EXPECT_FALSE(mu.TryLock());
  }
  EXPECT_TRUE(mu.TryLock());
  mu.Unlock();
}

class MutexCrewTest : public ::testing::TestWithParam<CrewKind> {};

TEST_P(MutexCrewTest, OneAtATime) {
  constexpr int kMembers = 10, kRounds = 2000;
  Mutex mu;
  int64_t counter = 0;  // by mu alone
  int inside = 0;
  Crew crew(GetParam());
  for (int i = 0; i < kMembers; ++i) {
    crew.Start([&, i] {
      for (int round = 0; round < kRounds; ++round) {
        if (round % 8 == 7) {
          if (!mu.TryLock()) mu.Lock();
        } else {
          mu.Lock();
        }
        EXPECT_EQ(++inside, 1);
        ++counter;
        // Once in a while the holder gives up its processor while it holds the lock.
        if ((round + i) % 64 == 0) Gosched();
        --inside;
        mu.Unlock();
      }
    });
  }
  crew.Join();
  EXPECT_EQ(counter, int64_t{kMembers} * kRounds);
  EXPECT_FALSE(FactsOf(mu).held);
  EXPECT_EQ(FactsOf(mu).waiters, 0u);
}

// The bound that starvation mode gives: a waiter that has lost once after a millisecond is next.
TEST_P(MutexCrewTest, AWaiterLosesOnceAfterAMillisecondAtMost) {
  for (int round = 0; round < 20; ++round) {
    Mutex mu;
    std::atomic<bool> release{false};
    mu.Lock();
    Crew crew(GetParam());
    crew.Start([&] {
      mu.Lock();
      EXPECT_TRUE(Eventually([&] { return release.load(); }));
      mu.Unlock();
    });
    int losses = 0;
    for (;;) {
      ASSERT_TRUE(EventuallyWaiting(mu, 1));
      testing::Compute(std::chrono::milliseconds(2));
      mu.Unlock();
      if (!mu.TryLock()) break;
      ++losses;
    }
    EXPECT_LE(losses, 1);
    release = true;
    crew.Join();
  }
}

TEST_P(MutexCrewTest, AHogDoesNotStarveTheOthers) {
  Mutex mu;
  std::atomic<bool> stop{false};
  Crew crew(GetParam());
  for (int i = 0; i < 2; ++i) {
    crew.Start([&] {
      while (!stop.load(std::memory_order_relaxed)) {
        mu.Lock();
        testing::Compute(std::chrono::microseconds(100));
        mu.Unlock();
      }
    });
  }
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 10; ++i) {
    mu.Lock();
    mu.Unlock();
    Gosched();
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
  stop = true;
  crew.Join();
}

TEST_P(MutexCrewTest, MayBeDestroyedByTheNextHolder) {
  for (int round = 0; round < 100; ++round) {
    testing::Grave<Mutex> grave;
    Mutex* const mu = grave.get();
    mu->Lock();
    Crew crew(GetParam());
    crew.Start([&] {
      mu->Lock();
      mu->Unlock();
      grave.Bury();
    });
    if (round % 2 == 0) Gosched();
    if (round % 5 == 0) {
      ASSERT_TRUE(EventuallyWaiting(*mu, 1));
    }
    mu->Unlock();
    crew.Join();
    ASSERT_TRUE(grave.Undisturbed());
  }
}

INSTANTIATE_TEST_SUITE_P(Crews, MutexCrewTest,
                         ::testing::Values(CrewKind::kGoroutines, CrewKind::kThreads,
                                           CrewKind::kMixed),
                         testing::CrewName);

}  // namespace
}  // namespace leash
