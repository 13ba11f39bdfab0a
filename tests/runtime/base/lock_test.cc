#include "base/lock.h"

#include <thread>
#include <vector>

#include "base/race.h"
#include "gtest/gtest.h"

namespace leash::rt {
namespace {

TEST(LockTest, ExcludesOthers) {
  Lock lock{LockRank::kUnranked};
  int64_t counter = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < 50000; ++k) {
        LockHolder hold(lock);
        race::Acquire(&lock);  // the runtime's locks order nothing that ThreadSanitizer sees
        // Two steps, so that a second holder would show.
        const int64_t read = counter;
        counter = read + 1;
        race::Release(&lock);
      }
    });
  }
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(counter, 4 * 50000);
  EXPECT_FALSE(lock.IsHeld());
}

TEST(LockTest, TryLockFailsWhileHeld) {
  Lock lock{LockRank::kUnranked};
  ASSERT_TRUE(lock.try_lock());
  std::thread([&] { EXPECT_FALSE(lock.try_lock()); }).join();
  lock.unlock();
  ASSERT_TRUE(lock.try_lock());
  lock.unlock();
}

TEST(LockRankDeathTest, TakingThemOutOfOrderIsFatal) {
  EXPECT_EXIT(
      {
        CheckLockRanks(true);
        Lock sched_lock{LockRank::kSched};
        Lock chan_lock{LockRank::kChan};
        LockHolder a(sched_lock);
        LockHolder b(chan_lock);
      },
      ::testing::ExitedWithCode(2),
      "leash: internal error: lock rank: a lock is taken out of the order of base/lock_rank.h");
}

TEST(LockRankTest, AscendingOrderIsFine) {
  CheckLockRanks(true);
  Lock chan_lock{LockRank::kChan};
  Lock other_chan_lock{LockRank::kChan};
  Lock sched_lock{LockRank::kSched};
  {
    LockHolder a(chan_lock);
    LockHolder b(other_chan_lock);
    LockHolder c(sched_lock);
  }
  LockHolder again(chan_lock);
  CheckLockRanks(false);
}

}  // namespace
}  // namespace leash::rt
