// How long a runnable goroutine may wait behind others, counted in switches of its P: on a machine
// that does other things as well that is the measure which says something.

#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>

#include "gtest/gtest.h"
#include "leash/chan.h"
#include "leash/go.h"
#include "leash/sync.h"
#include "sched/scheduler.h"

namespace leash {
namespace {

// Every 61st switch looks further than what runs next (switch.cc), at the global queue and at the
// ring in turn (find_runnable.cc).
constexpr uint32_t kLongWay = 61;
// The switch that is under way when somebody comes, and the one that serves it.
constexpr uint32_t kAround = 2;
// How far one that only yields may be ahead of what another thread sees of its P: its stores wait
// in the processor's store buffer while that thread reads the line, eight or so to a yield. (10 to
// 12 switches were seen where 4 and kAround are the scheduler's.)
constexpr uint32_t kInStoreBuffer = 16;

struct Place {
  const rt::P* p = nullptr;
  uint32_t tick = 0;
};

// Not for ThreadSanitizer: what belongs to the runtime it does not know to be in order.
#if defined(__clang__)
#define LEASH_TEST_NO_TSAN [[clang::no_sanitize("thread")]]
#else
#define LEASH_TEST_NO_TSAN
#endif

// Where the calling goroutine runs.
LEASH_TEST_NO_TSAN Place Here() {
  const rt::P* p = rt::GetThread()->m->p;
  return {p, p->tick.load(std::memory_order_relaxed)};
}

// How many switches lie between two moments. None: not on the same P, because the OS kept one from
// running for so long that sysmon put another into its place.
std::optional<uint32_t> Between(const Place& from, const Place& to) {
  if (from.p != to.p) return std::nullopt;
  return to.tick - from.tick;
}

class FairnessTest : public ::testing::Test {
 protected:
  void SetUp() override { before_ = GOMAXPROCS(1); }
  void TearDown() override {
    stop_ = true;
    wg_.Wait();
    GOMAXPROCS(before_);
  }

  // Two that wake each other: whoever is woken runs next, so the ring never has its turn by itself.
  void StartPair() {
    Chan<int> ping = MakeChan<int>();
    Chan<int> pong = MakeChan<int>();
    wg_.Go([this, ping, pong] {
      while (!stop_.load(std::memory_order_relaxed)) {
        ping.Send(1);
        pong.Recv();
        where_.store(Here().p, std::memory_order_relaxed);
      }
      ping.Close();
    });
    wg_.Go([ping, pong] {
      for (int v : ping) pong.Send(v);
    });
    while (where_.load(std::memory_order_relaxed) == nullptr) usleep(100);
  }

  // The P on which the pair runs, and its tick, seen from a thread.
  LEASH_TEST_NO_TSAN Place Busy() const {
    const rt::P* p = where_.load(std::memory_order_relaxed);
    return {p, p->tick.load(std::memory_order_relaxed)};
  }

  // The most switches that `wait` reports in `kTrials` trials that count.
  static uint32_t Longest(const std::function<std::optional<uint32_t>()>& wait) {
    constexpr int kTrials = 300;
    uint32_t longest = 0;
    for (int counted = 0; counted < kTrials;) {
      const std::optional<uint32_t> waited = wait();
      if (!waited.has_value()) continue;
      longest = *waited > longest ? *waited : longest;
      ++counted;
    }
    return longest;
  }

  // One that a thread starts goes to the global queue. It is asked for after the fact where the P
  // stood, so the wait is never counted too long. (Negative: it had run by then.)
  std::optional<uint32_t> WaitFromOutside() const {
    Place ran;
    WaitGroup one;
    one.Go([&ran] { ran = Here(); });
    const Place asked = Busy();
    one.Wait();
    const std::optional<uint32_t> waited = Between(asked, ran);
    if (!waited.has_value()) return std::nullopt;
    return static_cast<int32_t>(*waited) < 0 ? 0 : *waited;
  }

  std::atomic<bool> stop_{false};
  std::atomic<const rt::P*> where_{nullptr};
  WaitGroup wg_;
  int before_ = 0;
};

TEST_F(FairnessTest, APairThatWakesEachOtherHoldsUpTheGlobalQueueFor61Switches) {
  StartPair();
  EXPECT_LE(Longest([this] { return WaitFromOutside(); }), kLongWay + kAround);
}

TEST_F(FairnessTest, APairThatWakesEachOtherHoldsUpTheRingFor61Switches) {
  StartPair();
  // The goroutine that yields is the only one in the ring.
  uint32_t longest = 0;
  WaitGroup one;
  one.Go([&longest] {
    longest = Longest([] {
      const Place before = Here();
      Gosched();
      return Between(before, Here());
    });
  });
  one.Wait();
  EXPECT_LE(longest, kLongWay + kAround);
}

TEST_F(FairnessTest, TheRingAndTheGlobalQueueTakeTurns) {
  StartPair();
  uint32_t longest = 0;
  std::atomic<bool> yields{true};
  std::atomic<bool> has_begun{false};
  WaitGroup one;
  one.Go([&] {
    has_begun = true;
    longest = Longest([] {
      const Place before = Here();
      Gosched();
      return Between(before, Here());
    });
    while (yields) Gosched();
  });
  // It comes by the global queue itself, and would stand there before the first that is timed.
  while (!has_begun) usleep(100);
  EXPECT_LE(Longest([this] { return WaitFromOutside(); }), 2 * kLongWay + kAround);
  yields = false;
  one.Wait();
  EXPECT_LE(longest, 2 * kLongWay + kAround);
}

TEST_F(FairnessTest, OneThatYieldsInALoopHoldsUpTheGlobalQueueForTwoSwitches) {
  wg_.Go([this] {
    while (!stop_.load(std::memory_order_relaxed)) {
      where_.store(Here().p, std::memory_order_relaxed);
      Gosched();
    }
  });
  while (where_.load(std::memory_order_relaxed) == nullptr) usleep(100);
  // A yield that finds somebody in the global queue counts twice: it looks at home first.
  EXPECT_LE(Longest([this] { return WaitFromOutside(); }), 2 * 2 + kAround + kInStoreBuffer);
}

TEST_F(FairnessTest, OneOfAFullRingWaitsForThoseBeforeItOnly) {
  constexpr int kAtOnce = 200;
  uint32_t longest = 0;
  WaitGroup all;
  std::atomic<bool> sampled{false};
  all.Go([&] {
    for (int i = 0; i < kAtOnce; ++i) {
      all.Go([&] {
        while (!sampled.load(std::memory_order_relaxed)) Gosched();
      });
    }
    longest = Longest([] {
      const Place before = Here();
      Gosched();
      return Between(before, Here());
    });
    sampled = true;
  });
  all.Wait();
  // Each of them once, and every 61st switch counts twice.
  EXPECT_LE(longest, kAtOnce + kAtOnce / (kLongWay - 1) + 2 * kAround);
}

}  // namespace
}  // namespace leash
