#include "support/tso_machine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <utility>

namespace leash::testing {
namespace {

using ::testing::Contains;

constexpr uint64_t kRuns = 5'000;
constexpr auto kRelaxed = std::memory_order_relaxed;

// Each writes a word and reads the other's. What the two have read.
std::set<std::pair<int, int>> StoreBuffering(void (*fence_x)(), void (*fence_y)()) {
  std::set<std::pair<int, int>> seen;
  for (uint64_t seed = 1; seed <= kRuns; ++seed) {
    TsoMachine machine(seed);
    TsoAtomic<int> x, y;
    int a = -1;
    int b = -1;
    machine.Run({[&] {
                   x.store(1, kRelaxed);
                   fence_x();
                   a = y.load(kRelaxed);
                 },
                 [&] {
                   y.store(1, kRelaxed);
                   fence_y();
                   b = x.load(kRelaxed);
                 }});
    seen.emplace(a, b);
  }
  return seen;
}

using Outcomes = std::set<std::pair<int, int>>;
const Outcomes kInSomeOrder = {{0, 1}, {1, 0}, {1, 1}};

void Nothing() {}

TEST(TsoMachineTest, AStoreMayComeAfterALaterLoad) {
  EXPECT_EQ(StoreBuffering(&Nothing, &Nothing), (Outcomes{{0, 0}, {0, 1}, {1, 0}, {1, 1}}));
}

TEST(TsoMachineTest, NotPastAFence) {
  EXPECT_EQ(StoreBuffering(&TsoMachine::Fence, &TsoMachine::Fence), kInSomeOrder);
  EXPECT_THAT(StoreBuffering(&TsoMachine::Fence, &Nothing), Contains(std::pair(0, 0)));
}

// base/membarrier.h.
TEST(TsoMachineTest, AFenceEverywhereIsOneForTheOtherSideToo) {
  EXPECT_EQ(StoreBuffering(&TsoMachine::FenceEverywhere, &Nothing), kInSomeOrder);
}

TEST(TsoMachineTest, StoresComeInOrder) {
  Outcomes seen;
  for (uint64_t seed = 1; seed <= kRuns; ++seed) {
    TsoMachine machine(seed);
    TsoAtomic<int> data, flag;
    int a = -1;
    int b = -1;
    machine.Run({[&] {
                   data.store(1, kRelaxed);
                   flag.store(1, kRelaxed);
                 },
                 [&] {
                   a = flag.load(kRelaxed);
                   b = data.load(kRelaxed);
                 }});
    seen.emplace(a, b);
  }
  EXPECT_EQ(seen, (Outcomes{{0, 0}, {0, 1}, {1, 1}}));
}

TEST(TsoMachineTest, AThreadSeesItsOwnStoresAtOnceAndOthersWithAReadModifyWrite) {
  for (uint64_t seed = 1; seed <= kRuns; ++seed) {
    TsoMachine machine(seed);
    TsoAtomic<int> count;
    const auto add_twice = [&] {
      for (int i = 0; i < 2; ++i) count.fetch_add(1, kRelaxed);
      EXPECT_GE(count.load(kRelaxed), 2);
    };
    machine.Run({add_twice, add_twice, add_twice});
    ASSERT_EQ(count.load(kRelaxed), 6) << seed;
  }
}

}  // namespace
}  // namespace leash::testing
