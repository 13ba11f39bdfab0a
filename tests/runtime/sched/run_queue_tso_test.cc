// The laws of run_queue.h on a machine whose stores are late: an owner and two thieves, in orders
// drawn by chance, with a ring of 4 whose positions wrap. LEASH_SEED=N begins with seed N.

#include <cstdint>
#include <cstdlib>
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

constexpr uint32_t kRoom = 4;
constexpr int kOwnersSteps = 32;
constexpr int kThievesSteps = 4;
constexpr int kItems = kOwnersSteps;

// One run. Returns what is wrong; empty: nothing.
template <template <class> class Atomic>
std::string RunOnce(uint64_t seed) {
  using Queue = RunQueue<Item, Atomic, kRoom>;
  TsoMachine machine(seed);
  Queue queue(UINT32_MAX - static_cast<uint32_t>(machine.Random(2 * kRoom)));
  Item items[kItems];
  int used = 0;
  const auto fresh = [&]() -> Item* {
    Item* item = &items[used++];
    ++item->pushed;
    return item;
  };
  const auto take = [](Item* item) {
    if (item != nullptr) ++item->taken;
  };
  // As RunqPut and RunqOverflow do: where the ring is full its older half goes elsewhere.
  const auto put = [&](Item* item) {
    while (!queue.PushBack(item)) {
      Item* half[kRoom / 2];
      const uint32_t n = queue.PopHalf(half);
      for (uint32_t i = 0; i < n; ++i) take(half[i]);
    }
  };
  const auto owner = [&] {
    for (int i = 0; i < kOwnersSteps; ++i) {
      switch (machine.Random(5)) {
        case 0:
        case 1:
          put(fresh());
          break;
        case 2:
          if (Item* before = queue.ExchangeNext(fresh())) put(before);
          break;
        case 3:
          take(queue.PopFront());
          break;
        case 4:
          take(queue.TakeNext());
          break;
      }
    }
  };
  // Outside of the thieves: a thief's last stores reach memory when it has returned.
  Queue thieves_queues[2] = {Queue(UINT32_MAX), Queue(UINT32_MAX)};
  const auto steal = [&](Queue& mine) {
    for (int i = 0; i < kThievesSteps; ++i) {
      take(queue.StealInto(&mine, machine.Random(2) == 0));
      while (Item* item = mine.PopFront()) take(item);
    }
  };
  machine.Run({owner, [&] { steal(thieves_queues[0]); }, [&] { steal(thieves_queues[1]); }});
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

uint64_t FirstSeed() {
  const char* seed = std::getenv("LEASH_SEED");
  return seed != nullptr ? std::strtoull(seed, nullptr, 10) : 1;
}

TEST(RunQueueTsoTest, EachIsTakenOnce) {
  for (uint64_t seed = FirstSeed(); seed < FirstSeed() + kRuns; ++seed) {
    ASSERT_EQ(RunOnce<TsoAtomic>(seed), "") << "seed " << seed;
  }
}

// That the test would see it. (None is known that only late stores break: where the queue
// publishes, it needs no more than stores in order, which x86 has.)
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
