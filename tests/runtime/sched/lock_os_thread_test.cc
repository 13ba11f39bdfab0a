// Goroutines that are locked to their thread.

#include <sys/syscall.h>
#include <unistd.h>

#include "gtest/gtest.h"
#include "leash/chan.h"
#include "leash/go.h"
#include "leash/sync.h"

namespace leash {
namespace {

long Tid() { return syscall(SYS_gettid); }

TEST(LockOSThreadTest, StaysOnItsThreadAcrossBlocking) {
  Chan<int> ch = MakeChan<int>();
  WaitGroup wg;
  for (int g = 0; g < 8; ++g) {
    wg.Go([&] {
      LockOSThread();
      const long tid = Tid();
      for (int i = 0; i < 200; ++i) {
        ch.Recv();
        ASSERT_EQ(Tid(), tid);
        Gosched();
        ASSERT_EQ(Tid(), tid);
      }
      UnlockOSThread();
    });
  }
  for (int i = 0; i < 8 * 200; ++i) ch.Send(i);
  wg.Wait();
}

TEST(LockOSThreadTest, CallsNest) {
  WaitGroup wg;
  wg.Go([] {
    LockOSThread();
    LockOSThread();
    UnlockOSThread();
    const long tid = Tid();
    for (int i = 0; i < 100; ++i) {
      Gosched();
      ASSERT_EQ(Tid(), tid);
    }
    UnlockOSThread();
    UnlockOSThread();  // one too many does nothing, as in Go
  });
  wg.Wait();
}

TEST(LockOSThreadTest, EndingLockedEndsTheThreadAndNothingElse) {
  for (int round = 0; round < 20; ++round) {
    WaitGroup wg;
    for (int i = 0; i < 10; ++i) wg.Go([] { LockOSThread(); });
    wg.Wait();
  }
  WaitGroup wg;
  wg.Go([] {});
  wg.Wait();
}

TEST(LockOSThreadTest, OnAThreadItDoesNothing) {
  LockOSThread();
  UnlockOSThread();
}

}  // namespace
}  // namespace leash
