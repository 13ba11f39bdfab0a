// Semaphore.

#include <gtest/gtest.h>

#include <atomic>
#include <vector>

#include "absl/status/status.h"
#include "leash/context.h"
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
using testing::PanicOf;

constinit Semaphore global_semaphore(1);

const absl::Status kCanceled = absl::CancelledError("context canceled");

TEST(SemaphoreTest, TakesAndGivesBackUnits) {
  Semaphore s(3);
  EXPECT_EQ(s.Acquire(Context(), 2), absl::OkStatus());
  EXPECT_FALSE(s.TryAcquire(2));
  EXPECT_TRUE(s.TryAcquire());
  EXPECT_EQ(FactsOf(s).counter, 0);
  s.Release(3);
  EXPECT_TRUE(s.TryAcquire(3));
  s.Release(3);
  EXPECT_TRUE(global_semaphore.TryAcquire());
  global_semaphore.Release();
}

TEST(SemaphoreTest, ReleaseOfMoreThanHeldPanicsAndChangesNothing) {
  Semaphore s(2);
  ASSERT_TRUE(s.TryAcquire());
  EXPECT_EQ(PanicOf([&] { s.Release(2); }), "semaphore: released more than held");
  EXPECT_EQ(FactsOf(s).counter, 1);
  s.Release();
  EXPECT_EQ(PanicOf([&] { s.Release(); }), "semaphore: released more than held");
  EXPECT_EQ(FactsOf(s).counter, 2);
}

TEST(SemaphoreTest, FirstComeFirstServed) {
  Semaphore s(4);
  ASSERT_TRUE(s.TryAcquire(4));
  std::vector<int> order;  // by the semaphore: each takes all but one at least
  Crew crew;
  for (int i = 0; i < 4; ++i) {
    crew.Start([&, i] {
      EXPECT_EQ(s.Acquire(Context(), 3 + i % 2), absl::OkStatus());
      order.push_back(i);
      s.Release(3 + i % 2);
    });
    ASSERT_TRUE(EventuallyWaiting(s, i + 1));
  }
  s.Release(4);
  crew.Join();
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3}));
}

TEST(SemaphoreTest, OneThatAsksForMuchIsNotPassed) {
  Semaphore s(3);
  ASSERT_TRUE(s.TryAcquire(2));
  Crew crew;
  std::atomic<bool> big{false};
  crew.Start([&] {
    EXPECT_EQ(s.Acquire(Context(), 3), absl::OkStatus());
    big = true;
    s.Release(3);
  });
  ASSERT_TRUE(EventuallyWaiting(s, 1));
  EXPECT_FALSE(s.TryAcquire()) << "one unit is free, but somebody waits";
  crew.Start([&] {
    EXPECT_EQ(s.Acquire(Context(), 1), absl::OkStatus());
    EXPECT_TRUE(big);
    s.Release(1);
  });
  ASSERT_TRUE(EventuallyWaiting(s, 2));
  s.Release(2);
  crew.Join();
}

TEST(SemaphoreTest, AContextThatHasEndedWinsOverFreeUnits) {
  Semaphore s(1);
  auto [ctx, cancel] = WithCancel(Context());
  cancel();
  EXPECT_EQ(s.Acquire(ctx), kCanceled);
  EXPECT_EQ(FactsOf(s).counter, 1);
}

TEST(SemaphoreTest, CancelEndsAWait) {
  Semaphore s(1);
  ASSERT_TRUE(s.TryAcquire());
  auto [ctx, cancel] = WithCancel(Context());
  Crew crew(CrewKind::kMixed);
  for (int i = 0; i < 4; ++i) {
    crew.Start([&, ctx = ctx] { EXPECT_EQ(s.Acquire(ctx), kCanceled); });
  }
  ASSERT_TRUE(EventuallyWaiting(s, 4));
  cancel();
  crew.Join();
  EXPECT_EQ(FactsOf(s).waiters, 0u);
  s.Release();
  EXPECT_TRUE(s.TryAcquire());
}

TEST(SemaphoreTest, ADeadlineEndsAWait) {
  Semaphore s(1);
  ASSERT_TRUE(s.TryAcquire());
  auto [ctx, cancel] = WithTimeout(Context(), absl::Milliseconds(5));
  EXPECT_EQ(s.Acquire(ctx), absl::DeadlineExceededError("context deadline exceeded"));
  cancel();
}

