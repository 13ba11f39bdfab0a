// Elements of every kind: move-only, without a default, large, over-aligned, without size.

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <utility>

#include "leash/chan.h"
#include "runtime/chan/chan_test_support.h"

namespace leash::testing {
namespace {

// Counts those alive and the moves of each.
struct Counted {
  explicit Counted(int v) : value(v) { ++alive; }
  Counted(Counted&& other) noexcept : value(other.value), moves(other.moves + 1) { ++alive; }
  Counted(const Counted&) = delete;
  ~Counted() { --alive; }
  int value;
  int moves = 0;
  static std::atomic<int> alive;
};
std::atomic<int> Counted::alive{0};

TEST(ChanElementTest, MoveOnlyElements) {
  for (size_t capacity : {0, 2}) {
    auto ch = MakeChan<std::unique_ptr<int>>(capacity);
    Crew crew;
    crew.Go([&] {
      for (int i = 0; i < 10; ++i) ch.Send(std::make_unique<int>(i));
      ch.Close();
    });
    int want = 0;
    for (std::unique_ptr<int> got : ch) ASSERT_EQ(*got, want++);
    EXPECT_EQ(want, 10);
  }
}

TEST(ChanElementTest, UnbufferedValueIsMovedOnceByTheReceiver) {
  auto ch = MakeChan<Counted>();
  Crew crew;
  crew.Go([&] { ch.Send(Counted(1)); });
  WaitForSenders(ch, 1);
  std::optional<Counted> got = ch.Recv();
  EXPECT_EQ(got->moves, 1);
}

TEST(ChanElementTest, UnbufferedValueIsMovedOnceByTheSender) {
  auto ch = MakeChan<Counted>();
  int moves = -1;
  Crew crew;
  crew.Go([&] {
    std::optional<Counted> got = ch.Recv();
    moves = got->moves;
  });
  WaitForReceivers(ch, 1);
  ch.Send(Counted(1));
  crew.Wait();
  EXPECT_EQ(moves, 1);
}

TEST(ChanElementTest, BufferedValueIsMovedInAndOut) {
  auto ch = MakeChan<Counted>(1);
  ch.Send(Counted(1));
  EXPECT_EQ(ch.Recv()->moves, 2);
}

TEST(ChanElementTest, WhatIsLeftIsDestroyedWithTheChannel) {
  const int before = Counted::alive;
  {
    auto ch = MakeChan<Counted>(4);
    for (int i = 0; i < 3; ++i) ch.Send(Counted(i));
    ch.Recv();
    ch.Send(Counted(3));
    ch.Send(Counted(4));  // the ring has wrapped round
    EXPECT_EQ(Counted::alive, before + 4);
  }
  EXPECT_EQ(Counted::alive, before);
}

TEST(ChanElementTest, ValueThatCannotBeSentIsDestroyed) {
  const int before = Counted::alive;
  auto ch = MakeChan<Counted>();
  EXPECT_FALSE(ch.TrySend(Counted(1)));
  ch.Close();
  EXPECT_EQ(PanicOf([&] { ch.Send(Counted(2)); }), "send on closed channel");
  EXPECT_EQ(Counted::alive, before);
}

TEST(ChanElementTest, UnitTakesNoRoom) {
  auto ch = MakeChan<Unit>(1'000'000);
  EXPECT_EQ(internal::kElementType<Unit>.size, 0u);
  for (int i = 0; i < 3; ++i) ch.Send({});
  EXPECT_EQ(ch.Len(), 3u);
  EXPECT_TRUE(ch.Recv().has_value());
  ch.Close();
  EXPECT_TRUE(ch.Recv().has_value());
  EXPECT_TRUE(ch.Recv().has_value());
  EXPECT_FALSE(ch.Recv().has_value());
}

struct alignas(256) Wide {
  uint64_t value;
};

template <class T>
void CheckAligned(size_t capacity) {
  auto ch = MakeChan<T>(capacity, "named, so that something follows the slots");
  Crew crew;
  crew.Go([&] {
    for (uint64_t i = 0; i < 20; ++i) ch.Send(T{i});
    ch.Close();
  });
  uint64_t want = 0;
  for (const T& got : ch) {
    ASSERT_EQ(reinterpret_cast<uintptr_t>(&got) % alignof(T), 0u);
    ASSERT_EQ(got.value, want++);
  }
  EXPECT_EQ(want, 20u);
  if (capacity > 0) {
    rt::ChanCore* core = internal::ChanAccess::Core(ch);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(core->Slot(1)) % alignof(T), 0u);
  }
}

struct alignas(64) WideString {
  explicit WideString(uint64_t v) : value(v), text(std::to_string(v)) {}
  uint64_t value;
  std::string text;
};

TEST(ChanElementTest, OverAlignedElementsAreAligned) {
  for (size_t capacity : {0, 3}) {
    CheckAligned<Wide>(capacity);
    CheckAligned<WideString>(capacity);
  }
}

TEST(ChanElementTest, LargeElements) {
  using Page = std::array<uint32_t, 4096>;
  auto ch = MakeChan<Page>(1);
  Crew crew;
  crew.Go([&] {
    for (uint32_t k = 0; k < 5; ++k) {
      auto page = std::make_unique<Page>();
      std::iota(page->begin(), page->end(), k);
      ch.Send(*page);
    }
    ch.Close();
  });
  uint32_t k = 0;
  for (const Page& page : ch) {
    EXPECT_EQ(page.front(), k);
    EXPECT_EQ(page.back(), k + 4095);
    ++k;
  }
  EXPECT_EQ(k, 5u);
}

TEST(ChanElementTest, OddSizesAreCopiedWhole) {
  using Bytes = std::array<unsigned char, 13>;
  auto ch = MakeChan<Bytes>(3);
  for (unsigned char i = 0; i < 3; ++i) {
    Bytes bytes;
    bytes.fill(i);
    ch.Send(bytes);
  }
  for (unsigned char i = 0; i < 3; ++i) {
    Bytes want;
    want.fill(i);
    EXPECT_EQ(ch.Recv(), want);
  }
}

TEST(ChanElementTest, ChannelsOfChannels) {
  auto requests = MakeChan<SendChan<int>>();
  Crew crew;
  crew.Go([&] {
    for (const SendChan<int>& reply : requests) reply.Send(42);
  });
  for (int i = 0; i < 10; ++i) {
    auto reply = MakeChan<int>();
    requests.Send(reply);
    EXPECT_EQ(reply.Recv(), 42);
  }
  requests.Close();
}

}  // namespace
}  // namespace leash::testing
