// Many senders and receivers, goroutines and threads: nothing is lost, nothing comes twice.

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "leash/chan.h"
#include "runtime/chan/chan_test_support.h"

namespace leash::testing {
namespace {

struct Shape {
  size_t capacity;
  int senders, receivers;
  bool threads;
};

template <class T, class Make, class Read>
void SendAll(const Shape& shape, int each, Make make, Read read) {
  auto ch = MakeChan<T>(shape.capacity);
  auto sums = MakeChan<int64_t>(shape.receivers);
  std::vector<std::thread> threads;
  Crew senders, receivers;
  const auto send = [&, ch](int s) {
    for (int i = 0; i < each; ++i) ch.Send(make(s * each + i));
  };
  const auto receive = [ch, sums, read] {
    int64_t sum = 0;
    for (T& value : ch) sum += read(value);
    sums.Send(sum);
  };
  for (int s = 0; s < shape.senders; ++s) {
    if (shape.threads && s % 2 == 0) {
      threads.emplace_back(send, s);
    } else {
      senders.Go([&, s] { send(s); });
    }
  }
  std::thread receiving_thread;
  for (int r = 0; r < shape.receivers; ++r) {
    if (shape.threads && r == 0) {
      receiving_thread = std::thread(receive);
    } else {
      receivers.Go(receive);
    }
  }
  for (std::thread& t : threads) t.join();
  senders.Wait();
  ch.Close();
  int64_t sum = 0;
  for (int r = 0; r < shape.receivers; ++r) sum += *sums.Recv();
  if (receiving_thread.joinable()) receiving_thread.join();
  const int64_t n = int64_t{shape.senders} * each;
  EXPECT_EQ(sum, n * (n - 1) / 2);
}

const Shape kShapes[] = {
    {0, 1, 1, false},  {0, 8, 8, false}, {1, 8, 3, false}, {64, 8, 8, false},
    {0, 20, 2, false}, {0, 4, 4, true},  {16, 4, 4, true},
};

TEST(ChanStressTest, IntegersFromManyToMany) {
  for (const Shape& shape : kShapes) {
    SendAll<int>(shape, 3000, [](int i) { return i; }, [](int v) { return v; });
  }
}

TEST(ChanStressTest, StringsFromManyToMany) {
  for (const Shape& shape : kShapes) {
    SendAll<std::string>(
        shape, 1000, [](int i) { return std::to_string(i) + std::string(40, ' '); },
        [](const std::string& s) { return NumberOf(s); });
  }
}

// A value whose move may throw, as far as the compiler knows: the other way through a full ring.
struct MayThrow {
  explicit MayThrow(int v) : value(v) {}
  MayThrow(const MayThrow& other) noexcept(false) : value(other.value) {}
  int value;
};

TEST(ChanStressTest, ElementsThatMayThrowFromManyToMany) {
  for (const Shape& shape : kShapes) {
    SendAll<MayThrow>(
        shape, 1000, [](int i) { return MayThrow(i); }, [](const MayThrow& v) { return v.value; });
  }
}

TEST(ChanStressTest, SemaphoreOfUnits) {
  auto slots = MakeChan<Unit>(3);
  std::atomic<int> inside{0}, most{0};
  Crew crew;
  for (int g = 0; g < 20; ++g) {
    crew.Go([&] {
      for (int i = 0; i < 200; ++i) {
        slots.Send({});
        const int now = ++inside;
        for (int m = most; now > m && !most.compare_exchange_weak(m, now);) {
        }
        Gosched();
        --inside;
        slots.Recv();
      }
    });
  }
  crew.Wait();
  EXPECT_LE(most, 3);
  EXPECT_EQ(slots.Len(), 0u);
}

TEST(ChanStressTest, ChannelsComeAndGo) {
  Crew crew;
  for (int g = 0; g < 8; ++g) {
    crew.Go([] {
      for (int i = 0; i < 500; ++i) {
        auto reply = MakeChan<std::unique_ptr<int>>(i % 3);
        leash::go([out = SendChan<std::unique_ptr<int>>(reply), i] {
          out.Send(std::make_unique<int>(i));
          out.Close();
        });
        EXPECT_EQ(**reply.Recv(), i);
        EXPECT_EQ(reply.Recv(), std::nullopt);
      }
    });
  }
}

TEST(ChanStressTest, CloseWhileEverybodyReceives) {
  for (int round = 0; round < 200; ++round) {
    auto ch = MakeChan<int>(round % 4);
    std::atomic<int> received{0};
    Crew crew;
    for (int r = 0; r < 6; ++r) {
      crew.Go([&] {
        while (ch.Recv()) ++received;
      });
    }
    for (int i = 0; i < 10; ++i) ch.Send(i);
    ch.Close();
    crew.Wait();
    EXPECT_EQ(received, 10);
  }
}

}  // namespace
}  // namespace leash::testing
