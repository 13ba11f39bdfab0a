// RWMutex.

#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <shared_mutex>

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

constinit RWMutex global_mutex;

TEST(RWMutexTest, ReadersShareAndWritersDoNot) {
  RWMutex mu;
  mu.RLock();
  EXPECT_TRUE(mu.TryRLock());
  EXPECT_FALSE(mu.TryLock());
  mu.RUnlock();
  EXPECT_FALSE(mu.TryLock());
  mu.RUnlock();
  EXPECT_TRUE(mu.TryLock());
  EXPECT_FALSE(mu.TryLock());
  EXPECT_FALSE(mu.TryRLock());
  mu.Unlock();
  EXPECT_TRUE(mu.TryRLock());
  mu.RUnlock();
}

TEST(RWMutexTest, AGlobalNeedsNoConstructor) {
  WriteLock lock(&global_mutex);
  EXPECT_FALSE(global_mutex.TryRLock());
}

TEST(RWMutexTest, StandardLocksTakeIt) {
  RWMutex mu;
  {
    std::shared_lock<RWMutex> one(mu);
    std::shared_lock<RWMutex> two(mu, std::try_to_lock);
    EXPECT_TRUE(two.owns_lock());
    EXPECT_FALSE(mu.TryLock());
  }
  std::unique_lock<RWMutex> writer(mu);
  std::shared_lock<RWMutex> reader(mu, std::try_to_lock);
  EXPECT_FALSE(reader.owns_lock());
}

TEST(RWMutexTest, ScopedLocksHoldForTheirScope) {
  RWMutex mu;
  {
    ReadLock lock(&mu);
    EXPECT_TRUE(mu.TryRLock());
    mu.RUnlock();
    EXPECT_FALSE(mu.TryLock());
  }
  WriteLock lock(&mu);
  EXPECT_FALSE(mu.TryRLock());
}

TEST(RWMutexTest, TheReadSideIsALock) {
  RWMutex mu;
  ReadLocker reader = mu.RLocker();
  {
    std::lock_guard<ReadLocker> guard(reader);
    EXPECT_EQ(FactsOf(mu).readers, 1);
  }
  EXPECT_EQ(FactsOf(mu).readers, 0);
}

TEST(RWMutexTest, AnotherGoroutineMayUnlock) {
  RWMutex mu;
  mu.Lock();
  go([&] { mu.Unlock(); });
  mu.RLock();
  go([&] { mu.RUnlock(); });
  mu.Lock();
  mu.Unlock();
}

TEST(RWMutexTest, AWaitingWriterStopsNewReaders) {
  RWMutex mu;
  std::atomic<bool> reader_in{false}, writer_in{false};
  mu.RLock();
  Crew crew;
  crew.Start([&] {
    WriteLock lock(&mu);
    EXPECT_FALSE(reader_in);
    writer_in = true;
  });
  ASSERT_TRUE(EventuallyWaiting(mu, 1));
  EXPECT_FALSE(mu.TryRLock());
  crew.Start([&] {
    ReadLock lock(&mu);
    EXPECT_TRUE(writer_in);
    reader_in = true;
  });
  ASSERT_TRUE(EventuallyWaiting(mu, 2));
  EXPECT_FALSE(writer_in);
  mu.RUnlock();
  crew.Join();
  EXPECT_TRUE(reader_in);
}

TEST(RWMutexTest, ALeavingWriterLetsInTheReadersBeforeTheNextWriter) {
  RWMutex mu;
  std::atomic<int> readers_in{0};
  std::atomic<bool> go_on{false}, writer_in{false};
  mu.Lock();
  Crew crew;
  crew.Start([&] {
    WriteLock lock(&mu);
    EXPECT_EQ(readers_in, 3);
    writer_in = true;
  });
  ASSERT_TRUE(EventuallyWaiting(mu, 1));
  for (int i = 0; i < 3; ++i) {
    crew.Start([&] {
      ReadLock lock(&mu);
      ++readers_in;
      EXPECT_TRUE(Eventually([&] { return go_on.load(); }));
      EXPECT_FALSE(writer_in);
    });
  }
  ASSERT_TRUE(EventuallyWaiting(mu, 4));
  mu.Unlock();
  ASSERT_TRUE(Eventually([&] { return readers_in == 3; }));
  EXPECT_FALSE(writer_in);
  go_on = true;
  crew.Join();
  EXPECT_TRUE(writer_in);
}

