// Fatal errors: Go's texts on the first line, exit status 2, and no way to catch them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "leash/sync.h"

namespace leash {
namespace {

using ::testing::ExitedWithCode;
using ::testing::StartsWith;

template <class F>
void TryToCatch(F f) {
  try {
    f();
  } catch (...) {
    std::_Exit(0);
  }
  std::_Exit(0);
}

class SyncFatalDeathTest : public ::testing::Test {
 protected:
  SyncFatalDeathTest() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

TEST_F(SyncFatalDeathTest, UnlockOfAnUnlockedMutex) {
  EXPECT_EXIT(TryToCatch([] {
                Mutex mu;
                mu.Unlock();
              }),
              ExitedWithCode(2), StartsWith("fatal error: sync: unlock of unlocked mutex\n"));
}

TEST_F(SyncFatalDeathTest, SecondUnlockOfAMutex) {
  EXPECT_EXIT(TryToCatch([] {
                Mutex mu;
                mu.Lock();
                mu.Unlock();
                mu.Unlock();
              }),
              ExitedWithCode(2), StartsWith("fatal error: sync: unlock of unlocked mutex\n"));
}

TEST_F(SyncFatalDeathTest, RUnlockOfAnUnlockedRWMutex) {
  EXPECT_EXIT(TryToCatch([] {
                RWMutex mu;
                mu.RUnlock();
              }),
              ExitedWithCode(2), StartsWith("fatal error: sync: RUnlock of unlocked RWMutex\n"));
}

TEST_F(SyncFatalDeathTest, RUnlockOfAnRWMutexLockedForWriting) {
  EXPECT_EXIT(TryToCatch([] {
                RWMutex mu;
                mu.Lock();
                mu.RUnlock();
              }),
              ExitedWithCode(2), StartsWith("fatal error: sync: RUnlock of unlocked RWMutex\n"));
}

TEST_F(SyncFatalDeathTest, UnlockOfAnUnlockedRWMutex) {
  EXPECT_EXIT(TryToCatch([] {
                RWMutex mu;
                mu.Unlock();
              }),
              ExitedWithCode(2), StartsWith("fatal error: sync: Unlock of unlocked RWMutex\n"));
}

TEST_F(SyncFatalDeathTest, UnlockOfAnRWMutexLockedForReading) {
  EXPECT_EXIT(TryToCatch([] {
                RWMutex mu;
                mu.RLock();
                mu.Unlock();
              }),
              ExitedWithCode(2), StartsWith("fatal error: sync: Unlock of unlocked RWMutex\n"));
}

}  // namespace
}  // namespace leash
