// AfterFunc: a function in a goroutine of its own, later.

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <source_location>

#include "leash/go.h"
#include "leash/sync.h"
#include "leash/time.h"
#include "sched/g.h"
#include "sched/labels.h"
#include "sched/park.h"
#include "sched/timer_heap.h"

namespace leash {
namespace {

TEST(AfterFuncTest, RunsInItsOwnGoroutine) {
  const Chan<uint64_t> ids = MakeChan<uint64_t>();
  const Timer timer = AfterFunc(absl::Milliseconds(1), [&] { ids.Send(GoroutineId()); });
  const uint64_t id = *ids.Recv();
  EXPECT_NE(id, 0u);
  EXPECT_NE(id, GoroutineId());
  EXPECT_FALSE(timer.C());
  EXPECT_FALSE(timer.Stop());
}

TEST(AfterFuncTest, IsCreatedByTheCallWithItsLabelsAndTest) {
  struct Facts {
    uint64_t parent = 0;
    uint32_t line = 0;
    const char* test = nullptr;
    const rt::LabelSet* labels = nullptr;
  };
  const Chan<Facts> facts = MakeChan<Facts>();
  const Chan<Facts> spawner = MakeChan<Facts>(1);
  const char* const test = rt::InternText("SomeTest.OfSomeKind");
  GoOptions options;
  options.name = "the spawner";
  constexpr uint32_t kHere = std::source_location::current().line();
  GoWith(options, [&] {
    rt::SetCurrentTest(test);
    spawner.Send({GoroutineId(), 0, nullptr, rt::CurrentLabels()});
    AfterFunc(absl::Milliseconds(1), [&] {
      const rt::G* const self = rt::CurrentG();
      facts.Send({self->parent_id, self->site.line(), rt::CurrentTest(), self->labels});
    });
  });
  const Facts got = *facts.Recv();
  const Facts made_by = *spawner.Recv();
  EXPECT_EQ(got.parent, made_by.parent);
  EXPECT_EQ(got.line, kHere + 4);
  EXPECT_EQ(got.test, test);
  EXPECT_NE(got.labels, nullptr);
  EXPECT_EQ(got.labels, made_by.labels);  // sets are shared
}

TEST(AfterFuncTest, StopKeepsItFromRunning) {
  std::atomic<int> runs{0};
  const Timer timer = AfterFunc(absl::Hours(1), [&] { ++runs; });
  EXPECT_TRUE(timer.Stop());
  EXPECT_FALSE(timer.Stop());
  EXPECT_EQ(runs, 0);
  EXPECT_EQ(rt::TimerCount(), 0);
}

TEST(AfterFuncTest, RunsOncePerArming) {
  const Chan<Unit> ran = MakeChan<Unit>();
  const Timer timer = AfterFunc(absl::Nanoseconds(1), [&] { ran.Send({}); });
  ran.Recv();
  for (int i = 0; i < 10; ++i) {
    EXPECT_FALSE(timer.Reset(absl::Nanoseconds(1)));
    ran.Recv();
  }
  EXPECT_FALSE(timer.Stop());
}

// Either Stop was in time or the function runs.
TEST(AfterFuncTest, StopAndRunExcludeEachOther) {
  for (int i = 0; i < 3000; ++i) {
    const auto runs = std::make_shared<std::atomic<int>>(0);
    const Chan<Unit> ran = MakeChan<Unit>(1);
    const Timer timer = AfterFunc(absl::Nanoseconds(i % 300), [runs, ran] {
      ++*runs;
      ran.Send({});
    });
    if (timer.Stop()) {
      EXPECT_EQ(*runs, 0);
    } else {
      ran.Recv();
      EXPECT_EQ(*runs, 1);
    }
  }
}

TEST(AfterFuncTest, RefusesAnEmptyFunction) {
  try {
    AfterFunc(absl::Seconds(1), nullptr);
    FAIL() << "no panic";
  } catch (const PanicError& panic) {
    EXPECT_STREQ(panic.what(), "time: AfterFunc of an empty function");
  }
}

TEST(AfterFuncTest, WhatItHoldsGoesWhenItIsOver) {
  const auto held = std::make_shared<int>(7);
  {
    const Chan<Unit> ran = MakeChan<Unit>();
    AfterFunc(absl::Nanoseconds(1), [held, ran] { ran.Close(); });
    ran.Recv();
  }
  AfterFunc(absl::Hours(1), [held] {}).Stop();
  while (held.use_count() != 1) Gosched();
}

}  // namespace
}  // namespace leash
