// Deadlines of contexts.

#include <gtest/gtest.h>

#include <optional>

#include "leash/chan.h"
#include "leash/context.h"
#include "leash/time.h"
#include "sched/timer_heap.h"

namespace leash {
namespace {

TEST(DeadlineTest, EndsTheContextInTime) {
  const absl::Time start = Now();
  auto [ctx, cancel] = WithTimeout(Context::Background(), absl::Milliseconds(3));
  EXPECT_GE(*ctx.Deadline(), start + absl::Milliseconds(3));
  EXPECT_TRUE(ctx.Err().ok());
  ctx.Done().Recv();
  EXPECT_GE(Now() - start, absl::Milliseconds(3));
  EXPECT_EQ(ctx.Err().ToString(), "DEADLINE_EXCEEDED: context deadline exceeded");
  EXPECT_EQ(ctx.Cause().ToString(), "DEADLINE_EXCEEDED: context deadline exceeded");
  cancel();
  EXPECT_EQ(ctx.Err().ToString(), "DEADLINE_EXCEEDED: context deadline exceeded");
}

TEST(DeadlineTest, EndsChildrenWithTheSameError) {
  auto [ctx, cancel] = WithTimeout(Context::Background(), absl::Milliseconds(1));
  auto [child, cancel_child] = WithCancel(ctx);
  child.Done().Recv();
  EXPECT_EQ(child.Err().ToString(), "DEADLINE_EXCEEDED: context deadline exceeded");
}

TEST(DeadlineTest, OneThatHasPassedEndsAtOnce) {
  auto [ctx, cancel] = WithDeadline(Context::Background(), Now() - absl::Seconds(1));
  EXPECT_EQ(ctx.Err().ToString(), "DEADLINE_EXCEEDED: context deadline exceeded");
  auto [zero, cancel_zero] = WithTimeout(Context::Background(), absl::ZeroDuration());
  EXPECT_EQ(zero.Err().ToString(), "DEADLINE_EXCEEDED: context deadline exceeded");
}

TEST(DeadlineTest, TheParentsEarlierOneStands) {
  const absl::Time soon = Now() + absl::Hours(1);
  auto [parent, cancel_parent] = WithDeadline(Context::Background(), soon);
  auto [child, cancel_child] = WithDeadline(parent, soon + absl::Hours(1));
  EXPECT_EQ(child.Deadline(), soon);
  auto [earlier, cancel_earlier] = WithDeadline(parent, soon - absl::Minutes(1));
  EXPECT_EQ(earlier.Deadline(), soon - absl::Minutes(1));
  const ContextKey<int> key;
  EXPECT_EQ(WithValue(earlier, key, 1).Deadline(), soon - absl::Minutes(1));
}

TEST(DeadlineTest, CancelStopsTheTimer) {
  const int64_t armed = rt::TimerCount();
  auto [ctx, cancel] = WithTimeout(Context::Background(), absl::Hours(1));
  EXPECT_EQ(rt::TimerCount(), armed + 1);
  cancel();
  EXPECT_EQ(rt::TimerCount(), armed);
  EXPECT_EQ(ctx.Err().ToString(), "CANCELLED: context canceled");
}

TEST(DeadlineTest, AParentsEndStopsTheTimer) {
  const int64_t armed = rt::TimerCount();
  auto [parent, cancel] = WithCancel(Context::Background());
  auto [ctx, cancel_ctx] = WithTimeout(parent, absl::Hours(1));
  cancel();
  EXPECT_EQ(rt::TimerCount(), armed);
}

TEST(DeadlineTest, AnInfiniteOneIsNone) {
  const int64_t armed = rt::TimerCount();
  auto [ctx, cancel] = WithTimeout(Context::Background(), absl::InfiniteDuration());
  EXPECT_FALSE(ctx.Deadline().has_value());
  EXPECT_EQ(rt::TimerCount(), armed);
  cancel();
  EXPECT_FALSE(ctx.Err().ok());
}

TEST(DeadlineTest, RunsOnWithoutHandles) {
  RecvChan<Unit> done;
  {
    auto [ctx, cancel] = WithTimeout(Context::Background(), absl::Milliseconds(1));
    done = ctx.Done();
  }
  EXPECT_FALSE(done.Recv().has_value());
}

}  // namespace
}  // namespace leash
