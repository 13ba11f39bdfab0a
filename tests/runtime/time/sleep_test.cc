// Sleep, on goroutines and on threads.

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "leash/go.h"
#include "leash/sync.h"
#include "leash/time.h"
#include "support/stress.h"
#include "support/wait_until_blocked.h"

namespace leash {
namespace {

TEST(SleepTest, TakesAtLeastAsLongAsAsked) {
  WaitGroup wg;
  for (int i = 0; i < 20; ++i) {
    wg.Go([i] {
      const absl::Time start = Now();
      Sleep(absl::Microseconds(100 * i));
      EXPECT_GE(Now() - start, absl::Microseconds(100 * i));
    });
  }
  wg.Wait();
}

TEST(SleepTest, WorksOnThreads) {
  std::thread([] {
    const absl::Time start = Now();
    Sleep(absl::Milliseconds(2));
    EXPECT_GE(Now() - start, absl::Milliseconds(2));
  }).join();
}

TEST(SleepTest, ReturnsAtOnceForNothing) {
  Sleep(absl::ZeroDuration());
  Sleep(-absl::Hours(1));
  Sleep(-absl::InfiniteDuration());
}

TEST(SleepTest, ShowsAsSleep) {
  const Chan<uint64_t> ids = MakeChan<uint64_t>(1);
  std::atomic<bool> seen{false};
  WaitGroup wg;
  wg.Go([&] {
    ids.Send(GoroutineId());
    // Again and again: on a busy machine nobody may look during the first one.
    while (!seen) Sleep(absl::Milliseconds(50));
  });
  testing::WaitUntilBlocked(*ids.Recv(), "sleep");
  seen = true;
  wg.Wait();
}

TEST(SleepTest, ManySleepersAllWakeUp) {
  WaitGroup wg;
  for (int i = 0; i < testing::Stress(10000); ++i) {
    wg.Go([i] { Sleep(absl::Microseconds(i % 5000)); });
  }
  wg.Wait();
}

}  // namespace
}  // namespace leash
