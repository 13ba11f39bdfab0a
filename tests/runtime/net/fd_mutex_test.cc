#include "net/fd_mutex.h"

#include <gtest/gtest.h>

#include <atomic>

#include "leash/go.h"
#include "leash/sync.h"

namespace leash::rt {
namespace {

TEST(FdMutexTest, TheLastReferenceOfAClosedOneSaysSo) {
  FdMutex mutex;
  EXPECT_TRUE(mutex.Ref());
  EXPECT_TRUE(mutex.Acquire(PollMode::kRead, nullptr));
  EXPECT_TRUE(mutex.CloseAndRef());
  EXPECT_FALSE(mutex.CloseAndRef());
  EXPECT_FALSE(mutex.Ref());
  EXPECT_FALSE(mutex.Acquire(PollMode::kWrite, nullptr));
  EXPECT_FALSE(mutex.Unref());
  EXPECT_FALSE(mutex.Release(PollMode::kRead));
  EXPECT_TRUE(mutex.Unref());
}

TEST(FdMutexTest, OneAtATimeInEachDirection) {
  FdMutex mutex;
  std::atomic<int> inside[2] = {};
  WaitGroup wg;
  for (int i = 0; i < 16; ++i) {
    wg.Go([&, i] {
      const auto mode = static_cast<PollMode>(i % 2);
      for (int n = 0; n < 1000; ++n) {
        ASSERT_TRUE(mutex.Acquire(mode, nullptr));
        EXPECT_EQ(inside[i % 2]++, 0);
        if (n % 7 == 0) Gosched();
        --inside[i % 2];
        EXPECT_FALSE(mutex.Release(mode));
      }
    });
  }
  wg.Wait();
}

TEST(FdMutexTest, ExactlyOneIsTheLastWhenItIsClosed) {
  for (int turn = 0; turn < 200; ++turn) {
    FdMutex mutex;
    std::atomic<int> last{0}, closers{0};
    WaitGroup wg;
    for (int i = 0; i < 8; ++i) {
      wg.Go([&, i] {
        const auto mode = static_cast<PollMode>(i % 2);
        while (mutex.Acquire(mode, nullptr)) {
          if (i % 3 == 0) Gosched();
          if (mutex.Release(mode)) ++last;
        }
      });
      if (i % 4 == 3) {
        wg.Go([&] {
          for (int n = 0; n < turn % 7; ++n) Gosched();
          if (!mutex.CloseAndRef()) return;
          ++closers;
          if (mutex.Unref()) ++last;
        });
      }
    }
    wg.Wait();
    EXPECT_EQ(closers, 1);
    EXPECT_EQ(last, 1);
  }
}

}  // namespace
}  // namespace leash::rt
