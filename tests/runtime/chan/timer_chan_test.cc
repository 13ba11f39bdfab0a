// Channels of timers: one tick is kept, and can be taken back.

#include "chan/timer_chan.h"

#include <gtest/gtest.h>

#include <optional>

#include "leash/chan.h"
#include "runtime/chan/chan_test_support.h"

namespace leash::testing {
namespace {

Chan<int> MakeTimerChan() {
  return internal::ChanAccess::Make<Chan<int>>(1, "", std::source_location::current(),
                                               internal::ChanFlavor::kTimer);
}

bool Tick(const Chan<int>& chan, int value) {
  return rt::TimerSend(internal::ChanAccess::Core(chan), &value);
}

TEST(TimerChanTest, KeepsOneTickAndLooksUnbuffered) {
  auto ch = MakeTimerChan();
  EXPECT_TRUE(Tick(ch, 1));
  EXPECT_FALSE(Tick(ch, 2));
  EXPECT_EQ(ch.Len(), 0u);
  EXPECT_EQ(ch.Cap(), 0u);
  EXPECT_EQ(ch.Recv(), 1);
  EXPECT_EQ(ch.TryRecv(), std::nullopt);
}

TEST(TimerChanTest, ClearedTickIsNeverReceived) {
  auto ch = MakeTimerChan();
  EXPECT_FALSE(rt::ClearBuffer(internal::ChanAccess::Core(ch)));
  Tick(ch, 1);
  EXPECT_TRUE(rt::ClearBuffer(internal::ChanAccess::Core(ch)));
  EXPECT_EQ(ch.TryRecv(), std::nullopt);
  Tick(ch, 2);
  EXPECT_EQ(ch.Recv(), 2);
}

TEST(TimerChanTest, TickReachesWhoeverWaits) {
  auto ch = MakeTimerChan();
  rt::ChanCore* core = internal::ChanAccess::Core(ch);
  EXPECT_FALSE(rt::HasReceivers(core));
  std::optional<int> got;
  Crew crew;
  crew.Go([&] { got = ch.Recv(); });
  WaitForReceivers(ch, 1);
  EXPECT_TRUE(rt::HasReceivers(core));
  EXPECT_TRUE(Tick(ch, 5));
  crew.Wait();
  EXPECT_EQ(got, 5);
  EXPECT_TRUE(Facts(ch).timer);
  EXPECT_EQ(Facts(ch).capacity, 0u);
}

}  // namespace
}  // namespace leash::testing
