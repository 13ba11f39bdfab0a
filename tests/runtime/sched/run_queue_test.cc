#include "sched/run_queue.h"

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace leash::rt {
namespace {

struct Item {
  int id = 0;
  std::atomic<int> taken{0};
};

TEST(RunQueueTest, IsFirstInFirstOut) {
  RunQueue<Item> q;
  Item items[3];
  for (Item& item : items) ASSERT_TRUE(q.PushBack(&item));
  EXPECT_EQ(q.PopFront(), &items[0]);
  EXPECT_EQ(q.PopFront(), &items[1]);
  EXPECT_EQ(q.PopFront(), &items[2]);
  EXPECT_EQ(q.PopFront(), nullptr);
}

TEST(RunQueueTest, HoldsItsCapacityAndNoMore) {
  RunQueue<Item> q;
  std::vector<Item> items(257);
  for (int i = 0; i < 256; ++i) ASSERT_TRUE(q.PushBack(&items[i]));
  EXPECT_FALSE(q.PushBack(&items[256]));
  Item* half[128];
  EXPECT_EQ(q.PopHalf(half), 128u);
  EXPECT_EQ(half[0], &items[0]);
  EXPECT_EQ(half[127], &items[127]);
  EXPECT_TRUE(q.PushBack(&items[256]));
  EXPECT_EQ(q.PopFront(), &items[128]);
}

TEST(RunQueueTest, WhatRunsNextIsKeptApart) {
  RunQueue<Item> q;
  Item a, b;
  EXPECT_EQ(q.ExchangeNext(&a), nullptr);
  EXPECT_FALSE(q.Empty());
  EXPECT_TRUE(q.RingEmpty());
  EXPECT_EQ(q.ExchangeNext(&b), &a);
  EXPECT_EQ(q.TakeNext(), &b);
  EXPECT_EQ(q.TakeNext(), nullptr);
  EXPECT_TRUE(q.Empty());
}

TEST(RunQueueTest, AThiefTakesTheOlderHalf) {
  RunQueue<Item> q, thief;
  Item items[5];
  for (Item& item : items) q.PushBack(&item);
  // Three of five: the last of them is to be run, the others are queued.
  EXPECT_EQ(q.StealInto(&thief, false), &items[2]);
  EXPECT_EQ(thief.PopFront(), &items[0]);
  EXPECT_EQ(thief.PopFront(), &items[1]);
  EXPECT_EQ(thief.PopFront(), nullptr);
  EXPECT_EQ(q.PopFront(), &items[3]);
}

TEST(RunQueueTest, AThiefTakesWhatRunsNextOnlyIfToldSo) {
  RunQueue<Item> q, thief;
  Item a;
  q.ExchangeNext(&a);
  EXPECT_EQ(q.StealInto(&thief, false), nullptr);
  EXPECT_EQ(q.StealInto(&thief, true), &a);
  EXPECT_TRUE(q.Empty());
}

// Laws (1) to (4): with an owner that fills and drains and thieves that take, every item is taken
// once.
TEST(RunQueueTest, NothingIsLostOrTakenTwice) {
  constexpr int kItems = 200000;
  constexpr int kThieves = 3;
  auto items = std::make_unique<Item[]>(kItems);
  RunQueue<Item> q;
  std::atomic<int> taken{0};
  std::atomic<bool> done{false};
  const auto take = [&](Item* item) {
    EXPECT_EQ(item->taken.fetch_add(1), 0);
    taken.fetch_add(1);
  };
  std::vector<std::thread> thieves;
  for (int t = 0; t < kThieves; ++t) {
    thieves.emplace_back([&, t] {
      RunQueue<Item> mine;
      while (!done.load()) {
        if (Item* item = q.StealInto(&mine, t == 0)) take(item);
        while (Item* item = mine.PopFront()) take(item);
      }
    });
  }
  for (int i = 0; i < kItems; ++i) {
    Item* item = &items[i];
    if (i % 3 == 0) {
      item = q.ExchangeNext(item);
      if (item == nullptr) continue;
    }
    while (!q.PushBack(item)) {
      Item* half[128];
      const uint32_t n = q.PopHalf(half);
      for (uint32_t k = 0; k < n; ++k) take(half[k]);
    }
    if (i % 7 == 0) {
      if (Item* front = q.PopFront()) take(front);
    }
  }
  while (Item* item = q.PopFront()) take(item);
  if (Item* item = q.TakeNext()) take(item);
  while (taken.load() != kItems) std::this_thread::yield();
  done.store(true);
  for (std::thread& t : thieves) t.join();
  for (int i = 0; i < kItems; ++i) ASSERT_EQ(items[i].taken.load(), 1) << i;
}

}  // namespace
}  // namespace leash::rt
