#include "sched/trace_ring.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <thread>

namespace leash::rt {
namespace {

using SmallRing = TraceRing<std::atomic, 8>;

TEST(TraceRingTest, GivesBackWhatWasPutInInOrder) {
  SmallRing ring;
  for (uint64_t i = 0; i < 3; ++i) ASSERT_TRUE(ring.Push({.id = i, .kind = TraceKind::kRun}));
  ASSERT_EQ(ring.Taken(), 0u);
  ASSERT_EQ(ring.Published(), 3u);
  for (uint64_t i = 0; i < 3; ++i) EXPECT_EQ(ring.At(i).id, i);
}

TEST(TraceRingTest, LosesAndCountsWhatFindsNoRoom) {
  SmallRing ring;
  for (uint64_t i = 0; i < 8; ++i) ASSERT_TRUE(ring.Push({.id = i}));
  EXPECT_FALSE(ring.Push({.id = 8}));
  EXPECT_FALSE(ring.Push({.id = 9}, "text"));
  EXPECT_EQ(ring.Lost(), 2u);
  ring.Take(1);
  EXPECT_TRUE(ring.Push({.id = 10}));
  EXPECT_EQ(ring.At(8).id, 10u);
  EXPECT_EQ(ring.At(1).id, 1u) << "what was not taken is not written over";
}

TEST(TraceRingTest, ATextGoesAroundTheEnd) {
  SmallRing ring;
  for (uint64_t i = 0; i < 6; ++i) ASSERT_TRUE(ring.Push({.id = i}));
  ring.Take(6);
  const std::string text = std::string(40, 'a') + std::string(40, 'b') + "c";
  ASSERT_TRUE(ring.Push({.id = 7}, text));
  EXPECT_EQ(ring.Published(), 10u);  // a record and three for the text
  char out[kTraceTextMax];
  EXPECT_EQ(ring.TextAt(6, out), text);
}

TEST(TraceRingTest, ATextIsCutAtItsLimit) {
  TraceRing<std::atomic, 64> ring;
  const std::string text(kTraceTextMax + 1, 'x');
  ASSERT_TRUE(ring.Push({.id = 1}, text));
  char out[kTraceTextMax];
  EXPECT_EQ(ring.TextAt(0, out), text.substr(1));
}

TEST(TraceRingTest, ATextWithoutRoomForAllOfItIsLostWhole) {
  SmallRing ring;
  for (uint64_t i = 0; i < 6; ++i) ASSERT_TRUE(ring.Push({.id = i}));
  EXPECT_FALSE(ring.Push({.id = 6}, std::string(41, 'x')));
  EXPECT_EQ(ring.Published(), 6u);
  EXPECT_TRUE(ring.Push({.id = 7}, std::string(40, 'x')));
}

// One producer, one consumer, a ring that is full and empty all the time. Under --race this file is
// instrumented, and so the orders in the header are checked.
TEST(TraceRingTest, NothingIsTornOrTwiceOrOutOfOrder) {
  const char* text_seed = std::getenv("LEASH_SEED");
  const uint32_t seed =
      text_seed != nullptr ? static_cast<uint32_t>(std::atoi(text_seed)) : std::random_device()();
  SCOPED_TRACE("LEASH_SEED=" + std::to_string(seed));
  constexpr uint64_t kEvents = 20'000;
  TraceRing<std::atomic, 32> ring;
  std::atomic<bool> done{false};
  uint64_t pushed = 0;
  std::thread producer([&] {
    std::minstd_rand random(seed);
    for (uint64_t i = 1; i <= kEvents; ++i) {
      const size_t bytes = random() % 4 == 0 ? random() % 200 : 0;
      const TraceRecord record{.id = i, .other = ~i, .arg = bytes};
      const bool fits =
          bytes == 0 ? ring.Push(record)
                     : ring.Push(record, std::string(bytes, static_cast<char>('a' + i % 26)));
      pushed += fits;
      if (!fits) std::this_thread::yield();
    }
    done.store(true);
  });
  uint64_t taken = 0;
  uint64_t last = 0;
  for (bool more = true; more;) {
    more = !done.load();
    uint64_t at = ring.Taken();
    const uint64_t end = ring.Published();
    while (at != end) {
      const TraceRecord record = ring.At(at);
      ASSERT_GT(record.id, last);
      ASSERT_EQ(record.other, ~record.id);
      ASSERT_EQ(record.text_bytes, record.arg);
      char out[kTraceTextMax];
      ASSERT_EQ(ring.TextAt(at, out),
                std::string(record.arg, static_cast<char>('a' + record.id % 26)));
      last = record.id;
      ++taken;
      at += 1 + TraceTextRecords(record.text_bytes);
      ASSERT_LE(at, end);
    }
    if (end == ring.Taken()) std::this_thread::yield();
    ring.Take(end);
  }
  producer.join();
  EXPECT_EQ(taken, pushed);
  EXPECT_EQ(taken + ring.Lost(), kEvents);
}

}  // namespace
}  // namespace leash::rt
