// A million goroutines at once: what they cost, and that they all go again.

#include <unistd.h>

#include <atomic>
#include <fstream>
#include <string>
#include <thread>

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

void ParkAndRelease(int n) {
  Chan<Unit> gate = MakeChan<Unit>();
  std::atomic<int> up{0};
  WaitGroup wg;
  for (int i = 0; i < n; ++i) {
    wg.Go([&gate, &up] {
      up.fetch_add(1, std::memory_order_relaxed);
      gate.Recv();
    });
  }
  while (up.load(std::memory_order_relaxed) < n) std::this_thread::yield();
  EXPECT_EQ(NumGoroutine(), n);
  gate.Close();
  wg.Wait();
  while (NumGoroutine() != 0) std::this_thread::yield();
}

#if LEASH_RACE || LEASH_ASAN
// Sanitizers keep 50 KB and more for each.
constexpr int kMany = 5'000;
#else
constexpr int kMany = 1'000'000;

TEST(ScaleTest, AMillionParkedGoroutinesFitIntoFiveGibibytes) {
  Chan<Unit> gate = MakeChan<Unit>();
  std::atomic<int> up{0};
  WaitGroup wg;
  for (int i = 0; i < kMany; ++i) {
    wg.Go([&gate, &up] {
      up.fetch_add(1, std::memory_order_relaxed);
      gate.Recv();
    });
  }
  while (up.load(std::memory_order_relaxed) < kMany) std::this_thread::yield();
  EXPECT_LT(MemoryWithPageTables(), int64_t{5} << 30);
  gate.Close();
  wg.Wait();
  while (NumGoroutine() != 0) std::this_thread::yield();
}
#endif

TEST(ScaleTest, WhatWasUsedOnceIsUsedAgain) {
  ParkAndRelease(kMany / 10);
  const int64_t after_first = MemoryWithPageTables();
  for (int i = 0; i < 3; ++i) ParkAndRelease(kMany / 10);
  // Not a byte more for each: records and stacks are those of the first round.
  EXPECT_LT(MemoryWithPageTables(), after_first + (int64_t{64} << 20));
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
