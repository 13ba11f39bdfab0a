#include "sched/runtime_threads.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "sched/scheduler.h"
#include "sched/thread_stack.h"

namespace leash::rt {
namespace {

TEST(ThreadStackTest, HasTheCallersFrame) {
  const ThreadStack main = CurrentThreadStack();
  EXPECT_TRUE(main.Has(reinterpret_cast<uint64_t>(__builtin_frame_address(0))));
  std::thread([&main] {
    const ThreadStack its = CurrentThreadStack();
    const auto frame = reinterpret_cast<uint64_t>(__builtin_frame_address(0));
    EXPECT_TRUE(its.Has(frame));
    EXPECT_FALSE(main.Has(frame));
    EXPECT_FALSE(its.Has(its.top));
    EXPECT_FALSE(its.Has(its.low - 1));
  }).join();
}

TEST(RuntimeThreadsTest, OneIsKnownWithItsStackUntilItLeaves) {
  const int before = CountRuntimeThreads();
  int32_t tid = 0;
  std::thread([&] {
    tid = CurrentTid();
    EXPECT_FALSE(IsRuntimeThread(tid));
    RegisterRuntimeThread();
    ThreadStack stack;
    EXPECT_TRUE(IsRuntimeThread(tid, &stack));
    EXPECT_TRUE(stack.Has(reinterpret_cast<uint64_t>(__builtin_frame_address(0))));
    EXPECT_EQ(CountRuntimeThreads(), before + 1);
    UnregisterRuntimeThread();
    EXPECT_FALSE(IsRuntimeThread(tid));
    EXPECT_EQ(CountRuntimeThreads(), before);
  }).join();
  EXPECT_FALSE(IsRuntimeThread(tid));
}

// More than there is room for: those are counted, and not known.
TEST(RuntimeThreadsTest, TheirNumberIsRightHoweverManyThereAre) {
  constexpr int kThreads = 300;
  const int before = CountRuntimeThreads();
  std::atomic<int> registered{0};
  std::atomic<int> known{0};
  std::atomic<bool> leave{false};
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      RegisterRuntimeThread();
      if (IsRuntimeThread(CurrentTid())) ++known;
      ++registered;
      leave.wait(false);
      UnregisterRuntimeThread();
    });
  }
  while (registered < kThreads) std::this_thread::yield();
  EXPECT_EQ(CountRuntimeThreads(), before + kThreads);
  EXPECT_GT(known, 200);
  EXPECT_LT(known, kThreads);
  leave = true;
  leave.notify_all();
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(CountRuntimeThreads(), before);
}

// Law (2): threads come and go in the same few slots while others ask for them.
TEST(RuntimeThreadsTest, AStackIsThatOfTheThreadThatWasAskedFor) {
  constexpr int kThreads = 3;
  constexpr int kRounds = 2000;
  struct Known {
    std::atomic<int32_t> tid{0};
    std::atomic<uint64_t> frame{0};
  };
  Known all[kThreads];
  std::atomic<int> running{kThreads};
  std::vector<std::thread> threads;
  for (Known& known : all) {
    threads.emplace_back([&known, &running] {
      known.frame = reinterpret_cast<uint64_t>(__builtin_frame_address(0));
      known.tid = CurrentTid();
      for (int i = 0; i < kRounds; ++i) {
        RegisterRuntimeThread();
        UnregisterRuntimeThread();
      }
      --running;
    });
  }
  int seen = 0;
  while (running > 0) {
    for (const Known& known : all) {
      ThreadStack stack;
      const int32_t tid = known.tid;
      if (tid == 0 || !IsRuntimeThread(tid, &stack)) continue;
      ++seen;
      EXPECT_TRUE(stack.Has(known.frame));
    }
  }
  for (std::thread& t : threads) t.join();
  RecordProperty("seen", seen);
}

}  // namespace
}  // namespace leash::rt
