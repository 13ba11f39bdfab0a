// Goroutines that are locked to their thread.

#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "leash/chan.h"
#include "leash/debug.h"
#include "leash/go.h"
#include "leash/sync.h"
#include "sched/scheduler.h"

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

// Those that run something, or are about to end.
int BusyMs() {
  rt::LockHolder hold(rt::sched.lock);
  return rt::sched.m_count - rt::sched.idle_m_count;
}

int MRecords() {
  int n = 0;
  for (const rt::M* m = rt::sched.all_ms.load(); m != nullptr; m = m->all_next) ++n;
  return n;
}

TEST(LockOSThreadTest, RecordsOfThreadsThatEndedAreUsedAgainWhileOthersReadThem) {
#if LEASH_RACE
  constexpr int kWaves = 100;
#else
  constexpr int kWaves = 200;
#endif
  constexpr int kWave = 10;
  // Before a wave, so that most of those that ended have done so. Room for 8 Ps.
  constexpr int kSettled = 64;
  std::atomic<bool> done{false};
  std::atomic<int> captures{0};
  std::thread reader([&] {
    while (!done.load()) {
      const Snapshot snapshot = debug::Capture();
      EXPECT_FALSE(snapshot.goroutines.empty());
      captures.fetch_add(1);
    }
  });
  for (int wave = 0; wave < kWaves; ++wave) {
    WaitGroup wg;
    for (int i = 0; i < kWave; ++i) {
      wg.Go([] {
        LockOSThread();
        Gosched();
      });
    }
    wg.Wait();
    const absl::Time deadline = absl::Now() + absl::Seconds(60);
    while (BusyMs() > kSettled) {
      ASSERT_LT(absl::Now(), deadline) << BusyMs() << " threads are left";
      std::this_thread::yield();
    }
  }
  done.store(true);
  reader.join();
  EXPECT_GT(captures.load(), 0);
  // As many as there were at once. On a busy machine that is what sysmon takes for threads that
  // compute, too, but no part of those that have come and gone.
  EXPECT_LT(MRecords(), kWaves * kWave / 4);
}

TEST(LockOSThreadTest, OnAThreadItDoesNothing) {
  LockOSThread();
  UnlockOSThread();
}

}  // namespace
}  // namespace leash
