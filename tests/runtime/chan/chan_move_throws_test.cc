// Elements whose move throws: the exception reaches the operation that moved, and the channel stays
// usable.

#include <gtest/gtest.h>

#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "leash/chan.h"
#include "runtime/chan/chan_test_support.h"

namespace leash::testing {
namespace {

// Its next `bombs` moves throw, and leave it as it is.
struct Bomb {
  explicit Bomb(int v, int b = 0) : value(v), bombs(b) {}
  Bomb(Bomb&& other) : value(other.value) {
    if (other.bombs > 0) {
      --other.bombs;
      throw std::runtime_error("move of " + std::to_string(value));
    }
    bombs = other.bombs;
  }
  int value;
  int bombs = 0;
};

// A Bomb as an argument of Send, without a move on the way.
Bomb Armed(int value, int bombs) { return Bomb(value, bombs); }

template <class F>
std::string ErrorOf(F fn) {
  try {
    fn();
  } catch (const std::runtime_error& e) {
    return e.what();
  }
  return "";
}

TEST(ChanMoveThrowsTest, SendThatCannotMoveInHasNoEffect) {
  auto ch = MakeChan<Bomb>(1);
  EXPECT_EQ(ErrorOf([&] { ch.Send(Armed(1, 1)); }), "move of 1");
  EXPECT_EQ(ch.Len(), 0u);
  ch.Send(Bomb(2));
  EXPECT_EQ(ch.Recv()->value, 2);
}

TEST(ChanMoveThrowsTest, ReceiveThatCannotMoveOutLeavesTheValue) {
  auto ch = MakeChan<Bomb>(1);
  ch.Send(Bomb(1));
  rt::ChanCore* core = internal::ChanAccess::Core(ch);
  reinterpret_cast<Bomb*>(core->Slot(0))->bombs = 1;
  EXPECT_EQ(ErrorOf([&] { ch.Recv(); }), "move of 1");
  EXPECT_EQ(ch.Len(), 1u);
  EXPECT_EQ(ch.Recv()->value, 1);
}

TEST(ChanMoveThrowsTest, WaitingReceiverWaitsOnWhenTheSenderFails) {
  auto ch = MakeChan<Bomb>();
  int got = 0;
  Crew crew;
  crew.Go([&] { got = ch.Recv()->value; });
  WaitForReceivers(ch, 1);
  EXPECT_EQ(ErrorOf([&] { ch.Send(Armed(1, 1)); }), "move of 1");
  EXPECT_EQ(Waiters(ch, false), 1u);
  ch.Send(Bomb(2));
  crew.Wait();
  EXPECT_EQ(got, 2);
}

TEST(ChanMoveThrowsTest, WaitingSenderKeepsItsTurnAndItsValueWhenTheReceiverFails) {
  auto ch = MakeChan<Bomb>();
  Crew crew;
  crew.Go([&] { ch.Send(Armed(1, 2)); });
  WaitForSenders(ch, 1);
  crew.Go([&] { ch.Send(Bomb(2)); });
  WaitForSenders(ch, 2);
  EXPECT_EQ(ErrorOf([&] { ch.Recv(); }), "move of 1");
  EXPECT_EQ(ErrorOf([&] { ch.TryRecv(); }), "move of 1");
  EXPECT_EQ(Waiters(ch, true), 2u);
  EXPECT_EQ(ch.Recv()->value, 1);
  EXPECT_EQ(ch.Recv()->value, 2);
}

TEST(ChanMoveThrowsTest, SenderThatWaitedForRoomFailsByItself) {
  auto ch = MakeChan<Bomb>(1);
  ch.Send(Bomb(0));
  std::string error;
  Crew crew;
  crew.Go([&] { error = ErrorOf([&] { ch.Send(Armed(1, 1)); }); });
  WaitForSenders(ch, 1);
  crew.Go([&] { ch.Send(Bomb(2)); });
  WaitForSenders(ch, 2);
  EXPECT_EQ(ch.Recv()->value, 0) << "another's failure is not the receiver's";
  // The one that failed has let the next one in.
  EXPECT_EQ(ch.Recv()->value, 2);
  crew.Wait();
  EXPECT_EQ(error, "move of 1");
}

TEST(ChanMoveThrowsTest, ManyWaitForRoomAndAllComeThrough) {
  auto ch = MakeChan<Bomb>(2);
  constexpr int kSenders = 20;
  std::vector<std::string> errors(kSenders);
  Crew crew;
  for (int i = 0; i < kSenders; ++i) {
    crew.Go([&, i] { errors[i] = ErrorOf([&] { ch.Send(Armed(i, i % 3 == 0 ? 1 : 0)); }); });
  }
  int received = 0, failed = 0;
  for (int i = 0; i < kSenders; ++i) {
    if (i % 3 == 0) ++failed;
  }
  while (received < kSenders - failed) {
    const int value = ch.Recv()->value;
    EXPECT_NE(value % 3, 0);
    ++received;
  }
  crew.Wait();
  for (int i = 0; i < kSenders; ++i) {
    EXPECT_EQ(errors[i], i % 3 == 0 ? "move of " + std::to_string(i) : "") << i;
  }
}

TEST(ChanMoveThrowsTest, SelectThatWaitsToReceiveStartsOver) {
  auto a = MakeChan<Bomb>();
  auto b = MakeChan<int>();
  int got = 0;
  Crew crew;
  crew.Go([&] { Select(OnRecv(a, [&](std::optional<Bomb> v) { got = v->value; }), OnRecv(b)); });
  WaitForReceivers(a, 1);
  EXPECT_EQ(ErrorOf([&] { a.Send(Armed(1, 1)); }), "move of 1");
  a.Send(Bomb(2));
  crew.Wait();
  EXPECT_EQ(got, 2);
  EXPECT_EQ(Waiters(b, false), 0u);
}

TEST(ChanMoveThrowsTest, SelectThatWaitsToSendStartsOverWithItsValue) {
  auto ch = MakeChan<Bomb>();
  auto other = MakeChan<int>();
  size_t taken = 99;
  Crew crew;
  // The value has been moved once on its way into the case: the bomb is set afterwards.
  crew.Go([&] {
    auto send = OnSend(ch, Bomb(1));
    internal::CaseRecord record;
    send.Fill(record);
    static_cast<Bomb*>(record.value)->bombs = 1;
    taken = Select(send, OnRecv(other));
  });
  WaitForSenders(ch, 1);
  EXPECT_EQ(ErrorOf([&] { ch.Recv(); }), "move of 1");
  EXPECT_EQ(ch.Recv()->value, 1);
  crew.Wait();
  EXPECT_EQ(taken, 0u);
}

TEST(ChanMoveThrowsTest, SelectThatMovesGetsTheException) {
  auto ch = MakeChan<Bomb>(1);
  ch.Send(Bomb(1));
  rt::ChanCore* core = internal::ChanAccess::Core(ch);
  reinterpret_cast<Bomb*>(core->Slot(0))->bombs = 1;
  auto other = MakeChan<int>();
  EXPECT_EQ(ErrorOf([&] { Select(OnRecv(ch), OnRecv(other)); }), "move of 1");
  EXPECT_FALSE(core->lock.IsHeld());
  EXPECT_EQ(ch.Len(), 1u);
  EXPECT_EQ(Select(OnRecv(ch), OnRecv(other)), 0u);
}

}  // namespace
}  // namespace leash::testing
