// The scheduler's timers under a clock of the test's: RunTimers takes the time as an argument. The
// times used lie weeks ahead, so that the runtime's own Ms find nothing due.

#include "sched/timer_heap.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "base/race.h"
#include "sched/park.h"
#include "sched/timer.h"

namespace leash::rt {
namespace {

constexpr int64_t kWeek = int64_t{7} * 24 * 3600 * 1'000'000'000;

uint64_t Seed() {
  const char* const given = getenv("LEASH_SEED");
  const uint64_t seed = given != nullptr ? strtoull(given, nullptr, 10) : std::random_device()();
  ::testing::Test::RecordProperty("LEASH_SEED", std::to_string(seed));
  return seed;
}

// A timer that notes when it is called.
struct Noted {
  RtTimer timer;
  std::vector<int64_t>* log = nullptr;
  int64_t label = 0;

  explicit Noted(std::vector<int64_t>* l = nullptr, int64_t name = 0) : log(l), label(name) {
    timer.arg = this;
    timer.fn = [](RtTimer* t, int64_t) {
      auto* const self = static_cast<Noted*>(t->arg);
      self->log->push_back(self->label);
    };
  }
};

class TimerHeapTest : public ::testing::Test {
 protected:
  TimerHeapTest() : base_(Nanotime() + kWeek), armed_before_(TimerCount()) { CurrentG(); }
  ~TimerHeapTest() override { EXPECT_EQ(TimerCount(), armed_before_); }

  // All of this thread's timers are in one shard.
  bool RunAt(const RtTimer& timer, int64_t when) {
    bool ran = false;
    RunTimers(timer.heap, when, &ran);
    return ran;
  }

