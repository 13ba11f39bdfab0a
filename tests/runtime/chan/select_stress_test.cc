// Random selects on a few channels: every value that was sent is received, once.

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "leash/chan.h"
#include "runtime/chan/chan_test_support.h"

namespace leash::testing {
namespace {

// What the goroutines share: channels of several capacities, and two sums that must end equal.
struct Exchange {
  std::vector<Chan<std::string>> chans;
  std::atomic<int64_t> sent{0}, received{0}, sent_sum{0}, received_sum{0};

  Exchange() {
    for (size_t capacity : {0, 0, 1, 3}) chans.push_back(MakeChan<std::string>(capacity));
  }
  void Took(const std::optional<std::string>& value) {
    if (!value) return;
    ++received;
    received_sum += NumberOf(*value);
  }
};

// Does `rounds` random selects of up to six cases. One of them is a timeout, else all could wait at
// the same end of the channels.
void SelectAtRandom(Exchange& x, uint64_t seed, int rounds) {
  std::mt19937_64 random(seed);
  for (int round = 0; round < rounds; ++round) {
    std::vector<SelectCase> cases;
    const int n = 1 + static_cast<int>(random() % 4);
    for (int i = 0; i < n; ++i) {
      auto& ch = x.chans[random() % x.chans.size()];
      if (random() % 2 == 0) {
        cases.push_back(OnRecv(ch, [&x](std::optional<std::string> value) { x.Took(value); }));
      } else {
        const int64_t value = static_cast<int64_t>(random() % 1'000'000);
        cases.push_back(OnSend(ch, std::to_string(value), [&x, value] {
          ++x.sent;
          x.sent_sum += value;
        }));
      }
    }
    if (random() % 4 == 0) cases.push_back(OnDefault());
    cases.push_back(OnTimeout(absl::Microseconds(random() % 8 == 0 ? random() % 50 : 2000)));
    SelectN(cases);
  }
}

TEST(SelectStressTest, RandomSelectsLoseAndDoubleNothing) {
  SCOPED_TRACE("LEASH_SEED=" + std::to_string(Seed()));
  RecordProperty("seed", std::to_string(Seed()));
  for (int trial = 0; trial < 3; ++trial) {
    Exchange x;
    Crew crew;
    const auto work = [&](int worker) { SelectAtRandom(x, Seed() + 1000 * trial + worker, 2000); };
    for (int g = 0; g < 8; ++g) {
      crew.Go([&, g] { work(g); });
    }
    std::thread a(work, 8), b(work, 9);
    a.join();
    b.join();
    crew.Wait();
    for (auto& ch : x.chans) {
      while (auto value = ch.TryRecv()) x.Took(value);
      EXPECT_EQ(Waiters(ch, false) + Waiters(ch, true), 0u);
    }
    EXPECT_EQ(x.sent, x.received);
    EXPECT_EQ(x.sent_sum, x.received_sum);
    EXPECT_GT(x.sent, 100);
  }
}

TEST(SelectStressTest, PairsOfSelectsPassTokensRound) {
  auto a = MakeChan<int>(), b = MakeChan<int>();
  constexpr int kEach = 5000;
  int64_t sums[2] = {};
  Crew crew;
  for (int64_t& sum : sums) {
    crew.Go([&] {
      for (int got = 0; got < kEach; ++got) {
        Select(OnRecv(a, [&](std::optional<int> v) { sum += *v; }),
               OnRecv(b, [&](std::optional<int> v) { sum += *v; }));
      }
    });
    crew.Go([&] {
      for (int i = 0; i < kEach; ++i) Select(OnSend(a, 1), OnSend(b, 1));
    });
  }
  crew.Wait();
  EXPECT_EQ(sums[0] + sums[1], 2 * kEach);
}

}  // namespace
}  // namespace leash::testing
