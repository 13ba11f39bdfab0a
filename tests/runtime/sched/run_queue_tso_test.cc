// The laws of run_queue.h on a machine whose stores are late: an owner and two thieves, in orders
// drawn by chance.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "sched/run_queue.h"
#include "support/tso_machine.h"

namespace leash::rt {
namespace {

using testing::TsoAtomic;
using testing::TsoMachine;

struct Item {
  int pushed = 0;
  int taken = 0;
};

// As it must not be: a compare-and-swap that others come in between of.
template <class T>
class BrokenAtomic : public TsoAtomic<T> {
 public:
  using TsoAtomic<T>::TsoAtomic;
  bool compare_exchange_strong(T& expected, T value, std::memory_order, std::memory_order order) {
    const T now = this->load(order);
    if (now == expected) {
      this->store(value, order);
      return true;
    }
    expected = now;
    return false;
  }
  bool compare_exchange_weak(T& expected, T value, std::memory_order good, std::memory_order bad) {
    return compare_exchange_strong(expected, value, good, bad);
  }
};

constexpr int kOwnersSteps = 24;
constexpr int kThievesSteps = 3;
constexpr int kItems = 32;

// One run. Returns what is wrong; empty: nothing.
template <template <class> class Atomic>
std::string RunOnce(uint64_t seed) {
  using Queue = RunQueue<Item, Atomic>;
  TsoMachine machine(seed);
  Queue queue;
  Item items[kItems];
  int used = 0;
  const auto fresh = [&]() -> Item* {
    Item* item = &items[used++ % kItems];
    ++item->pushed;
    return item;
  };
  const auto take = [](Item* item) {
    if (item != nullptr) ++item->taken;
  };
  const auto owner = [&] {
    for (int i = 0; i < kOwnersSteps; ++i) {
      switch (machine.Random(4)) {
        case 0:
          if (used < kItems) queue.PushBack(fresh());
          break;
        case 1:
          if (used == kItems) break;
          if (Item* before = queue.ExchangeNext(fresh())) queue.PushBack(before);
          break;
        case 2:
          take(queue.PopFront());
          break;
        case 3:
          take(queue.TakeNext());
          break;
      }
    }
  };
  const auto thief = [&] {
    Queue mine;
    for (int i = 0; i < kThievesSteps; ++i) {
      take(queue.StealInto(&mine, machine.Random(2) == 0));
      while (Item* item = mine.PopFront()) take(item);
    }
  };
  machine.Run({owner, thief, thief});
  while (Item* item = queue.PopFront()) take(item);
  take(queue.TakeNext());
  std::string wrong;
  for (int i = 0; i < kItems; ++i) {
    if (items[i].pushed == items[i].taken) continue;
    wrong += "item " + std::to_string(i) + ": pushed " + std::to_string(items[i].pushed) +
             " times, taken " + std::to_string(items[i].taken) + "\n";
  }
  return wrong;
}

constexpr uint64_t kRuns = 50'000;

TEST(RunQueueTsoTest, EachIsTakenOnce) {
  for (uint64_t seed = 1; seed <= kRuns; ++seed) {
    ASSERT_EQ(RunOnce<TsoAtomic>(seed), "") << "seed " << seed;
  }
}

// That the test would see it.
TEST(RunQueueTsoTest, WithoutACompareAndSwapOneIsTakenTwiceOrLost) {
  for (uint64_t seed = 1; seed <= kRuns; ++seed) {
    if (!RunOnce<BrokenAtomic>(seed).empty()) {
      RecordProperty("seed", static_cast<int>(seed));
      return;
    }
  }
  FAIL() << "not in " << kRuns << " runs";
}

}  // namespace
}  // namespace leash::rt
