// How long a runnable goroutine may wait behind others, counted in switches of its P: on a machine
// that does other things as well that is the measure which says something.

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>

#include "base/clock.h"
#include "base/lock.h"
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

// Notices when the OS kept a P from running for so long that sysmon put another into its place:
// what that one had in its queue then goes to the global one, in front of whoever comes.
class Undisturbed {
 public:
  // No P was replaced since, none is to be taken apart, so all ticks were those of one P.
  explicit operator bool() const {
    return none_detached_ && NoneDetached() && activity_ == Activity();
  }

 private:
  static bool NoneDetached() { return rt::sched.detached_count.load() == 0; }
  static uint64_t Activity() { return rt::sched.activity.load(); }

  const uint64_t activity_ = Activity();
  const bool none_detached_ = NoneDetached();
};

// How many switches a goroutine waits that yields. None: disturbed.
std::optional<uint32_t> WaitOfYield() {
  const Undisturbed undisturbed;
  const Place before = Here();
  Gosched();
  const Place after = Here();
  if (before.p != after.p || !undisturbed) return std::nullopt;
  return after.tick - before.tick;
}

// The same of one that is alone. None: somebody stands in front of it, in the ring or, left there
// by a P that was taken apart, in the global queue. (Of a pair that wakes each other both may be
// runnable then, and have their 61 switches first.)
LEASH_TEST_NO_TSAN std::optional<uint32_t> WaitOfYieldAlone() {
  if (rt::HasGlobalWork() || !rt::GetThread()->m->p->queue.RingEmpty()) {
    Gosched();
    return std::nullopt;
  }
  return WaitOfYield();
}

void ExpectAtMost(std::optional<uint32_t> longest, uint32_t most) {
  if (!longest.has_value()) GTEST_SKIP() << "no P ran for a moment without being replaced";
  EXPECT_LE(*longest, most);
}

class FairnessTest : public ::testing::Test {
 protected:
  void SetUp() override {
    before_ = GOMAXPROCS(1);
    // Ps that are too many go when their threads look for work. Until then one may take somebody of
    // a test's, whom it leaves in the global queue when it goes: in front of whoever is timed.
    while (ExcessPs() != 0) sched_yield();
  }
  void TearDown() override {
    stop_ = true;
    wg_.Wait();
    GOMAXPROCS(before_);
  }

  static int ExcessPs() {
    rt::LockHolder hold(rt::sched.lock);
    return rt::sched.excess_ps;
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

  // The most switches that `wait` reports, of some trials that were undisturbed. On a machine so
  // busy that no P runs for a while without being replaced, after a time, of those that there were.
  static std::optional<uint32_t> Longest(const std::function<std::optional<uint32_t>()>& wait) {
    constexpr int kTrials = 100;
    const int64_t until = rt::MonotonicNow() + int64_t{3'000'000'000};
    std::optional<uint32_t> longest;
    for (int counted = 0; counted < kTrials && rt::MonotonicNow() < until;) {
      const std::optional<uint32_t> waited = wait();
      if (!waited.has_value()) continue;
      longest = std::max(longest.value_or(0), *waited);
      ++counted;
    }
    return longest;
  }

  // How many switches one waits that a thread starts: it goes to the global queue. Where the P
  // stands is asked afterwards, so the wait is never counted too long.
  // Disturbed also where a P that was taken apart has left somebody in front of it.
  std::optional<uint32_t> WaitFromOutside() const {
    const Undisturbed undisturbed;
    if (rt::HasGlobalWork()) return std::nullopt;
    Place ran;
    bool counts = false;
    std::atomic<bool> done{false};
    go([&] {
      ran = Here();
      counts = static_cast<bool>(undisturbed);
      done = true;
    });
    const Place asked = Busy();
    while (!done) sched_yield();
    if (asked.p != ran.p || !counts) return std::nullopt;
    const auto waited = static_cast<int32_t>(ran.tick - asked.tick);
    return waited < 0 ? 0 : static_cast<uint32_t>(waited);  // it had run before the thread asked
  }

  std::atomic<bool> stop_{false};
  std::atomic<const rt::P*> where_{nullptr};
  WaitGroup wg_;
  int before_ = 0;
};

TEST_F(FairnessTest, APairThatWakesEachOtherHoldsUpTheGlobalQueueFor61Switches) {
  StartPair();
  ExpectAtMost(Longest([this] { return WaitFromOutside(); }), kLongWay + kAround);
}

TEST_F(FairnessTest, APairThatWakesEachOtherHoldsUpTheRingFor61Switches) {
  StartPair();
  std::optional<uint32_t> longest;
  WaitGroup one;
  one.Go([&longest] { longest = Longest(WaitOfYieldAlone); });
  one.Wait();
  ExpectAtMost(longest, kLongWay + kAround);
}

TEST_F(FairnessTest, TheRingAndTheGlobalQueueTakeTurns) {
  StartPair();
  std::optional<uint32_t> longest;
  std::atomic<bool> yields{true};
  std::atomic<bool> has_begun{false};
  WaitGroup one;
  one.Go([&] {
    has_begun = true;
    longest = Longest(WaitOfYield);
    while (yields) Gosched();
  });
  // It comes by the global queue itself, and would stand there before the first that is timed.
  while (!has_begun) usleep(100);
  ExpectAtMost(Longest([this] { return WaitFromOutside(); }), 2 * kLongWay + kAround);
  yields = false;
  one.Wait();
  ExpectAtMost(longest, 2 * kLongWay + kAround);
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
  ExpectAtMost(Longest([this] { return WaitFromOutside(); }), 2 * 2 + kAround + kInStoreBuffer);
}

TEST_F(FairnessTest, OneOfAFullRingWaitsForThoseBeforeItOnly) {
  constexpr int kAtOnce = 200;
  std::optional<uint32_t> longest;
  WaitGroup all;
  std::atomic<bool> sampled{false};
  all.Go([&] {
    for (int i = 0; i < kAtOnce; ++i) {
      all.Go([&] {
        while (!sampled.load(std::memory_order_relaxed)) Gosched();
      });
    }
    longest = Longest(WaitOfYield);
    sampled = true;
  });
  all.Wait();
  // Each of them once, and every 61st switch counts twice.
  ExpectAtMost(longest, kAtOnce + kAtOnce / (kLongWay - 1) + 2 * kAround);
}

}  // namespace
}  // namespace leash
