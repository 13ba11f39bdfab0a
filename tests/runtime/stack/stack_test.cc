#include "stack/stack.h"

#include <sys/wait.h>

#include <set>
#include <vector>

#include "gtest/gtest.h"
#include "leash/go.h"
#include "sched/park.h"

namespace leash::rt {
namespace {

class StackTest : public ::testing::Test {
 protected:
  void SetUp() override { CurrentG(); }  // the runtime is started
};

TEST_F(StackTest, ClassesHoldWhatWasAskedFor) {
  EXPECT_EQ(kStackClassBytes[StackClassFor(1)], size_t{64} << 10);
  EXPECT_EQ(kStackClassBytes[StackClassFor(size_t{64} << 10)], size_t{64} << 10);
  EXPECT_EQ(kStackClassBytes[StackClassFor((size_t{64} << 10) + 1)], size_t{256} << 10);
  EXPECT_EQ(kStackClassBytes[StackClassFor(size_t{1} << 30)], size_t{1} << 30);
  EXPECT_EQ(StackClassFor((size_t{1} << 30) + 1), -1);
}

TEST_F(StackTest, EachIsItsOwnAndLiesInTheArena) {
  std::set<StackSlot> slots;
  for (int i = 0; i < 1000; ++i) {
    const StackSlot slot = AllocStack(nullptr, 0);
    ASSERT_NE(slot, kNoStack);
    EXPECT_TRUE(slots.insert(slot).second);
    EXPECT_TRUE(InArena(StackLow(slot)));
    EXPECT_TRUE(InArena(StackTop(slot) - 1));
    StackTop(slot)[-1] = 1;
    StackLow(slot)[4096] = 1;
  }
  for (StackSlot slot : slots) FreeStack(nullptr, slot);
}

TEST_F(StackTest, TheLastOneBackIsTheNextOneOut) {
  StackCache cache;
  const StackSlot a = AllocStack(&cache, default_stack_class);
  const StackSlot b = AllocStack(&cache, default_stack_class);
  FreeStack(&cache, a);
  FreeStack(&cache, b);
  EXPECT_EQ(AllocStack(&cache, default_stack_class), b);
  EXPECT_EQ(AllocStack(&cache, default_stack_class), a);
  FreeStack(&cache, a);
  FreeStack(&cache, b);
  DrainStackCache(&cache);
  EXPECT_EQ(cache.count, 0);
}

TEST_F(StackTest, ACacheThatIsFullGivesItsColdestHalfBack) {
  StackCache cache;
  std::vector<StackSlot> slots;
  for (int i = 0; i < StackCache::kCapacity + 1; ++i) {
    slots.push_back(AllocStack(nullptr, default_stack_class));
  }
  for (StackSlot slot : slots) FreeStack(&cache, slot);
  EXPECT_EQ(cache.count, StackCache::kCapacity / 2 + 1);
  EXPECT_EQ(cache.slots[cache.count - 1], slots.back());
  DrainStackCache(&cache);
}

TEST_F(StackTest, TheLowestPageIsItsGuard) {
  const StackSlot slot = AllocStack(nullptr, 1);
  StackSlot found = kNoStack;
  EXPECT_TRUE(IsGuardPage(StackLow(slot), &found));
  EXPECT_EQ(found, slot);
  EXPECT_TRUE(IsGuardPage(StackLow(slot) + 4095, &found));
  EXPECT_FALSE(IsGuardPage(StackLow(slot) + 4096, &found));
  EXPECT_FALSE(IsGuardPage(&found, &found));
  FreeStack(nullptr, slot);
}

TEST_F(StackTest, TrimmedStacksComeBackEmpty) {
  const StackSlot slot = AllocStack(nullptr, 2);
  char* p = StackTop(slot) - 4096;
  *p = 7;
  FreeStack(nullptr, slot);
  int trimmed = 0;
  for (int i = 0; i < 3; ++i) trimmed += TrimStacks();
  EXPECT_GE(trimmed, 1);
  // Every free slot of this class is looked at until ours comes up.
  std::vector<StackSlot> taken;
  for (;;) {
    taken.push_back(AllocStack(nullptr, 2));
    if (taken.back() == slot) break;
    ASSERT_LT(taken.size(), 100000u);
  }
  EXPECT_EQ(*p, 0);
  for (StackSlot s : taken) FreeStack(nullptr, s);
}

}  // namespace
}  // namespace leash::rt
