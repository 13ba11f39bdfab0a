// AfterFunc: runs once the context has ended, unless it was stopped.

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <source_location>

#include "leash/chan.h"
#include "leash/context.h"
#include "leash/go.h"
#include "leash/sync.h"
#include "sched/g.h"
#include "sched/park.h"

namespace leash {
namespace {

TEST(ContextAfterFuncTest, RunsWhenTheContextEnds) {
  auto [ctx, cancel] = WithCancel(Context::Background());
  const Chan<uint64_t> ids = MakeChan<uint64_t>();
  const StopFunc stop = AfterFunc(ctx, [&, ctx = ctx] {
    EXPECT_EQ(ctx.Err().message(), "context canceled");
    ids.Send(GoroutineId());
  });
  cancel();
  EXPECT_NE(*ids.Recv(), GoroutineId());
  EXPECT_FALSE(stop());
}

TEST(ContextAfterFuncTest, RunsAtOnceIfItHasEnded) {
  auto [ctx, cancel] = WithCancel(Context::Background());
  cancel();
  const Chan<Unit> ran = MakeChan<Unit>();
  const StopFunc stop = AfterFunc(ctx, [&] { ran.Send({}); });
  EXPECT_FALSE(stop());
  ran.Recv();
}

TEST(ContextAfterFuncTest, RunsForADeadlineToo) {
  auto [ctx, cancel] = WithTimeout(Context::Background(), absl::Milliseconds(1));
  const Chan<absl::StatusCode> codes = MakeChan<absl::StatusCode>();
  AfterFunc(ctx, [&, ctx = ctx] { codes.Send(ctx.Err().code()); });
  EXPECT_EQ(codes.Recv(), absl::StatusCode::kDeadlineExceeded);
}

TEST(ContextAfterFuncTest, StopTakesItBack) {
  auto [ctx, cancel] = WithCancel(Context::Background());
  std::atomic<int> runs{0};
  const auto held = std::make_shared<int>();
  const StopFunc stop = AfterFunc(ctx, [&, held] { ++runs; });
  EXPECT_TRUE(stop());
  EXPECT_FALSE(stop());
  EXPECT_EQ(held.use_count(), 1);
  cancel();
  EXPECT_EQ(runs, 0);
}

TEST(ContextAfterFuncTest, StopOfWhatCanNeverRunIsTrueOnce) {
  const StopFunc stop = AfterFunc(Context::Background(), [] { FAIL(); });
  const StopFunc copy = stop;
  EXPECT_TRUE(copy());
  EXPECT_FALSE(stop());
  EXPECT_FALSE(StopFunc()());
}

TEST(ContextAfterFuncTest, IsCreatedByTheCall) {
  auto [ctx, cancel] = WithCancel(Context::Background());
  const Chan<uint32_t> lines = MakeChan<uint32_t>();
  const Chan<uint64_t> parents = MakeChan<uint64_t>();
  const Chan<uint64_t> caller = MakeChan<uint64_t>();
  constexpr uint32_t kHere = std::source_location::current().line();
  go([&, ctx = ctx] {
    AfterFunc(ctx, [&] {
      lines.Send(rt::CurrentG()->site.line());
      parents.Send(rt::CurrentG()->parent_id);
    });
    caller.Send(GoroutineId());
  });
  const uint64_t id = *caller.Recv();
  cancel();
  EXPECT_EQ(*lines.Recv(), kHere + 2);
  EXPECT_EQ(*parents.Recv(), id);
}

// Either Stop was in time or the function runs.
TEST(ContextAfterFuncTest, StopAndRunExcludeEachOther) {
  for (int i = 0; i < 2000; ++i) {
    auto [ctx, cancel] = WithCancel(Context::Background());
    const Chan<Unit> ran = MakeChan<Unit>(1);
    const StopFunc stop = AfterFunc(ctx, [ran] { ran.Send({}); });
    WaitGroup wg;
    wg.Go([cancel = cancel] { cancel(); });
    if (i % 2 == 0) Gosched();
    if (stop()) {
      wg.Wait();
      EXPECT_EQ(ran.Len(), 0u);
    } else {
      ran.Recv();
      wg.Wait();
    }
  }
}

TEST(ContextAfterFuncTest, RefusesAnEmptyFunction) {
  try {
    AfterFunc(Context::Background(), nullptr);
    FAIL() << "no panic";
  } catch (const PanicError& panic) {
    EXPECT_STREQ(panic.what(), "context: AfterFunc of an empty function");
  }
}

}  // namespace
}  // namespace leash
