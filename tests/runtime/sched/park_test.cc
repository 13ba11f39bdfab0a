#include "sched/park.h"

#include <atomic>
#include <thread>
#include <vector>

#include "base/race.h"
#include "gtest/gtest.h"
#include "leash/go.h"
#include "leash/sync.h"

namespace leash::rt {
namespace {

// The smallest primitive: a list of those who wait.
struct Gate {
  Lock mu{LockRank::kSync};
  std::vector<G*> waiting;
  bool open = false;

  // The runtime's locks order nothing that ThreadSanitizer sees.
  void LockMu() {
    mu.lock();
    race::Acquire(&mu);
  }
  void UnlockMu() {
    race::Release(&mu);
    mu.unlock();
  }
  void Wait() {
    LockMu();
    if (open) {
      UnlockMu();
      return;
    }
    waiting.push_back(CurrentG());
    race::Release(&mu);
    Park(WaitReason::kSemacquire, this, &mu);
  }
  void Open() {
    LockMu();
    open = true;
    std::vector<G*> all;
    all.swap(waiting);
    UnlockMu();
    for (G* g : all) Ready(g);
  }
  size_t Waiting() {
    LockMu();
    const size_t n = waiting.size();
    UnlockMu();
    return n;
  }
};

TEST(ParkTest, GoroutinesAndThreadsWaitForTheSameThing) {
  Gate gate;
  std::atomic<int> through{0};
  WaitGroup wg;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      gate.Wait();
      through.fetch_add(1);
    });
    for (int k = 0; k < 25; ++k) {
      wg.Go([&] {
        gate.Wait();
        through.fetch_add(1);
      });
    }
  }
  while (gate.Waiting() < 104) std::this_thread::yield();
  EXPECT_EQ(through.load(), 0);
  gate.Open();
  wg.Wait();
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(through.load(), 104);
}

TEST(ParkTest, ACommitThatSaysNoGoesOn) {
  WaitGroup wg;
  int calls = 0;
  const auto refuse = [](G*, void* calls) {
    ++*static_cast<int*>(calls);
    return false;
  };
  wg.Go([&] { Park(WaitReason::kSemacquire, nullptr, refuse, &calls); });
  wg.Wait();
  Park(WaitReason::kSemacquire, nullptr, refuse, &calls);
  EXPECT_EQ(calls, 2);
}

// Two that hand a turn to and fro, on whatever Ms: no wake is lost.
TEST(ParkTest, NoWakeIsLost) {
  struct Turn {
    Lock mu{LockRank::kSync};
    int tokens = 0;
    G* waiter = nullptr;
    void Take() {
      mu.lock();
      race::Acquire(&mu);
      if (tokens > 0) {
        --tokens;
        race::Release(&mu);
        mu.unlock();
        return;
      }
      waiter = CurrentG();
      race::Release(&mu);
      Park(WaitReason::kSemacquire, this, &mu);
    }
    void Give() {
      mu.lock();
      race::Acquire(&mu);
      G* g = waiter;
      waiter = nullptr;
      if (g == nullptr) ++tokens;
      race::Release(&mu);
      mu.unlock();
      if (g != nullptr) Ready(g);
    }
  };
  Turn a, b;
  WaitGroup wg;
  constexpr int kRounds = 20000;
  wg.Go([&] {
    for (int i = 0; i < kRounds; ++i) {
      a.Take();
      b.Give();
    }
  });
  std::thread other([&] {
    for (int i = 0; i < kRounds; ++i) {
      a.Give();
      b.Take();
    }
  });
  other.join();
  wg.Wait();
}

TEST(IsGoroutineMemoryTest, TellsStacksOfGoroutinesFromEverythingElse) {
  int on_thread = 0;
  static int global = 0;
  auto heap = std::make_unique<int>(0);
  EXPECT_FALSE(IsGoroutineMemory(&on_thread));
  EXPECT_FALSE(IsGoroutineMemory(&global));
  EXPECT_FALSE(IsGoroutineMemory(heap.get()));
  WaitGroup wg;
  bool own = false;
  bool captured = false;
  wg.Go([&, copy = 1] {
    int local = copy;
    own = IsGoroutineMemory(&local);
    captured = IsGoroutineMemory(&copy);
  });
  wg.Wait();
  EXPECT_TRUE(own);
  EXPECT_TRUE(captured);
}

}  // namespace
}  // namespace leash::rt
