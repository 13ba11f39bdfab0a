// Group.

#include <gtest/gtest.h>

#include <atomic>
#include <memory>

#include "absl/status/status.h"
#include "leash/context.h"
#include "leash/go.h"
#include "leash/sync.h"
#include "runtime/sync/sync_test_support.h"

namespace leash {
namespace {

using testing::Eventually;
using testing::PanicOf;

TEST(GroupTest, WaitReturnsTheFirstError) {
  Group group;
  std::atomic<bool> first_is_out{false};
  group.Go([&] { return absl::OkStatus(); });
  group.Go([&] {
    first_is_out = true;
    return absl::NotFoundError("first");
  });
  group.Go([&, ctx = group.context()] {
    ctx.Done().Recv();
    return absl::InternalError("second");
  });
  EXPECT_EQ(group.Wait(), absl::NotFoundError("first"));
  EXPECT_TRUE(first_is_out);
}

TEST(GroupTest, AFunctionMayReturnNothing) {
  Group group;
  int a = 0, b = 0;
  group.Go([&] { a = 1; });
  group.Go([&, p = std::make_unique<int>(2)] { b = *p; });
  EXPECT_EQ(group.Wait(), absl::OkStatus());
  EXPECT_EQ(a + b, 3);
}

TEST(GroupTest, AnErrorCancelsTheContextAndIsItsCause) {
  auto [parent, cancel] = WithCancel(Context());
  Group group(parent);
  EXPECT_EQ(group.context().Err(), absl::OkStatus());
  group.Go([] { return absl::AbortedError("stop"); });
  group.context().Done().Recv();
  EXPECT_EQ(group.context().Err(), absl::CancelledError("context canceled"));
  EXPECT_EQ(group.context().Cause(), absl::AbortedError("stop"));
  EXPECT_EQ(parent.Err(), absl::OkStatus());
  EXPECT_EQ(group.Wait(), absl::AbortedError("stop"));
  cancel();
}

TEST(GroupTest, WaitCancelsTheContext) {
  Group group;
  EXPECT_EQ(group.Wait(), absl::OkStatus());
  EXPECT_EQ(group.context().Err(), absl::CancelledError("context canceled"));
  EXPECT_EQ(group.context().Cause(), absl::CancelledError("context canceled"));
}

TEST(GroupTest, TheParentCancelsTheGroup) {
  auto [parent, cancel] = WithCancel(Context());
  Group group(parent);
  group.Go([ctx = group.context()] {
    ctx.Done().Recv();
    return ctx.Err();
  });
  cancel();
  EXPECT_EQ(group.Wait(), absl::CancelledError("context canceled"));
}

TEST(GroupTest, TheDestructorWaits) {
  std::atomic<bool> ended{false};
  {
    Group group;
    group.Go([&] {
      for (int i = 0; i < 100; ++i) Gosched();
      ended = true;
    });
  }
  EXPECT_TRUE(ended);
}

TEST(GroupTest, GoexitCountsAsEnded) {
  Group group;
  group.SetLimit(1);
  group.Go([] { Goexit(); });
  group.Go([] {});
  EXPECT_EQ(group.Wait(), absl::OkStatus());
}

TEST(GroupTest, NoMoreAtATimeThanTheLimit) {
  constexpr int kLimit = 3;
  Group group;
  group.SetLimit(kLimit);
  std::atomic<int> active{0}, calls{0};
  for (int i = 0; i < 100; ++i) {
    group.Go([&] {
      EXPECT_LE(active.fetch_add(1) + 1, kLimit);
      Gosched();
      active.fetch_sub(1);
      ++calls;
    });
  }
  EXPECT_EQ(group.Wait(), absl::OkStatus());
  EXPECT_EQ(calls, 100);
}

TEST(GroupTest, TryGoDoesNotBlockAtTheLimit) {
  Group group;
  group.SetLimit(2);
  std::atomic<bool> end{false};
  const auto until_end = [&] { EXPECT_TRUE(Eventually([&] { return end.load(); })); };
  EXPECT_TRUE(group.TryGo(until_end));
  EXPECT_TRUE(group.TryGo(until_end));
  EXPECT_FALSE(group.TryGo([] { FAIL() << "started over the limit"; }));
  end = true;
  EXPECT_EQ(group.Wait(), absl::OkStatus());
  EXPECT_TRUE(group.TryGo([] {}));
}

TEST(GroupTest, AZeroLimitLetsNoneStartAndANegativeOneAll) {
  Group group;
  group.SetLimit(0);
  EXPECT_FALSE(group.TryGo([] {}));
  group.SetLimit(-1);
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(group.TryGo([] {}));
  EXPECT_EQ(group.Wait(), absl::OkStatus());
}

TEST(GroupTest, TheLimitIsNotForChangingWhileOnesAreActive) {
  Group group;
  group.SetLimit(5);
  std::atomic<bool> end{false};
  for (int i = 0; i < 2; ++i) {
    group.Go([&] { EXPECT_TRUE(Eventually([&] { return end.load(); })); });
  }
  EXPECT_EQ(PanicOf([&] { group.SetLimit(1); }),
            "errgroup: modify limit while 2 goroutines in the group are still active");
  end = true;
  EXPECT_EQ(group.Wait(), absl::OkStatus());
  group.SetLimit(1);
}

TEST(GroupTest, MayBeDestroyedWhenWaitHasReturned) {
  for (int round = 0; round < 100; ++round) {
    auto group = std::make_unique<Group>();
    group->SetLimit(2);
    int calls[3] = {};
    for (int& call : calls) group->Go([&call] { call = 1; });
    EXPECT_EQ(group->Wait(), absl::OkStatus());
    group.reset();
    EXPECT_EQ(calls[0] + calls[1] + calls[2], 3);
  }
}

}  // namespace
}  // namespace leash
