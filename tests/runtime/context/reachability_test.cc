// Who can still end a context, as its Done channel tells: the handles that could close it.

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "chan/chan_facts.h"
#include "leash/chan.h"
#include "leash/context.h"
#include "leash/go.h"
#include "leash/time.h"

namespace leash {
namespace {

uint64_t Senders(const RecvChan<Unit>& done) {
  std::vector<char> bytes(rt::kChanFactsBytes);
  memcpy(bytes.data(), internal::ChanAccess::Core(done), bytes.size());
  rt::ChanFacts facts;
  EXPECT_TRUE(rt::ReadChanFacts(bytes.data(), &facts));
  return facts.send_handles;
}

class ReachabilityTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!LEASH_RECORD) GTEST_SKIP() << "handles are not counted";
  }
};

TEST_F(ReachabilityTest, ACancelFuncIsASender) {
  auto [ctx, cancel] = WithCancel(Context::Background());
  const RecvChan<Unit> done = ctx.Done();
  EXPECT_EQ(Senders(done), 1u);
  std::optional<CancelFunc> copy = cancel;
  cancel = CancelFunc();
  EXPECT_EQ(Senders(done), 1u);
  copy.reset();
  EXPECT_EQ(Senders(done), 0u);
  EXPECT_TRUE(ctx.Err().ok());
}

TEST_F(ReachabilityTest, NobodyIsASenderOfWhatHasEnded) {
  auto [ctx, cancel] = WithCancel(Context::Background());
  const RecvChan<Unit> done = ctx.Done();
  cancel();
  EXPECT_EQ(Senders(done), 0u);
}

TEST_F(ReachabilityTest, DoneMadeWhenNothingCanEndItHasNoSender) {
  const Context ctx = WithCancel(Context::Background()).first;
  EXPECT_EQ(Senders(ctx.Done()), 0u);
}

TEST_F(ReachabilityTest, AParentThatCanEndIsASender) {
  auto [parent, cancel_parent] = WithCancel(Context::Background());
  auto [child, cancel_child] = WithCancel(parent);
  auto [grandchild, cancel_grandchild] = WithCancel(child);
  const RecvChan<Unit> done = grandchild.Done();
  cancel_child = CancelFunc();
  cancel_grandchild = CancelFunc();
  EXPECT_EQ(Senders(done), 1u);
  cancel_parent = CancelFunc();  // now nothing can end any of the three
  EXPECT_EQ(Senders(done), 0u);
  EXPECT_EQ(Senders(parent.Done()), 0u);
  EXPECT_TRUE(grandchild.Err().ok());
}

TEST_F(ReachabilityTest, ADeadlineIsASender) {
  RecvChan<Unit> done;
  {
    auto [ctx, cancel] = WithTimeout(Context::Background(), absl::Milliseconds(1));
    done = ctx.Done();
  }
  done.Recv();
  while (Senders(done) != 0) Gosched();  // who has closed it lets go a moment later
  auto [ctx, cancel] = WithTimeout(Context::Background(), absl::Hours(1));
  done = ctx.Done();
  const Context kept = ctx;
  {
    const CancelFunc moved = std::move(cancel);
  }
  EXPECT_EQ(Senders(done), 1u);
  auto [child, cancel_child] = WithCancel(ctx);
  cancel_child = CancelFunc();
  EXPECT_EQ(Senders(child.Done()), 1u);
}

TEST_F(ReachabilityTest, AChildOfWhatCannotEndDependsOnItselfOnly) {
  const Context parent = WithCancel(Context::Background()).first;
  auto [child, cancel] = WithCancel(parent);
  const RecvChan<Unit> done = child.Done();
  EXPECT_EQ(Senders(done), 1u);
  cancel = CancelFunc();
  EXPECT_EQ(Senders(done), 0u);
}

// A server's context lives long: what its requests made must go when they cancel.
TEST_F(ReachabilityTest, ACancelledChildIsForgottenByItsParent) {
  auto [parent, cancel_parent] = WithCancel(Context::Background());
  const ContextKey<std::shared_ptr<int>> key;
  const auto held = std::make_shared<int>();
  for (int i = 0; i < 100; ++i) {
    auto [child, cancel] = WithCancel(WithValue(parent, key, held));
    cancel();
  }
  EXPECT_EQ(held.use_count(), 1);
}

TEST_F(ReachabilityTest, WhatNothingCanEndIsFreedWithItsHandles) {
  const ContextKey<std::shared_ptr<int>> key;
  const auto held = std::make_shared<int>();
  {
    auto [parent, cancel_parent] = WithCancel(Context::Background());
    auto [child, cancel] = WithCancel(WithValue(parent, key, held));
    auto [grandchild, cancel_grandchild] = WithCancel(WithValue(child, key, held));
    EXPECT_EQ(held.use_count(), 3);
  }
  EXPECT_EQ(held.use_count(), 1);
}

TEST_F(ReachabilityTest, AStoppedTimerHasNoSenderButItsHandles) {
  const auto senders = [](const RecvChan<absl::Time>& c) {
    std::vector<char> bytes(rt::kChanFactsBytes);
    memcpy(bytes.data(), internal::ChanAccess::Core(c), bytes.size());
    rt::ChanFacts facts;
    EXPECT_TRUE(rt::ReadChanFacts(bytes.data(), &facts));
    EXPECT_TRUE(facts.timer);
    EXPECT_EQ(facts.capacity, 0u);
    return facts.send_handles;
  };
  std::optional<Timer> timer(absl::Hours(1));
  const RecvChan<absl::Time> c = timer->C();
  EXPECT_EQ(senders(c), 2u);  // it is armed; a Reset could come
  timer->Stop();
  EXPECT_EQ(senders(c), 1u);
  timer.reset();
  EXPECT_EQ(senders(c), 0u);
}

}  // namespace
}  // namespace leash
