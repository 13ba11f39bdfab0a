// Which threads make a search of the program's memory count for nothing.

#include "debug/outside_memory.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "sched/scheduler.h"

namespace leash::rt {
namespace {

// Whether one look is complete that takes so long. Tried again: a thread may be at work for once.
bool IsEverComplete(absl::Duration takes, absl::Duration patience) {
  const absl::Time deadline = absl::Now() + patience;
  do {
    const OutsideMemory outside;
    absl::SleepFor(takes);
    if (outside.Complete()) return true;
  } while (absl::Now() < deadline);
  return false;
}

// Also ThreadSanitizer's, which wakes every 100 ms.
TEST(OutsideMemoryTest, ThreadsThatRunNothingOfTheProgramsDoNotCount) {
  EnsureStarted();
  EXPECT_TRUE(IsEverComplete(absl::Milliseconds(250), absl::Minutes(1)));
}

TEST(OutsideMemoryTest, AThreadThatRunsNowAndThenCounts) {
  EnsureStarted();
  std::atomic<bool> stop{false};
  std::thread other([&] {
    while (!stop) absl::SleepFor(absl::Milliseconds(1));
  });
  EXPECT_FALSE(IsEverComplete(absl::Milliseconds(250), absl::ZeroDuration()));
  stop = true;
  other.join();
}

}  // namespace
}  // namespace leash::rt