  const int64_t base_;
  const int64_t armed_before_;
};

TEST_F(TimerHeapTest, RunsInOrderOfTimeAndOnlyWhatIsDue) {
  std::mt19937_64 random(Seed());
  std::vector<int64_t> log;
  std::vector<std::unique_ptr<Noted>> timers;
  std::vector<int64_t> whens;
  for (int i = 0; i < 1000; ++i) {
    const int64_t when = base_ + static_cast<int64_t>(random() % 10000);
    timers.push_back(std::make_unique<Noted>(&log, when));
    whens.push_back(when);
    StartTimer(&timers.back()->timer, when, 0);
  }
  std::sort(whens.begin(), whens.end());
  const int shard = timers.front()->timer.heap;
  EXPECT_EQ(NextTimer(shard), whens.front());

  bool ran = false;
  EXPECT_EQ(RunTimers(shard, whens.front() - 1, &ran), whens.front());
  EXPECT_FALSE(ran);
  EXPECT_TRUE(log.empty());

  const auto due = std::upper_bound(whens.begin(), whens.end(), base_ + 5000);
  EXPECT_EQ(RunTimers(shard, base_ + 5000, &ran), due == whens.end() ? 0 : *due);
  EXPECT_TRUE(ran);
  EXPECT_EQ(log, std::vector<int64_t>(whens.begin(), due));

  RunTimers(shard, base_ + 10000, &ran);
  EXPECT_EQ(log, whens);
  EXPECT_EQ(NextTimer(shard), 0);
}

TEST_F(TimerHeapTest, StopTakesItOutOnce) {
  std::vector<int64_t> log;
  Noted a(&log, 1), b(&log, 2), c(&log, 3);
  EXPECT_FALSE(StopTimer(&a.timer));  // never armed
  StartTimer(&a.timer, base_ + 1, 0);
  StartTimer(&b.timer, base_ + 2, 0);
  StartTimer(&c.timer, base_ + 3, 0);
  EXPECT_TRUE(StopTimer(&b.timer));
  EXPECT_FALSE(StopTimer(&b.timer));
  EXPECT_TRUE(RunAt(a.timer, base_ + 10));
  EXPECT_EQ(log, (std::vector<int64_t>{1, 3}));
  EXPECT_FALSE(StopTimer(&a.timer));  // it has run
}

TEST_F(TimerHeapTest, ResetMovesItEitherWayAndSaysWhetherItWasArmed) {
  std::vector<int64_t> log;
  Noted a(&log, 1), b(&log, 2);
  EXPECT_FALSE(ResetTimer(&a.timer, base_ + 50, 0));
  StartTimer(&b.timer, base_ + 20, 0);
  EXPECT_TRUE(ResetTimer(&a.timer, base_ + 10, 0));
  EXPECT_EQ(NextTimer(a.timer.heap), base_ + 10);
  EXPECT_TRUE(ResetTimer(&a.timer, base_ + 30, 0));
  EXPECT_EQ(NextTimer(a.timer.heap), base_ + 20);
  EXPECT_TRUE(RunAt(a.timer, base_ + 30));
  EXPECT_EQ(log, (std::vector<int64_t>{2, 1}));
}

TEST_F(TimerHeapTest, APeriodicOneSkipsWhatItMissed) {
  std::vector<int64_t> log;
  Noted a(&log, 1);
  StartTimer(&a.timer, base_, 100);
  RunAt(a.timer, base_);
  EXPECT_EQ(NextTimer(a.timer.heap), base_ + 100);
  RunAt(a.timer, base_ + 350);  // at 100, with 200 and 300 missed
  EXPECT_EQ(log.size(), 2u);
  EXPECT_EQ(NextTimer(a.timer.heap), base_ + 400);
  RunAt(a.timer, base_ + 400);
  EXPECT_EQ(log.size(), 3u);
  EXPECT_TRUE(StopTimer(&a.timer));
}

TEST_F(TimerHeapTest, AnEndlessPeriodDoesNotOverflow) {
  std::vector<int64_t> log;
  Noted a(&log, 1);
  StartTimer(&a.timer, base_, std::numeric_limits<int64_t>::max());
  RunAt(a.timer, base_ + 5);
  EXPECT_EQ(log.size(), 1u);
  EXPECT_EQ(NextTimer(a.timer.heap), std::numeric_limits<int64_t>::max());
  EXPECT_TRUE(StopTimer(&a.timer));
}

TEST_F(TimerHeapTest, AFunctionMayFreeItsOwnTimer) {
  static int freed;
  freed = 0;
  auto* const timer = new RtTimer;
  timer->fn = [](RtTimer* t, int64_t) {
    delete t;
    ++freed;
  };
  StartTimer(timer, base_, 0);
  bool ran = false;
  RunTimers(timer->heap, base_, &ran);
  EXPECT_EQ(freed, 1);
}

TEST_F(TimerHeapTest, AFunctionMayArmItsOwnTimerAgain) {
  static int64_t runs;
  runs = 0;
  RtTimer timer;
  timer.fn = [](RtTimer* t, int64_t now) {
    if (++runs < 5) StartTimer(t, now, 0);  // due at once
  };
  StartTimer(&timer, base_, 0);
  RunAt(timer, base_);
  EXPECT_EQ(runs, 5);
}

TEST_F(TimerHeapTest, FinishWaitsForACallUnderWay) {
  struct Shared {
    RtTimer timer;
    std::atomic<bool> entered{false}, may_leave{false}, left{false};
  } shared;
  shared.timer.arg = &shared;
  shared.timer.fn = [](RtTimer* t, int64_t) {
    auto* const s = static_cast<Shared*>(t->arg);
    s->entered = true;
    while (!s->may_leave) std::this_thread::yield();
    s->left = true;
  };
  StartTimer(&shared.timer, base_, 100);
  std::thread runner([&] { RunAt(shared.timer, base_); });
  while (!shared.entered) std::this_thread::yield();
  EXPECT_TRUE(AnyTimerMayWake());         // while it runs it could do anything
  EXPECT_TRUE(StopTimer(&shared.timer));  // its period had armed it again
  std::thread releaser([&] { shared.may_leave = true; });
  FinishTimer(&shared.timer);
  EXPECT_TRUE(shared.left);
  runner.join();
  releaser.join();
}

TEST_F(TimerHeapTest, AskedWhetherItCouldWakeSomebody) {
  ASSERT_FALSE(AnyTimerMayWake());
  static bool answer;
  answer = false;
  std::vector<int64_t> log;
  Noted a(&log, 1), b(&log, 2);
  a.timer.wakes_somebody = [](RtTimer*) { return answer; };
  StartTimer(&a.timer, base_, 0);
  EXPECT_FALSE(AnyTimerMayWake());
  answer = true;
  EXPECT_TRUE(AnyTimerMayWake());
  answer = false;
  StartTimer(&b.timer, base_, 0);  // it does not say: it could
  EXPECT_TRUE(AnyTimerMayWake());
  EXPECT_TRUE(StopTimer(&b.timer));
  EXPECT_FALSE(AnyTimerMayWake());
  EXPECT_TRUE(StopTimer(&a.timer));
}

// Owners arm, move and stop their own timers while others run what is due. Every arming ends in
// exactly one call or one successful stop.
TEST_F(TimerHeapTest, EveryArmingEndsOnceUnderStress) {
  constexpr int kOwners = 6;
  constexpr int kRunners = 3;
  constexpr int kTimers = 50;
  constexpr int kRounds = 20000;
  struct Owned {
    RtTimer timer;
    std::atomic<int64_t> calls{0};
  };
  const uint64_t seed = Seed();
  std::atomic<int64_t> clock{base_};
  std::atomic<bool> over{false};
  std::vector<std::thread> threads;
  for (int r = 0; r < kRunners; ++r) {
    threads.emplace_back([&] {
      while (!over) {
        const int64_t now = clock.fetch_add(7);
        bool ran = false;
        for (int shard = 0; shard < kTimerShards; ++shard) RunTimers(shard, now, &ran);
      }
    });
  }
  std::vector<std::thread> owners;
  for (int o = 0; o < kOwners; ++o) {
    owners.emplace_back([&, o] {
      std::mt19937_64 random(seed + static_cast<uint64_t>(o));
      std::vector<Owned> timers(kTimers);
      std::vector<int64_t> armed(kTimers, 0), stopped(kTimers, 0);
      for (Owned& owned : timers) {
        owned.timer.arg = &owned;
        owned.timer.fn = [](RtTimer* t, int64_t) {
          race::Acquire(t);  // a timer orders nothing by itself
          ++static_cast<Owned*>(t->arg)->calls;
          race::Release(t);
        };
        race::Release(&owned.timer);
      }
      for (int round = 0; round < kRounds; ++round) {
        const size_t i = random() % kTimers;
        const int64_t when = clock + static_cast<int64_t>(random() % 2000);
        if (random() % 3 == 0) {
          if (StopTimer(&timers[i].timer)) ++stopped[i];
        } else {
          if (ResetTimer(&timers[i].timer, when, 0)) ++stopped[i];
          ++armed[i];
        }
      }
      for (size_t i = 0; i < kTimers; ++i) {
        if (StopTimer(&timers[i].timer)) ++stopped[i];
        FinishTimer(&timers[i].timer);
        race::Acquire(&timers[i].timer);
        EXPECT_EQ(armed[i], stopped[i] + timers[i].calls) << "timer " << i << " seed " << seed;
      }
    });
  }
  for (std::thread& thread : owners) thread.join();
  over = true;
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace leash::rt
