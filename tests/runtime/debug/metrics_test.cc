// debug::Metrics: what happened is counted, and what is there is seen.

#include <atomic>
#include <cstdint>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "leash/debug.h"
#include "leash/leash.h"
#include "support/wait_until_blocked.h"

namespace leash::debug {
namespace {

using leash::testing::WaitUntilBlockedCount;

RuntimeMetrics::Wait WaitOf(const RuntimeMetrics& metrics, std::string_view reason) {
  for (const RuntimeMetrics::Wait& wait : metrics.waits) {
    if (wait.reason == reason) return wait;
  }
  ADD_FAILURE() << "no reason " << reason;
  return {};
}

// Blocks until `condition` is true of the metrics. A hang is the test's time limit to end.
template <class Condition>
RuntimeMetrics WaitForMetrics(Condition condition) {
  for (;;) {
    RuntimeMetrics metrics = Metrics();
    if (condition(metrics)) return metrics;
    std::this_thread::yield();
  }
}

// What they are when the goroutines of the tests before are gone: who has said that it is done may
// still be on its way out.
RuntimeMetrics QuietMetrics() {
  return WaitForMetrics(
      [](const RuntimeMetrics& m) { return m.goroutines == 0 && m.detached_ps == 0; });
}

TEST(MetricsTest, GoroutinesAreCountedAtTheirStartAndTheirEnd) {
  const RuntimeMetrics before = QuietMetrics();
  WaitGroup wg;
  for (int i = 0; i < 100; ++i) wg.Go([] {});
  wg.Wait();
  const RuntimeMetrics after = WaitForMetrics(
      [&](const RuntimeMetrics& m) { return m.goroutines_ended == before.goroutines_ended + 100; });
  EXPECT_EQ(after.goroutines_created, before.goroutines_created + 100);
  EXPECT_EQ(after.goroutines, before.goroutines);
}

TEST(MetricsTest, WaitsAreSeenWhileTheyLastAndCountedForGood) {
  const RuntimeMetrics before = QuietMetrics();
  Chan<int> ch = MakeChan<int>();
  Mutex mu;
  mu.Lock();
  WaitGroup wg;
  for (int i = 0; i < 3; ++i) wg.Go([ch] { ch.Recv(); });
  for (int i = 0; i < 2; ++i) {
    wg.Go([&mu] {
      mu.Lock();
      mu.Unlock();
    });
  }
  WaitUntilBlockedCount(3, "chan receive");
  WaitUntilBlockedCount(2, "sync.Mutex.Lock");
  const RuntimeMetrics during = Metrics();
  EXPECT_EQ(WaitOf(during, "chan receive").waiting, WaitOf(before, "chan receive").waiting + 3);
  EXPECT_EQ(WaitOf(during, "chan receive").parks, WaitOf(before, "chan receive").parks + 3);
  EXPECT_EQ(WaitOf(during, "sync.Mutex.Lock").waiting,
            WaitOf(before, "sync.Mutex.Lock").waiting + 2);
  // The five have stacks.
  EXPECT_GE(during.stack_in_use_bytes, before.stack_in_use_bytes + 5 * (size_t{64} << 10));
  ch.Close();
  mu.Unlock();
  wg.Wait();
  const RuntimeMetrics after =
      WaitForMetrics([&](const RuntimeMetrics& m) { return m.goroutines == before.goroutines; });
  EXPECT_EQ(WaitOf(after, "chan receive").waiting, WaitOf(before, "chan receive").waiting);
  EXPECT_GE(WaitOf(after, "sync.Mutex.Lock").parks, WaitOf(before, "sync.Mutex.Lock").parks + 2);
}

TEST(MetricsTest, EveryReasonIsThereFromTheStart) {
  const RuntimeMetrics metrics = Metrics();
  EXPECT_EQ(metrics.waits.size(), 14u);
  EXPECT_EQ(metrics.waits.front().reason, "chan send");
  EXPECT_EQ(metrics.waits.back().reason, "IO wait");
}

TEST(MetricsTest, LatenciesStandForEverythingThatBecameRunnable) {
  const uint64_t before = QuietMetrics().scheduler_latency.Count();
  constexpr uint64_t kRounds = 200'000;
  WaitGroup wg;
  Chan<uint64_t> ch = MakeChan<uint64_t>();
  wg.Go([ch] {
    for (uint64_t i = 0; i < kRounds; ++i) ch.Send(i);
    ch.Close();
  });
  wg.Go([ch] {
    for ([[maybe_unused]] uint64_t v : ch) {
    }
  });
  wg.Wait();
  const DurationHistogram latency = Metrics().scheduler_latency;
  // Each value wakes one side at least and both at the most; what is not sampled yet is missing.
  EXPECT_GT(latency.Count() - before, kRounds / 2);
  EXPECT_LT(latency.Count() - before, 3 * kRounds);
  EXPECT_GT(latency.sum, absl::ZeroDuration());
  EXPECT_GT(latency.Quantile(0.5), absl::ZeroDuration());
  EXPECT_LE(latency.Quantile(0.5), latency.Quantile(0.99));
}

TEST(MetricsTest, AGoroutineThatHasToWaitForItsTurnIsSeenInTheLatencies) {
  const int procs = GOMAXPROCS(1);
  const auto above = [](const DurationHistogram& latency) {
    uint64_t count = 0;
    for (size_t i = 0; i < latency.bounds.size(); ++i) {
      if (latency.bounds[i] > absl::Microseconds(100)) count += latency.counts[i];
    }
    return count;
  };
  const uint64_t before = above(QuietMetrics().scheduler_latency);
  // Again and again all are made runnable at once, and wait until who did it, and computes for a
  // millisecond, lets go of the one P: sooner than it would be taken away from him. At the longest
  // gap 24 of these waits are sampled.
  constexpr int kGoroutines = 1'000;
  constexpr int kRounds = 100;
  std::vector<Chan<Unit>> gates(kRounds);
  for (Chan<Unit>& gate : gates) gate = MakeChan<Unit>();
  WaitGroup arrived;
  arrived.Add(kGoroutines);
  WaitGroup wg;
  for (int i = 0; i < kGoroutines; ++i) {
    wg.Go([&gates, &arrived] {
      for (const Chan<Unit>& gate : gates) {
        arrived.Done();
        gate.Recv();
      }
    });
  }
  wg.Go([&gates, &arrived] {
    for (int i = 0; i < kRounds; ++i) {
      arrived.Wait();
      if (i + 1 < kRounds) arrived.Add(kGoroutines);
      gates[static_cast<size_t>(i)].Close();
      const absl::Time end = absl::Now() + absl::Milliseconds(1);
      while (absl::Now() < end) {
      }
    }
  });
  wg.Wait();
  const uint64_t after = above(Metrics().scheduler_latency);
  GOMAXPROCS(procs);
  EXPECT_GE(after - before, 25'000u);
}

TEST(MetricsTest, TimersAreSeenArmedAndCountedFired) {
  const RuntimeMetrics before = QuietMetrics();
  Timer timer(absl::Hours(1));
  EXPECT_GE(Metrics().timers_armed, 1);
  timer.Stop();
  for (int i = 0; i < 10; ++i) Sleep(absl::Milliseconds(1));
  EXPECT_GE(Metrics().timers_fired, before.timers_fired + 10);
}

TEST(MetricsTest, APThatComputesIsReplacedAndThatIsCounted) {
  const int procs = GOMAXPROCS(0);
  const RuntimeMetrics before = QuietMetrics();
  std::atomic<bool> stop{false};
  WaitGroup wg;
  for (int i = 0; i < procs + 1; ++i) {
    wg.Go([&stop] {
      while (!stop.load(std::memory_order_relaxed)) {
      }
    });
  }
  // All of them run at once only if a P was put into the place of another.
  const RuntimeMetrics during =
      WaitForMetrics([&](const RuntimeMetrics& m) { return m.running > procs; });
  stop.store(true);
  wg.Wait();
  EXPECT_GT(during.handoffs, before.handoffs);
  EXPECT_GE(during.detached_ps, 1);
  EXPECT_GE(during.ms, procs + 1);
  EXPECT_EQ(during.gomaxprocs, procs);
}

TEST(MetricsTest, WhatDoesNotRunIsInAQueue) {
  QuietMetrics();
  // More than a P's own queue holds. Each that gets a P keeps it.
  constexpr int kCount = 300;
  std::atomic<bool> stop{false};
  const auto compute = [&stop] {
    while (!stop.load(std::memory_order_relaxed)) {
    }
  };
  WaitGroup wg;
  wg.Go([&] {
    for (int i = 0; i < kCount; ++i) wg.Go(compute);
    compute();
  });
  const RuntimeMetrics during = WaitForMetrics([&](const RuntimeMetrics& m) {
    return m.goroutines == kCount + 1 &&
           m.running + m.local_queues + m.global_queue == kCount + 1 &&
           m.runnable == m.local_queues + m.global_queue;
  });
  stop.store(true);
  wg.Wait();
  EXPECT_GE(during.running, 1);
}

TEST(MetricsTest, AParkedDescriptorIsANetpollWaiter) {
  const RuntimeMetrics before = QuietMetrics();
  absl::StatusOr<net::Listener> listener = net::Listen("tcp", "127.0.0.1:0");
  ASSERT_TRUE(listener.ok()) << listener.status();
  WaitGroup wg;
  wg.Go([&listener] { (void)listener->Accept(); });
  WaitUntilBlockedCount(1, "IO wait");
  const RuntimeMetrics during = Metrics();
  EXPECT_EQ(during.netpoll_waiters, before.netpoll_waiters + 1);
  EXPECT_EQ(during.netpoll_descriptors, before.netpoll_descriptors + 1);
  (void)listener->Close();
  wg.Wait();
  EXPECT_EQ(Metrics().netpoll_descriptors, before.netpoll_descriptors);
}

TEST(MetricsTest, StacksAreInUseOrFree) {
  WaitGroup wg;
  for (int i = 0; i < 100; ++i) wg.Go([] { Gosched(); });
  wg.Wait();
  const RuntimeMetrics metrics = Metrics();
  EXPECT_GT(metrics.stack_committed_bytes, 0u);
  EXPECT_EQ(metrics.stack_in_use_bytes + metrics.stack_free_bytes, metrics.stack_committed_bytes);
  EXPECT_LE(metrics.stack_unguarded_bytes, metrics.stack_committed_bytes);
}

TEST(MetricsTest, AnswersWhileEveryPComputes) {
  QuietMetrics();
  const int procs = GOMAXPROCS(0);
  std::atomic<bool> stop{false};
  std::atomic<int> running{0};
  WaitGroup wg;
  for (int i = 0; i < procs; ++i) {
    wg.Go([&] {
      running.fetch_add(1);
      while (!stop.load(std::memory_order_relaxed)) {
      }
    });
  }
  while (running.load() < procs) std::this_thread::yield();
  const RuntimeMetrics metrics = Metrics();
  stop.store(true);
  wg.Wait();
  EXPECT_EQ(metrics.running, procs);
}

TEST(DurationHistogramTest, QuantileIsTheBoundBelowWhichTheShareLies) {
  const DurationHistogram histogram{
      {absl::Seconds(1), absl::Seconds(2), absl::Seconds(4)}, {90, 9, 0, 1}, absl::Seconds(100)};
  EXPECT_EQ(histogram.Count(), 100u);
  EXPECT_EQ(histogram.Quantile(0), absl::Seconds(1));
  EXPECT_EQ(histogram.Quantile(0.9), absl::Seconds(1));
  EXPECT_EQ(histogram.Quantile(0.91), absl::Seconds(2));
  EXPECT_EQ(histogram.Quantile(0.99), absl::Seconds(2));
  EXPECT_EQ(histogram.Quantile(1), absl::Seconds(4));
}

TEST(DurationHistogramTest, WithoutDurationsThereIsNoQuantile) {
  const DurationHistogram histogram{{absl::Seconds(1)}, {0, 0}, absl::ZeroDuration()};
  EXPECT_EQ(histogram.Quantile(0.5), absl::ZeroDuration());
}

}  // namespace
}  // namespace leash::debug
