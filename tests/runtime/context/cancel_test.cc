// Cancelling: what ends with what, and for which reason.

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "leash/chan.h"
#include "leash/context.h"
#include "leash/go.h"
#include "leash/sync.h"

namespace leash {
namespace {

bool IsDone(const Context& ctx) {
  bool closed = false;
  ctx.Done().TryRecv(&closed);
  return closed;
}

TEST(ContextTest, TheBackgroundNeverEnds) {
  for (const Context& ctx : {Context(), Context::Background(), Context::TODO()}) {
    EXPECT_FALSE(ctx.Done());
    EXPECT_TRUE(ctx.Err().ok());
    EXPECT_TRUE(ctx.Cause().ok());
    EXPECT_FALSE(ctx.Deadline().has_value());
  }
}

TEST(ContextTest, CancelEndsIt) {
  auto [ctx, cancel] = WithCancel(Context::Background());
  EXPECT_TRUE(ctx.Done());
  EXPECT_EQ(ctx.Done(), ctx.Done());
  EXPECT_TRUE(ctx.Err().ok());
  EXPECT_TRUE(ctx.Cause().ok());
  EXPECT_FALSE(IsDone(ctx));
  cancel();
  EXPECT_TRUE(IsDone(ctx));
  EXPECT_EQ(ctx.Err().ToString(), "CANCELLED: context canceled");
  EXPECT_EQ(ctx.Cause().ToString(), "CANCELLED: context canceled");
  cancel();
  EXPECT_EQ(ctx.Err().ToString(), "CANCELLED: context canceled");
}

TEST(ContextTest, DoneMadeAfterTheEndIsClosed) {
  auto [ctx, cancel] = WithCancel(Context::Background());
  cancel();
  EXPECT_TRUE(IsDone(ctx));
}

TEST(ContextTest, CancelWakesWhoWaits) {
  auto [ctx, cancel] = WithCancel(Context::Background());
  WaitGroup wg;
  std::atomic<int> woken{0};
  for (int i = 0; i < 50; ++i) {
    wg.Go([&, ctx = ctx] {
      Select(OnDone(ctx));
      EXPECT_EQ(ctx.Err().message(), "context canceled");
      ++woken;
    });
  }
  std::thread thread([&, ctx = ctx] { ctx.Done().Recv(); });
  cancel();
  wg.Wait();
  thread.join();
  EXPECT_EQ(woken, 50);
}

TEST(ContextTest, ChildrenEndWithTheirParent) {
  auto [parent, cancel_parent] = WithCancel(Context::Background());
  auto [child, cancel_child] = WithCancel(parent);
  auto [sibling, cancel_sibling] = WithCancel(parent);
  auto [grandchild, cancel_grandchild] = WithTimeout(child, absl::Hours(1));
  cancel_child();
  EXPECT_TRUE(IsDone(child));
  EXPECT_TRUE(IsDone(grandchild));
  EXPECT_EQ(grandchild.Err().message(), "context canceled");
  EXPECT_FALSE(IsDone(parent));
  EXPECT_FALSE(IsDone(sibling));
  cancel_parent();
  EXPECT_TRUE(IsDone(parent));
  EXPECT_TRUE(IsDone(sibling));
}

TEST(ContextTest, AChildOfAnEndedContextHasEnded) {
  auto [parent, cancel_parent] = WithCancel(Context::Background());
  cancel_parent();
  auto [child, cancel_child] = WithCancel(parent);
  EXPECT_TRUE(IsDone(child));
  EXPECT_EQ(child.Err().message(), "context canceled");
  auto [late, cancel_late] = WithDeadline(parent, absl::InfinitePast());
  EXPECT_EQ(late.Err().message(), "context canceled");
}

TEST(ContextTest, WaitersOnDoneNeedNoHandleOfTheContext) {
  auto [parent, cancel] = WithCancel(Context::Background());
  RecvChan<Unit> done;
  {
    auto [child, cancel_child] = WithCancel(parent);
    done = child.Done();
  }
  cancel();
  EXPECT_FALSE(done.Recv().has_value());
}

TEST(ContextTest, TheCauseIsTheFirstGiven) {
  auto [parent, cancel_parent] = WithCancelCause(Context::Background());
  auto [child, cancel_child] = WithCancel(parent);
  auto [grandchild, cancel_grandchild] = WithCancelCause(child);
  cancel_parent(absl::DataLossError("the disk is gone"));
  cancel_parent(absl::DataLossError("too late"));
  cancel_grandchild(absl::DataLossError("too late as well"));
  for (const Context& ctx : {parent, child, grandchild}) {
    EXPECT_EQ(ctx.Err().ToString(), "CANCELLED: context canceled");
    EXPECT_EQ(ctx.Cause().ToString(), "DATA_LOSS: the disk is gone");
  }
}

TEST(ContextTest, AnOkCauseIsNone) {
  auto [ctx, cancel] = WithCancelCause(Context::Background());
  cancel(absl::OkStatus());
  EXPECT_EQ(ctx.Cause().ToString(), "CANCELLED: context canceled");
}

TEST(ContextTest, WithoutCancelKeepsItsOwnLife) {
  auto [parent, cancel] = WithTimeout(Context::Background(), absl::Hours(1));
  const Context ctx = WithoutCancel(parent);
  cancel();
  EXPECT_FALSE(ctx.Done());
  EXPECT_TRUE(ctx.Err().ok());
  EXPECT_FALSE(ctx.Deadline().has_value());
  auto [child, cancel_child] = WithCancel(ctx);
  EXPECT_TRUE(child.Err().ok());
  cancel_child();
  EXPECT_FALSE(child.Err().ok());
}

TEST(ContextTest, CopiesOfACancelFuncCancelTheSame) {
  auto [ctx, cancel] = WithCancel(Context::Background());
  const CancelFunc copy = cancel;
  CancelFunc moved = std::move(cancel);
  const std::function<void()> function = moved;
  moved = CancelFunc();
  moved();  // nothing
  EXPECT_TRUE(ctx.Err().ok());
  function();
  EXPECT_FALSE(ctx.Err().ok());
  copy();
}

// Whoever's cancel returns, the whole tree has ended by then: also the cancel that came second.
TEST(ContextTest, EveryCancelReturnsAfterTheWholeTreeHasEnded) {
  for (int turn = 0; turn < 300; ++turn) {
    auto [root, cancel] = WithCancel(Context::Background());
    std::vector<std::pair<Context, CancelFunc>> tree;
    tree.push_back(WithCancel(root));
    for (size_t i = 1; i < 40; ++i) tree.push_back(WithCancel(tree[(i - 1) / 2].first));
    WaitGroup wg;
    for (int canceller = 0; canceller < 4; ++canceller) {
      wg.Go([&, cancel = cancel] {
        cancel();
        for (const auto& [ctx, unused] : tree) {
          EXPECT_FALSE(ctx.Err().ok());
          EXPECT_TRUE(IsDone(ctx));
        }
      });
    }
    wg.Wait();
  }
}

TEST(ContextTest, CancelsFromEverywhereAtOnce) {
  for (int turn = 0; turn < 300; ++turn) {
    auto [root, cancel_root] = WithTimeout(Context::Background(), absl::Microseconds(turn));
    WaitGroup wg;
    for (int worker = 0; worker < 4; ++worker) {
      wg.Go([&, root = root] {
        for (int i = 0; i < 20; ++i) {
          auto [a, cancel_a] = WithCancel(root);
          auto [b, cancel_b] = WithTimeout(a, absl::Microseconds(i));
          auto [c, cancel_c] = WithCancel(b);
          if (i % 2 == 0) cancel_b();
          if (i % 3 == 0) cancel_a();
          if (i % 3 == 1) cancel_c();
          EXPECT_TRUE(i % 2 != 0 || !c.Err().ok());
        }
      });
    }
    cancel_root();
    wg.Wait();
  }
}

// A chain is walked, not descended into: a small stack is enough.
TEST(ContextTest, LongChainsEndAndGoOnSmallStacks) {
  WaitGroup wg;
  wg.Add(1);
  GoOptions options;
  options.stack_bytes = 64 << 10;
  GoWith(options, [&] {
    {
      auto [root, cancel] = WithCancel(Context::Background());
      Context last = root;
      std::vector<CancelFunc> cancels;
      for (int i = 0; i < 20000; ++i) {
        auto [next, cancel_next] = WithCancel(last);
        cancels.push_back(std::move(cancel_next));
        last = next;
      }
      cancel();
      EXPECT_FALSE(last.Err().ok());
    }
    {
      Context last;
      const ContextKey<int> key;
      for (int i = 0; i < 20000; ++i) last = WithValue(last, key, i);
      EXPECT_EQ(last.Value(key), 19999);
    }
    {
      Context last;
      for (int i = 0; i < 20000; ++i) last = WithCancel(last).first;  // nobody can cancel any
      EXPECT_TRUE(last.Err().ok());
    }
    wg.Done();
  });
  wg.Wait();
}

}  // namespace
}  // namespace leash
