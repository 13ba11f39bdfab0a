// A million goroutines at once, ten million one after the other, ten thousand threads: what they
// cost, and that they all go again.

#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "base/sanitizers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "leash/chan.h"
#include "leash/go.h"
#include "leash/sync.h"
#include "support/run_program.h"

namespace leash {
namespace {

// A line of /proc/self/status, in bytes.
int64_t StatusBytes(const std::string& key) {
  std::ifstream in("/proc/self/status");
  std::string word;
  while (in >> word) {
    if (word == key + ":") {
      int64_t kilobytes = 0;
      in >> kilobytes;
      return kilobytes * 1024;
    }
  }
  return 0;
}

int64_t MemoryWithPageTables() { return StatusBytes("VmRSS") + StatusBytes("VmPTE"); }

// Parks n goroutines, then makes all of them runnable at once. Returns the memory while they are
// parked.
int64_t ParkAndRelease(int n) {
  Chan<Unit> gate = MakeChan<Unit>();
  std::atomic<int> released{0};
  WaitGroup up;
  WaitGroup wg;
  up.Add(n);
  for (int i = 0; i < n; ++i) {
    wg.Go([&gate, &up, &released] {
      up.Done();
      gate.Recv();
      released.fetch_add(1, std::memory_order_relaxed);
    });
  }
  up.Wait();
  EXPECT_EQ(NumGoroutine(), n);
  const int64_t memory = MemoryWithPageTables();
  gate.Close();
  wg.Wait();
  EXPECT_EQ(released, n);
  while (NumGoroutine() != 0) std::this_thread::yield();
  return memory;
}

// Spawns n goroutines which end at once: from this thread, and from goroutines on several Ps, so
// that records and stacks are taken on one P and given back on another.
void SpawnAndForget(int n) {
  constexpr int kSpawners = 4;
  std::atomic<int> ran{0};
  WaitGroup wg;
  const auto spawn = [&wg, &ran](int count) {
    for (int i = 0; i < count; ++i) {
      wg.Go([&ran] { ran.fetch_add(1, std::memory_order_relaxed); });
    }
  };
  const int each = n / (kSpawners + 1);
  for (int i = 0; i < kSpawners; ++i) wg.Go([&spawn, each] { spawn(each); });
  spawn(n - kSpawners * each);
  wg.Wait();
  EXPECT_EQ(ran, n);
  while (NumGoroutine() != 0) std::this_thread::yield();
}

#if LEASH_RACE || LEASH_ASAN
// Sanitizers keep 50 KB and more for each, and ThreadSanitizer knows 8,128 threads at most.
constexpr int kMany = 5'000;
constexpr int kThreads = 500;
constexpr int kMeet = 5'000;
constexpr int64_t kSlack = int64_t{64} << 20;
// AddressSanitizer's fake stacks take turns among their frames: other pages each time, of 2 MiB
// under transparent_hugepage=always.
constexpr int kWarmUps = 4;
#else
constexpr int kMany = 1'000'000;
constexpr int kThreads = 10'000;
constexpr int kMeet = 100'000;
constexpr int64_t kSlack = int64_t{16} << 20;
constexpr int kWarmUps = 1;

TEST(ScaleTest, AMillionParkedGoroutinesFitIntoFiveGibibytesAndAllRunAgain) {
  EXPECT_LT(ParkAndRelease(kMany), int64_t{5} << 30);
}
#endif

TEST(ScaleTest, WhatWasUsedOnceIsUsedAgain) {
  for (int i = 0; i < kWarmUps; ++i) ParkAndRelease(kMany / 10);
  const int64_t before = MemoryWithPageTables();
  for (int i = 0; i < 3; ++i) ParkAndRelease(kMany / 10);
  // Not a byte more for each: records and stacks are those of the rounds before.
  EXPECT_LT(MemoryWithPageTables(), before + (int64_t{64} << 20));
}

// Ten million. Less than two bytes left behind by each would be seen.
TEST(ScaleTest, AHundredTimesAsManySpawnsTakeNoMoreMemoryThanThoseAtOnce) {
  const int64_t peak = ParkAndRelease(kMany / 10);
  for (int spawned = 0; spawned < 10 * kMany; spawned += kMany / 10) {
    SpawnAndForget(kMany / 10);
    ASSERT_LT(MemoryWithPageTables(), peak + kSlack) << "after " << spawned;
  }
}

// Half of the threads and half of the goroutines send, the others receive.
struct Meeting {
  Chan<int> ch = MakeChan<int>();
  std::atomic<int64_t> sum{0};

  void Send(int from, int n) {
    for (int i = from; i < from + n; ++i) ch.Send(i);
  }
  void Receive(int n) {
    for (int i = 0; i < n; ++i) sum.fetch_add(*ch.Recv(), std::memory_order_relaxed);
  }
};

struct MeetingThread {
  Meeting* meeting;
  int number;
  pthread_t id;

  static void* Run(void* arg) {
    const auto* self = static_cast<MeetingThread*>(arg);
    constexpr int kEach = kMeet / kThreads;
    if (self->number % 2 == 0) {
      self->meeting->Send(self->number / 2 * kEach, kEach);
    } else {
      self->meeting->Receive(kEach);
    }
    return nullptr;
  }
};

TEST(ScaleTest, ThreadsAndGoroutinesMeetOnOneChannel) {
  Meeting meeting;
  WaitGroup wg;
  for (int i = 0; i < kMeet; ++i) {
    wg.Go([&meeting, i] {
      if (i % 2 == 0) {
        meeting.Send(kMeet / 2 + i / 2, 1);
      } else {
        meeting.Receive(1);
      }
    });
  }
  pthread_attr_t attr;
  ASSERT_EQ(pthread_attr_init(&attr), 0);
  ASSERT_EQ(pthread_attr_setstacksize(&attr, size_t{64} << 10), 0);
  std::vector<MeetingThread> threads(kThreads);
  int started = 0;
  for (; started < kThreads; ++started) {
    MeetingThread& t = threads[static_cast<size_t>(started)];
    t.meeting = &meeting;
    t.number = started;
    if (pthread_create(&t.id, &attr, MeetingThread::Run, &t) != 0) break;
  }
  ASSERT_EQ(started, kThreads) << "see ulimit -u";
  for (const MeetingThread& t : threads) EXPECT_EQ(pthread_join(t.id, nullptr), 0);
  wg.Wait();
  pthread_attr_destroy(&attr);
  EXPECT_EQ(meeting.sum, int64_t{kMeet} * (kMeet - 1) / 2);
}

#if !LEASH_RACE && !LEASH_ASAN
// An older kernel, without MADV_GUARD_INSTALL: 100,000 work, and what is unguarded is said once.
TEST(ScaleTest, WithoutMadviseGuardsTheLimitIsSaidOnce) {
  const testing::ProgramResult r =
      testing::RunProgram({LEASH_SCHED_PROGRAM, "park-100k"}, {"LEASH_DEBUG=guards=mprotect"});
  EXPECT_EQ(r.status, 0) << r.err;
  EXPECT_EQ(r.out, "released\n");
  EXPECT_THAT(r.err, ::testing::MatchesRegex(
                         "leash: further goroutine stacks have no guard page: this kernel has no "
                         "MADV_GUARD_INSTALL, and vm.max_map_count is [0-9]+\n"));
}
#endif

}  // namespace
}  // namespace leash
