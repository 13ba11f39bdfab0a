// A handle that never rests: whoever looks, at whatever moment, must not take it for gone.
//
// One SendChan moves from hand to hand, never copied, while somebody waits at its channel. It goes
// through stacks, the heap, closures of goroutines that have not run, values of senders that wait,
// buffers, and threads. Proofs are tried all the while.

#include <atomic>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "integration/proof/victim.h"
#include "leash/chan.h"
#include "leash/go.h"
#include "leash/sync.h"

namespace leash::testing {
namespace {

using Handle = SendChan<int>;

// Each run has a seed of its own: `tools/dev.sh soak` is how to look longer.
constexpr absl::Duration kTime = absl::Milliseconds(500);

// Where those that carry the handle find each other.
struct Hands {
  Chan<Handle> direct = MakeChan<Handle>();     // from stack to stack
  Chan<Handle> buffered = MakeChan<Handle>(1);  // by way of the heap
  Mutex mu;
  std::optional<Handle> slot;  // under mu
  std::atomic<bool> stop{false};
  std::atomic<bool> dropped{false};
  std::atomic<int64_t> passed{0};
};

void PassOn(Hands* hands, uint32_t how, Handle handle) {
  hands->passed.fetch_add(1, std::memory_order_relaxed);
  (how % 2 == 0 ? hands->direct : hands->buffered).Send(std::move(handle));
}

// Has the handle now, and lets somebody else have it.
void Carry(Hands* hands, uint32_t how, Handle handle) {
  if (hands->stop) {
    handle = {};
    hands->dropped = true;
    return;
  }
  switch (how / 2 % 5) {
    case 0:
      PassOn(hands, how, std::move(handle));
      return;
    case 1: {
      auto on_heap = std::make_unique<Handle>(std::move(handle));
      Gosched();
      Handle back = std::move(*on_heap);
      PassOn(hands, how, std::move(back));
      return;
    }
    case 2:
      leash::go(PassOn, hands, how, std::move(handle));
      return;
    case 3: {
      MutexLock lock(&hands->mu);
      hands->slot = std::move(handle);
      return;
    }
    default: {
      Handle moved = std::move(handle);
      Gosched();
      leash::go(Carry, hands, how / 10, std::move(moved));
      return;
    }
  }
}

void Juggle(Hands* hands, uint32_t seed) {
  std::minstd_rand random(seed);
  for (bool open = true; open;) {
    std::optional<Handle> handle;
    Select(OnRecv(hands->direct,
                  [&](std::optional<Handle> got) {
                    open = got.has_value();
                    handle = std::move(got);
                  }),
           OnRecv(hands->buffered, [&](std::optional<Handle> got) {
             open = got.has_value();
             handle = std::move(got);
           }));
    if (handle) Carry(hands, static_cast<uint32_t>(random()), *std::exchange(handle, std::nullopt));
  }
}

// Takes what was left in the slot. A thread, so that goroutines may all be at rest.
void Collect(Hands* hands, uint32_t seed) {
  std::minstd_rand random(seed);
  while (!hands->dropped) {
    std::optional<Handle> handle;
    {
      MutexLock lock(&hands->mu);
      if (hands->slot) handle = *std::exchange(hands->slot, std::nullopt);
    }
    if (handle) Carry(hands, static_cast<uint32_t>(random()), *std::exchange(handle, std::nullopt));
    std::this_thread::yield();
  }
}

struct Crowd {
  int goroutines, threads;
};

class ProofStressTest : public ::testing::TestWithParam<Crowd> {};

TEST_P(ProofStressTest, HandleOnTheMoveIsNeverTakenForGone) {
  if (!LEASH_RECORD) GTEST_SKIP() << "handles are not counted";
  const uint32_t seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  Hands hands;
  std::string victim;
  std::vector<std::thread> threads;
  WaitGroup goroutines;
  {
    const auto ch = MakeChan<int>(0, "on the move");
    victim = SpawnVictim(ch);
    for (int i = 0; i < GetParam().goroutines; ++i) {
      goroutines.Go([&hands, own = seed + static_cast<uint32_t>(i)] { Juggle(&hands, own); });
    }
    for (int i = 0; i < GetParam().threads; ++i) {
      threads.emplace_back(Juggle, &hands, seed + 100 + static_cast<uint32_t>(i));
    }
    threads.emplace_back(Collect, &hands, seed + 200);
    hands.buffered.Send(Handle(ch));
  }
  int64_t looks = 0;
  const absl::Time end = absl::Now() + kTime;
  for (; absl::Now() < end; ++looks) {
    const std::string verdict = VerdictOn(victim);
    if (verdict != "still there") {
      ADD_FAILURE() << "look " << looks << ": " << verdict;
      break;
    }
  }
  hands.stop = true;
  while (!hands.dropped) std::this_thread::yield();
  hands.direct.Close();
  hands.buffered.Close();
  goroutines.Wait();
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(looks, 0);
  EXPECT_GT(hands.passed, 0);
  RecordProperty("looks", std::to_string(looks));
  RecordProperty("passed", std::to_string(hands.passed));
  ExpectProved(victim, "no sender is alive");
}

INSTANTIATE_TEST_SUITE_P(Crowds, ProofStressTest,
                         ::testing::Values(Crowd{8, 0}, Crowd{3, 2}, Crowd{1, 1}, Crowd{2, 6}),
                         [](const auto& param_info) {
                           return std::to_string(param_info.param.goroutines) + "Goroutines" +
                                  std::to_string(param_info.param.threads) + "Threads";
                         });

}  // namespace
}  // namespace leash::testing
