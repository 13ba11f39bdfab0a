// The threads of this process are counted, none left out: who is left out could wake somebody, and
// a deadlock would be reported that is none.

#include "sched/process_threads.h"

#include <algorithm>
#include <semaphore>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace leash::rt {
namespace {

TEST(ProcessThreadsTest, CountsWhoComesAndGoes) {
  constexpr int kCount = 10;
  const int before = CountProcessThreads();
  ASSERT_GT(before, 0);
  std::counting_semaphore<> end(0);
  std::vector<std::thread> threads;
  for (int i = 0; i < kCount; ++i) threads.emplace_back([&end] { end.acquire(); });
  // The runtime's own may come and go as well: one at a time in a test that starts nothing.
  EXPECT_GE(CountProcessThreads(), before + kCount - 1);
  end.release(kCount);
  for (std::thread& thread : threads) thread.join();
  // The kernel says that a thread has ended before it takes it off.
  while (CountProcessThreads() > before) std::this_thread::yield();
}

TEST(ProcessThreadsTest, NobodyIsLeftOutWhileOthersEnd) {
  constexpr int kRounds = 20, kCount = 60;
  for (int round = 0; round < kRounds; ++round) {
    std::counting_semaphore<> end_stayers(0), end_leavers(0);
    std::vector<std::thread> stayers, leavers;
    for (int i = 0; i < kCount; ++i) {
      leavers.emplace_back([&end_leavers] { end_leavers.acquire(); });
      stayers.emplace_back([&end_stayers] { end_stayers.acquire(); });
    }
    std::thread ender([&] {
      for (int i = 0; i < kCount; ++i) end_leavers.release();
    });
    int fewest = CountProcessThreads();
    for (int look = 0; look < 50; ++look) fewest = std::min(fewest, CountProcessThreads());
    EXPECT_GE(fewest, kCount + 1);
    ender.join();
    for (std::thread& thread : leavers) thread.join();
    end_stayers.release(kCount);
    for (std::thread& thread : stayers) thread.join();
  }
}

}  // namespace
}  // namespace leash::rt