TEST(SemaphoreTest, WhenTheFirstIsCancelledTheNextAreServed) {
  Semaphore s(3);
  ASSERT_TRUE(s.TryAcquire(2));
  auto [ctx, cancel] = WithCancel(Context());
  Crew crew;
  crew.Start([&, ctx = ctx] { EXPECT_EQ(s.Acquire(ctx, 3), kCanceled); });
  ASSERT_TRUE(EventuallyWaiting(s, 1));
  crew.Start([&] { EXPECT_EQ(s.Acquire(Context(), 1), absl::OkStatus()); });
  ASSERT_TRUE(EventuallyWaiting(s, 2));
  cancel();
  crew.Join();
  EXPECT_EQ(FactsOf(s).counter, 0);
}

TEST(SemaphoreTest, MoreThanThereIsBlocksUntilTheContextEndsAndNobodyElse) {
  Semaphore s(2);
  auto [ctx, cancel] = WithCancel(Context());
  std::atomic<bool> begun{false}, returned{false};
  Crew crew;
  crew.Start([&, ctx = ctx] {
    begun = true;
    EXPECT_EQ(s.Acquire(ctx, 3), kCanceled);
    returned = true;
  });
  ASSERT_TRUE(Eventually([&] { return begun.load(); }));
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(s.Acquire(Context(), 2), absl::OkStatus());
    s.Release(2);
    Gosched();
  }
  EXPECT_FALSE(returned);
  cancel();
  crew.Join();
}

class SemaphoreCrewTest : public ::testing::TestWithParam<CrewKind> {};

TEST_P(SemaphoreCrewTest, NeverMoreThanThereAre) {
  constexpr int kUnits = 5, kMembers = 8, kRounds = 500;
  Semaphore s(kUnits);
  std::atomic<int> taken{0};
  Crew crew(GetParam());
  for (int m = 0; m < kMembers; ++m) {
    crew.Start([&, m] {
      for (int round = 0; round < kRounds; ++round) {
        const int n = 1 + (m + round) % kUnits;
        if (round % 4 != 0 || !s.TryAcquire(n)) {
          EXPECT_EQ(s.Acquire(Context(), n), absl::OkStatus());
        }
        EXPECT_LE(taken.fetch_add(n) + n, kUnits);
        if (round % 32 == 0) Gosched();
        taken.fetch_sub(n);
        s.Release(n);
      }
    });
  }
  crew.Join();
  EXPECT_EQ(FactsOf(s).counter, kUnits);
  EXPECT_EQ(FactsOf(s).waiters, 0u);
}

// Grant and cancel at the same time: one of them wins, and no unit is lost either way.
TEST_P(SemaphoreCrewTest, CancelAgainstReleaseLosesNoUnit) {
  constexpr int kRounds = 100;
  Semaphore s(1);
  int acquired = 0, canceled = 0;
  for (int round = 0; round < kRounds; ++round) {
    ASSERT_TRUE(s.TryAcquire());
    auto [ctx, cancel] = WithCancel(Context());
    absl::Status status;
    Crew crew(GetParam());
    crew.Start([&, ctx = ctx] { status = s.Acquire(ctx); });
    if (round % 2 == 0) {
      ASSERT_TRUE(EventuallyWaiting(s, 1));
    }
    crew.Start([cancel = cancel] { cancel(); });
    s.Release();
    crew.Join();
    if (status.ok()) {
      ++acquired;
      s.Release();
    } else {
      EXPECT_EQ(status, kCanceled);
      ++canceled;
    }
    ASSERT_EQ(FactsOf(s).counter, 1);
    ASSERT_EQ(FactsOf(s).waiters, 0u);
  }
  EXPECT_EQ(acquired + canceled, kRounds);
}

TEST_P(SemaphoreCrewTest, MayBeDestroyedByTheNextHolder) {
  for (int round = 0; round < 100; ++round) {
    testing::Grave<Semaphore> grave(1);
    Semaphore* const s = grave.get();
    ASSERT_TRUE(s->TryAcquire());
    Crew crew(GetParam());
    crew.Start([&] {
      EXPECT_EQ(s->Acquire(Context()), absl::OkStatus());
      grave.Bury();
    });
    if (round % 2 == 0) {
      ASSERT_TRUE(EventuallyWaiting(*s, 1));
    }
    s->Release();
    crew.Join();
    ASSERT_TRUE(grave.Undisturbed());
  }
}

INSTANTIATE_TEST_SUITE_P(Crews, SemaphoreCrewTest,
                         ::testing::Values(CrewKind::kGoroutines, CrewKind::kThreads,
                                           CrewKind::kMixed),
                         testing::CrewName);

}  // namespace
}  // namespace leash
