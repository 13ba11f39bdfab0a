// Timers: no stale tick is ever received.

#include <gtest/gtest.h>

#include <atomic>
#include <optional>
#include <thread>
#include <vector>

#include "leash/chan.h"
#include "leash/go.h"
#include "leash/sync.h"
#include "leash/time.h"
#include "sched/timer_heap.h"

namespace leash {
namespace {

// Until the tick of a timer that is due lies in its channel, which looks empty all the time: the
// scheduler has no timers armed any more.
void WaitUntilFired() {
  while (rt::TimerCount() != 0) std::this_thread::yield();
  // The last one may be under way.
  while (rt::AnyTimerMayWake()) std::this_thread::yield();
}

TEST(TimerTest, SendsTheTimeOnce) {
  const absl::Time start = Now();
  const Timer timer(absl::Milliseconds(2));
  const std::optional<absl::Time> tick = timer.C().Recv();
  ASSERT_TRUE(tick.has_value());
  EXPECT_GE(*tick, start + absl::Milliseconds(2));
  EXPECT_LE(*tick, Now());
  EXPECT_FALSE(timer.C().TryRecv().has_value());
  EXPECT_FALSE(timer.Stop());
}

TEST(TimerTest, FiresAtOnceForNoDuration) {
  EXPECT_TRUE(Timer(absl::ZeroDuration()).C().Recv().has_value());
  EXPECT_TRUE(Timer(-absl::InfiniteDuration()).C().Recv().has_value());
}

TEST(TimerTest, StopSaysWhetherItWasInTime) {
  const Timer timer(absl::Hours(1));
  EXPECT_TRUE(timer.Stop());
  EXPECT_FALSE(timer.Stop());
  EXPECT_FALSE(timer.C().TryRecv().has_value());
}

TEST(TimerTest, ATickThatNobodyReceivedIsTakenBackByStop) {
  const Timer timer(absl::Nanoseconds(1));
  WaitUntilFired();
  EXPECT_TRUE(timer.Stop());  // as far as anybody can tell it has not fired
  EXPECT_FALSE(timer.C().TryRecv().has_value());
  EXPECT_FALSE(timer.Stop());
}

TEST(TimerTest, ATickThatNobodyReceivedIsTakenBackByReset) {
  const Timer timer(absl::Nanoseconds(1));
  WaitUntilFired();
  EXPECT_TRUE(timer.Reset(absl::Hours(1)));
  EXPECT_FALSE(timer.C().TryRecv().has_value());
  EXPECT_TRUE(timer.Stop());
}

TEST(TimerTest, ResetStartsItAgain) {
  const Timer timer(absl::Nanoseconds(1));
  timer.C().Recv();
  EXPECT_FALSE(timer.Reset(absl::Nanoseconds(1)));
  timer.C().Recv();
  EXPECT_FALSE(timer.Reset(absl::Hours(1)));
  EXPECT_TRUE(timer.Reset(absl::Nanoseconds(1)));
  timer.C().Recv();
}

TEST(TimerTest, TheChannelLooksUnbuffered) {
  const Timer timer(absl::Nanoseconds(1));
  EXPECT_EQ(timer.C().Cap(), 0u);
  WaitUntilFired();
  EXPECT_EQ(timer.C().Len(), 0u);
  EXPECT_TRUE(timer.C().TryRecv().has_value());
}

// The law that Go 1.23 brought: whatever the timing, nothing stale comes after Stop or Reset.
TEST(TimerTest, NoStaleTickAfterStopOrReset) {
  WaitGroup wg;
  for (int worker = 0; worker < 8; ++worker) {
    wg.Go([worker] {
      for (int i = 0; i < 2000; ++i) {
        const Timer timer(absl::Nanoseconds((i * 37 + worker) % 2000));
        if (i % 3 == 0) Gosched();
        if (i % 2 == 0) {
          timer.Stop();
        } else {
          timer.Reset(absl::Hours(1));
        }
        EXPECT_FALSE(timer.C().TryRecv().has_value());
        timer.Stop();
      }
    });
  }
  wg.Wait();
}

// Either Stop was in time, or the tick has been received: never both, never neither.
TEST(TimerTest, StopAndReceiveShareTheTick) {
  for (int i = 0; i < 2000; ++i) {
    const Timer timer(absl::Nanoseconds(i % 500));
    std::atomic<bool> received{false};
    const Chan<Unit> give_up = MakeChan<Unit>();
    WaitGroup wg;
    wg.Go([&] { Select(OnRecv(timer.C(), [&] { received = true; }), OnRecv(give_up)); });
    Gosched();
    const bool stopped = timer.Stop();
    if (stopped) {
      give_up.Close();
    }
    wg.Wait();
    EXPECT_NE(stopped, received.load()) << "turn " << i;
  }
}

TEST(TimerTest, CopiesAreTheSameTimer) {
  std::optional<Timer> first(absl::Hours(1));
  Timer second = *first;
  EXPECT_EQ(first->C(), second.C());
  Timer third = std::move(*first);
  first.reset();
  EXPECT_TRUE(third.Stop());
  EXPECT_FALSE(second.Stop());
  second = Timer(absl::Hours(1));
  EXPECT_TRUE(second.Stop());
}

TEST(TimerTest, RunsOnWithoutHandles) {
  RecvChan<absl::Time> c;
  {
    const Timer timer(absl::Milliseconds(1));
    c = timer.C();
  }
  EXPECT_TRUE(c.Recv().has_value());
}

TEST(TimerTest, AfterIsAChannelWithOneTick) {
  const absl::Time start = Now();
  EXPECT_GE(*After(absl::Milliseconds(1)).Recv(), start + absl::Milliseconds(1));
}

TEST(TimerTest, WakesThreadsToo) {
  std::thread([] { EXPECT_TRUE(After(absl::Milliseconds(1)).Recv().has_value()); }).join();
}

TEST(TimerTest, ManyResetsFromManyGoroutines) {
  const Timer timer(absl::Nanoseconds(1));
  const Chan<Unit> over = MakeChan<Unit>();
  WaitGroup receivers, resetters;
  std::atomic<int> ticks{0};
  receivers.Go([&] {
    bool more = true;
    while (more) {
      Select(OnRecv(timer.C(), [&] { ++ticks; }), OnRecv(over, [&] { more = false; }));
    }
  });
  for (int i = 0; i < 8; ++i) {
    resetters.Go([&] {
      for (int n = 0; n < 1000; ++n) {
        timer.Reset(absl::Nanoseconds(n % 100));
        if (n % 10 == 0) timer.Stop();
      }
    });
  }
  resetters.Wait();
  timer.Stop();
  over.Close();
  receivers.Wait();
  EXPECT_LE(ticks.load(), 8001);
}

using TimerDeathTest = ::testing::Test;

TEST(TimerDeathTest, ATimerThatNobodyReceivesFromHidesNoDeadlock) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        const Timer timer(absl::Hours(1));
        const Ticker ticker(absl::Hours(1));
        MakeChan<int>().Recv();
      },
      ::testing::ExitedWithCode(2), "fatal error: all goroutines are asleep - deadlock!");
}

}  // namespace
}  // namespace leash
