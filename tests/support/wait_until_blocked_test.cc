// Waiting until others wait sees goroutines and threads alike.

#include "support/wait_until_blocked.h"

#include <gtest/gtest.h>

#include <thread>

#include "leash/chan.h"
#include "leash/go.h"
#include "leash/sync.h"

namespace leash::testing {
namespace {

TEST(WaitUntilBlockedTest, GoroutineIsSeenOnceItWaits) {
  const Chan<uint64_t> id = MakeChan<uint64_t>(1);
  const Chan<Unit> release = MakeChan<Unit>();
  WaitGroup wg;
  wg.Go([&] {
    id.Send(GoroutineId());
    release.Recv();
  });
  EXPECT_TRUE(WaitUntilBlocked(id.Recv().value(), "chan receive"));
  release.Close();
  wg.Wait();
}

TEST(WaitUntilBlockedTest, ThreadIsSeenOnceItWaits) {
  Mutex mu;
  mu.Lock();
  std::thread thread([&] { const MutexLock touch(&mu); });
  EXPECT_TRUE(WaitUntilBlockedCount(1, "sync.Mutex.Lock"));
  mu.Unlock();
  thread.join();
}

TEST(WaitUntilBlockedTest, SeveralAreCounted) {
  const Chan<int> ch = MakeChan<int>();
  WaitGroup wg;
  for (int i = 0; i < 3; ++i) {
    wg.Go([&ch, i] { ch.Send(i); });
  }
  EXPECT_TRUE(WaitUntilBlockedCount(3, "chan send"));
  int sum = 0;
  for (int i = 0; i < 3; ++i) sum += ch.Recv().value();
  EXPECT_EQ(sum, 0 + 1 + 2);
  wg.Wait();
}

}  // namespace
}  // namespace leash::testing
