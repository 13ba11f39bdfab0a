// Tickers.

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "leash/go.h"
#include "leash/sync.h"
#include "leash/time.h"
#include "sched/timer_heap.h"

namespace leash {
namespace {

std::string PanicOf(const std::function<void()>& fn) {
  try {
    fn();
  } catch (const PanicError& panic) {
    return panic.what();
  }
  return "no panic";
}

TEST(TickerTest, TicksAgainAndAgain) {
  const absl::Time start = Now();
  const Ticker ticker(absl::Milliseconds(1));
  absl::Time last = start;
  for (int i = 0; i < 5; ++i) {
    const absl::Time tick = *ticker.C().Recv();
    EXPECT_GT(tick, last);
    last = tick;
  }
  EXPECT_GE(last - start, absl::Milliseconds(5));
  ticker.Stop();
  EXPECT_EQ(rt::TimerCount(), 0);
}

TEST(TickerTest, NoTickComesAfterStop) {
  for (int i = 0; i < 500; ++i) {
    const Ticker ticker(absl::Nanoseconds(1 + i % 50));
    if (i % 2 == 0) ticker.C().Recv();
    ticker.Stop();
    EXPECT_FALSE(ticker.C().TryRecv().has_value());
    ticker.Stop();
  }
  EXPECT_EQ(rt::TimerCount(), 0);
}

TEST(TickerTest, ResetChangesTheInterval) {
  const Ticker ticker(absl::Hours(1));
  ticker.Reset(absl::Microseconds(50));
  ticker.C().Recv();
  ticker.C().Recv();
  ticker.Stop();
  ticker.Reset(absl::Microseconds(50));  // after a Stop too
  ticker.C().Recv();
  ticker.Reset(absl::Hours(1));
  EXPECT_FALSE(ticker.C().TryRecv().has_value());
  ticker.Stop();
}

TEST(TickerTest, ASlowReceiverGetsOneTick) {
  const Ticker ticker(absl::Microseconds(10));
  Sleep(absl::Milliseconds(2));  // some two hundred intervals
  EXPECT_EQ(ticker.C().Len(), 0u);
  EXPECT_EQ(ticker.C().Cap(), 0u);
  ticker.C().Recv();
  ticker.Stop();
  EXPECT_FALSE(ticker.C().TryRecv().has_value());
}

TEST(TickerTest, RefusesAnIntervalOfNothing) {
  EXPECT_EQ(PanicOf([] { Ticker ticker(absl::ZeroDuration()); }),
            "non-positive interval for NewTicker");
  EXPECT_EQ(PanicOf([] { Ticker ticker(-absl::Seconds(1)); }),
            "non-positive interval for NewTicker");
  const Ticker ticker(absl::Hours(1));
  EXPECT_EQ(PanicOf([&] { ticker.Reset(absl::ZeroDuration()); }),
            "non-positive interval for Ticker.Reset");
  ticker.Stop();
}

TEST(TickerTest, RunsOnWithoutHandles) {
  const int64_t armed = rt::TimerCount();
  const Ticker* ticker = new Ticker(absl::Microseconds(10));
  const Ticker copy = *ticker;
  const RecvChan<absl::Time> c = ticker->C();
  delete ticker;
  c.Recv();
  c.Recv();
  copy.Stop();
  EXPECT_EQ(rt::TimerCount(), armed);
}

TEST(TickerTest, StopRacesWithItsOwnTicks) {
  WaitGroup wg;
  for (int worker = 0; worker < 8; ++worker) {
    wg.Go([] {
      for (int i = 0; i < 500; ++i) {
        Ticker ticker(absl::Nanoseconds(200));
        if (i % 4 == 0) Gosched();
        ticker.Stop();
        // The last handle goes, perhaps while a tick was under way.
      }
    });
  }
  wg.Wait();
  EXPECT_EQ(rt::TimerCount(), 0);
}

}  // namespace
}  // namespace leash