class RWMutexCrewTest : public ::testing::TestWithParam<CrewKind> {};

TEST_P(RWMutexCrewTest, ReadersSeeNoWriterAndWritersNobody) {
  constexpr int kReaders = 8, kWriters = 3, kRounds = 1000;
  RWMutex mu;
  std::atomic<int> activity{0};  // readers count 1, a writer 10000
  int64_t value = 0;             // by mu alone
  Crew crew(GetParam());
  for (int i = 0; i < kWriters; ++i) {
    crew.Start([&, i] {
      for (int round = 0; round < kRounds; ++round) {
        if (round % 16 != 0 || !mu.TryLock()) mu.Lock();
        EXPECT_EQ(activity.fetch_add(10000), 0);
        ++value;
        if ((round + i) % 64 == 0) Gosched();
        EXPECT_EQ(activity.fetch_sub(10000), 10000);
        mu.Unlock();
      }
    });
  }
  for (int i = 0; i < kReaders; ++i) {
    crew.Start([&, i] {
      for (int round = 0; round < kRounds; ++round) {
        if (round % 16 != 0 || !mu.TryRLock()) mu.RLock();
        const int64_t seen = value;
        EXPECT_LT(activity.fetch_add(1), kReaders);
        if ((round + i) % 64 == 0) Gosched();
        EXPECT_LE(activity.fetch_sub(1), kReaders);
        EXPECT_EQ(value, seen);
        mu.RUnlock();
      }
    });
  }
  crew.Join();
  EXPECT_EQ(value, int64_t{kWriters} * kRounds);
  EXPECT_TRUE(mu.TryLock());
  mu.Unlock();
}

TEST_P(RWMutexCrewTest, MayBeDestroyedByTheLastOfTwoWriters) {
  for (int round = 0; round < 100; ++round) {
    testing::Grave<RWMutex> grave;
    RWMutex* const mu = grave.get();
    const bool read_first = round % 2 == 0;
    read_first ? mu->RLock() : mu->Lock();
    int left = 2;  // by mu alone
    Crew crew(GetParam());
    for (int i = 0; i < 2; ++i) {
      crew.Start([&] {
        mu->Lock();
        const bool last = --left == 0;
        mu->Unlock();
        if (last) grave.Bury();
      });
    }
    if (round % 3 == 0) Gosched();
    read_first ? mu->RUnlock() : mu->Unlock();
    crew.Join();
    ASSERT_TRUE(grave.Undisturbed());
  }
}

TEST_P(RWMutexCrewTest, MayBeDestroyedByTheReaderThatTheWriterLetIn) {
  for (int round = 0; round < 100; ++round) {
    testing::Grave<RWMutex> grave;
    RWMutex* const mu = grave.get();
    mu->Lock();
    Crew crew(GetParam());
    crew.Start([&] {
      mu->RLock();
      mu->RUnlock();
      grave.Bury();
    });
    if (round % 4 == 0) {
      ASSERT_TRUE(EventuallyWaiting(*mu, 1));
    }
    mu->Unlock();
    crew.Join();
    ASSERT_TRUE(grave.Undisturbed());
  }
}

TEST_P(RWMutexCrewTest, MayBeDestroyedByTheWriterThatTheReaderLetIn) {
  for (int round = 0; round < 100; ++round) {
    testing::Grave<RWMutex> grave;
    RWMutex* const mu = grave.get();
    mu->RLock();
    Crew crew(GetParam());
    crew.Start([&] {
      mu->Lock();
      mu->Unlock();
      grave.Bury();
    });
    if (round % 4 == 0) {
      ASSERT_TRUE(EventuallyWaiting(*mu, 1));
    }
    mu->RUnlock();
    crew.Join();
    ASSERT_TRUE(grave.Undisturbed());
  }
}

INSTANTIATE_TEST_SUITE_P(Crews, RWMutexCrewTest,
                         ::testing::Values(CrewKind::kGoroutines, CrewKind::kThreads,
                                           CrewKind::kMixed),
                         testing::CrewName);

}  // namespace
}  // namespace leash
