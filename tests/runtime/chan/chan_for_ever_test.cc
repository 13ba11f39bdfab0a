// What waits for ever, and says so in Go's words.

#include <gtest/gtest.h>

#include <string_view>
#include <vector>

#include "leash/chan.h"
#include "runtime/chan/chan_test_support.h"
#include "support/wait_until_blocked.h"

namespace leash::testing {
namespace {

// Starts `fn` as a goroutine; returns its id.
template <class F>
uint64_t Start(F fn) {
  auto id = MakeChan<uint64_t>(1);
  GoBackground("it waits for ever, which is what is tested", [id, fn] {
    id.Send(GoroutineId());
    fn();
  });
  return *id.Recv();
}

TEST(ChanForEverTest, SendOnNilChannel) {
  EXPECT_TRUE(WaitUntilBlocked(Start([] { Chan<int>().Send(1); }), "chan send (nil chan)"));
}

TEST(ChanForEverTest, ReceiveOnNilChannel) {
  EXPECT_TRUE(WaitUntilBlocked(Start([] { Chan<int>().Recv(); }), "chan receive (nil chan)"));
}

TEST(ChanForEverTest, SelectWithoutCases) {
  EXPECT_TRUE(WaitUntilBlocked(Start([] { Select(); }), "select (no cases)"));
  EXPECT_TRUE(WaitUntilBlocked(Start([] { SelectN({}); }), "select (no cases)"));
}

TEST(ChanForEverTest, SelectOfNilChannels) {
  EXPECT_TRUE(WaitUntilBlocked(Start([] { Select(OnRecv(Chan<int>())); }), "select"));
  EXPECT_TRUE(WaitUntilBlocked(
      Start([] { Select(OnRecv(Chan<int>()), OnTimeout(absl::InfiniteDuration())); }), "select"));
}

TEST(ChanForEverTest, WaitsAreNamedInGoWords) {
  auto ch = MakeChan<int>(), full = MakeChan<int>(1);
  full.Send(1);
  const uint64_t receiver = Start([ch] { ch.Recv(); });
  EXPECT_TRUE(WaitUntilBlocked(receiver, "chan receive"));
  const uint64_t sender = Start([full] { full.Send(2); });
  EXPECT_TRUE(WaitUntilBlocked(sender, "chan send"));
  const uint64_t one = Start([full] { Select(OnSend(full, 2)); });
  EXPECT_TRUE(WaitUntilBlocked(one, "select")) << "whatever the number of its cases";
  ch.Send(1);
  full.Recv();
  full.Recv();
  EXPECT_EQ(full.Recv(), 2);
}

}  // namespace
}  // namespace leash::testing
