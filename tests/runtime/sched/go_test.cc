#include "leash/go.h"

#include <unistd.h>

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "leash/chan.h"
#include "leash/sync.h"
#include "leash/time.h"
#include "sched/scheduler.h"
#include "support/stress.h"

namespace leash {
namespace {

// A goroutine that has said it is done may still be on its way out.
int64_t NumGoroutineWhenSettled() {
  while (NumGoroutine() != 0) std::this_thread::yield();
  return 0;
}

void Store(int* to, int value, WaitGroup* wg) {
  *to = value;
  wg->Done();
}

struct Counter {
  int n = 0;
  void Add(int k, WaitGroup* wg) {
    n += k;
    wg->Done();
  }
};

TEST(GoTest, RunsFunctionsLambdasAndMembers) {
  WaitGroup wg;
  int a = 0;
  int b = 0;
  Counter c;
  wg.Add(3);
  go(Store, &a, 1, &wg);
  go([&] {
    b = 2;
    wg.Done();
  });
  go(&Counter::Add, &c, 3, &wg);
  wg.Wait();
  EXPECT_EQ(a, 1);
  EXPECT_EQ(b, 2);
  EXPECT_EQ(c.n, 3);
}

TEST(GoTest, MovesItsArgumentsIn) {
  Chan<int> out = MakeChan<int>();
  auto value = std::make_unique<int>(5);
  go([out](std::unique_ptr<int> p) { out.Send(*p); }, std::move(value));
  EXPECT_EQ(out.Recv(), 5);
  EXPECT_EQ(value, nullptr);
  go([out, p = std::make_unique<int>(6)] { out.Send(*p); });
  EXPECT_EQ(out.Recv(), 6);
}

TEST(GoTest, ReferencesArePassedByRef) {
  WaitGroup wg;
  wg.Add(1);
  int n = 0;
  go(
      [&](int& x) {
        x = 9;
        wg.Done();
      },
      std::ref(n));
  wg.Wait();
  EXPECT_EQ(n, 9);
}

TEST(GoTest, LargeAndOverAlignedClosuresArrive) {
  struct alignas(128) Big {
    std::array<char, 5000> bytes;
  };
  Big big{};
  big.bytes[4999] = 42;
  Chan<std::pair<char, bool>> out = MakeChan<std::pair<char, bool>>();
  go([big, out] { out.Send({big.bytes[4999], reinterpret_cast<uintptr_t>(&big) % 128 == 0}); });
  EXPECT_EQ(out.Recv(), std::make_pair(char{42}, true));
}

TEST(GoTest, DestroysTheClosureWhenItEnds) {
  auto tracked = std::make_shared<int>(1);
  Chan<Unit> done = MakeChan<Unit>();
  struct Last {
    Chan<Unit> done;
    ~Last() {
      if (done) done.Close();
    }
    explicit Last(Chan<Unit> d) : done(std::move(d)) {}
    Last(Last&& o) noexcept : done(std::move(o.done)) {}
  };
  go([last = Last(done), tracked] { EXPECT_EQ(*tracked, 1); });
  done.Recv();
  // `tracked` is destroyed before `last`, in reverse order of the captures.
  EXPECT_EQ(tracked.use_count(), 1);
}

struct ThrowsWhenCopied {
  ThrowsWhenCopied() = default;
  ThrowsWhenCopied(const ThrowsWhenCopied&) { throw std::runtime_error("no copy"); }
  void operator()() const { ADD_FAILURE() << "it was started"; }
};

TEST(GoTest, AClosureThatThrowsStartsNothing) {
  const int64_t before = NumGoroutineWhenSettled();
  const ThrowsWhenCopied fn;
  EXPECT_THROW(go(fn), std::runtime_error);
  EXPECT_EQ(NumGoroutine(), before);
}

TEST(GoTest, AStackOfMoreThanAGibibyteIsRefused) {
  try {
    GoWith({.stack_bytes = (size_t{1} << 30) + 1}, [] {});
    FAIL();
  } catch (const std::invalid_argument& e) {
    EXPECT_STREQ(e.what(), "leash: a stack of more than 1 GiB");
  }
}

int64_t Descend(int depth) {
  volatile char frame[16384];
  frame[0] = static_cast<char>(depth);
  return depth == 0 ? frame[0] : Descend(depth - 1) + frame[0];
}

TEST(GoTest, StacksAreAsLargeAsWasAskedFor) {
  Chan<int64_t> out = MakeChan<int64_t>();
  // 400 frames of 16 KiB: more than 6 MiB.
  GoWith({.stack_bytes = size_t{8} << 20}, [out] { out.Send(Descend(400)); });
  EXPECT_TRUE(out.Recv().has_value());
}

TEST(GoTest, IdsAreUniqueAndTheMainThreadIsOne) {
  EXPECT_EQ(GoroutineId(), 1u);
  Chan<uint64_t> out = MakeChan<uint64_t>();
  for (int i = 0; i < 1000; ++i) go([out] { out.Send(GoroutineId()); });
  std::set<uint64_t> ids;
  for (int i = 0; i < 1000; ++i) ids.insert(*out.Recv());
  EXPECT_EQ(ids.size(), 1000u);
  EXPECT_FALSE(ids.contains(0));
  EXPECT_FALSE(ids.contains(1));
}

TEST(GoTest, AThreadHasNoIdUntilItUsesLeash) {
  std::thread([] {
    EXPECT_EQ(GoroutineId(), 0u);
    MakeChan<int>(1).Send(1);
    WaitGroup wg;
    wg.Go([] {});
    wg.Wait();
    EXPECT_GT(GoroutineId(), 1u);
  }).join();
}

TEST(GoTest, NumGoroutineCountsGoroutinesOnly) {
  const int64_t before = NumGoroutineWhenSettled();
  Chan<Unit> gate = MakeChan<Unit>();
  WaitGroup up, down;
  for (int i = 0; i < 100; ++i) {
    up.Add(1);
    down.Go([&] {
      up.Done();
      gate.Recv();
    });
  }
  up.Wait();
  EXPECT_EQ(NumGoroutine(), before + 100);
  gate.Close();
  down.Wait();
}

TEST(GoTest, GoroutinesSpawnGoroutines) {
  std::atomic<int> leaves{0};
  WaitGroup wg;
  std::function<void(int)> tree = [&](int depth) {
    if (depth == 0) {
      leaves.fetch_add(1);
      return;
    }
    for (int i = 0; i < 4; ++i) wg.Go([&tree, depth] { tree(depth - 1); });
  };
  wg.Go([&] { tree(5); });
  wg.Wait();
  EXPECT_EQ(leaves.load(), 1024);
}

TEST(GoTest, ThreadsAndGoroutinesSpawnAtTheSameTime) {
  constexpr int kEach = testing::Stress(2000);
  std::atomic<int> n{0};
  WaitGroup wg;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < kEach; ++i) {
        wg.Add(2);
        go([&] {
          go([&] {
            n.fetch_add(1);
            wg.Done();
          });
          wg.Done();
        });
      }
    });
  }
  for (std::thread& t : threads) t.join();
  wg.Wait();
  EXPECT_EQ(n.load(), 4 * kEach);
}

TEST(GoTest, GoschedLetsOthersRun) {
  // With one P the second can only run when the first gives way.
  const int before = GOMAXPROCS(1);
  std::atomic<bool> other_ran{false};
  WaitGroup wg;
  wg.Go([&] {
    wg.Go([&] { other_ran = true; });
    while (!other_ran) Gosched();
  });
  wg.Wait();
  GOMAXPROCS(before);
}

struct SetsOnDestruction {
  std::atomic<int>* n;
  ~SetsOnDestruction() { n->fetch_add(1); }
};

TEST(GoexitTest, RunsDestructorsAndEndsOnlyTheCaller) {
  std::atomic<int> destroyed{0};
  std::atomic<bool> after{false};
  WaitGroup wg;
  wg.Add(1);
  struct Done {
    WaitGroup* wg;
    ~Done() { wg->Done(); }
  };
  go([&] {
    Done done{&wg};
    SetsOnDestruction outer{&destroyed};
    [&] {
      SetsOnDestruction inner{&destroyed};
      Goexit();
    }();
    after = true;
  });
  wg.Wait();
  EXPECT_EQ(destroyed.load(), 2);
  EXPECT_FALSE(after.load());
}

TEST(GoexitTest, PassesThroughHandlersThatRethrow) {
  Chan<int> out = MakeChan<int>(1);
  WaitGroup wg;
  wg.Go([&] {
    try {
      Goexit();
    } catch (...) {
      out.Send(1);
      throw;
    }
  });
  wg.Wait();
  EXPECT_EQ(out.TryRecv(), 1);
}

TEST(GoexitTest, OnAThreadItPanics) {
  std::thread([] {
    try {
      Goexit();
    } catch (const PanicError& e) {
      EXPECT_STREQ(e.what(), "Goexit on a thread");
    }
  }).join();
}

// Without the exception state of the C++ ABI being swapped with the goroutine, the second would
// rethrow the first one's exception.
TEST(GoTest, ParkingInsideACatchKeepsItsException) {
  Chan<std::string> out = MakeChan<std::string>();
  WaitGroup wg, both_caught;
  both_caught.Add(2);
  for (const char* text : {"zero", "one"}) {
    wg.Go([&, text] {
      try {
        throw std::runtime_error(text);
      } catch (...) {
        both_caught.Done();
        both_caught.Wait();
        try {
          throw;
        } catch (const std::runtime_error& e) {
          out.Send(std::string(text) + "=" + e.what());
        }
      }
    });
  }
  std::set<std::string> got = {*out.Recv(), *out.Recv()};
  EXPECT_EQ(got, (std::set<std::string>{"one=one", "zero=zero"}));
  wg.Wait();
}

TEST(GoTest, UncaughtExceptionsAreCountedForEachGoroutine) {
  struct Parks {
    Chan<Unit> gate;
    int* seen;
    ~Parks() {
      gate.Recv();
      *seen = std::uncaught_exceptions();
    }
  };
  Chan<Unit> gate = MakeChan<Unit>();
  int in_unwinding = -1;
  int other = -1;
  WaitGroup wg;
  wg.Go([&] {
    try {
      Parks parks{gate, &in_unwinding};
      throw 1;
    } catch (int) {
    }
  });
  wg.Go([&] {
    other = std::uncaught_exceptions();
    gate.Close();
  });
  wg.Wait();
  EXPECT_EQ(in_unwinding, 1);
  EXPECT_EQ(other, 0);
}

TEST(GomaxprocsTest, ReturnsThePreviousValueAndTakesEffect) {
  const int before = GOMAXPROCS(0);
  EXPECT_EQ(GOMAXPROCS(3), before);
  EXPECT_EQ(GOMAXPROCS(0), 3);
  EXPECT_EQ(GOMAXPROCS(-1), 3);
  EXPECT_EQ(GOMAXPROCS(before), 3);
}

TEST(GomaxprocsTest, CanChangeWhileGoroutinesRun) {
  const int before = GOMAXPROCS(0);
  std::atomic<bool> stop{false};
  std::atomic<int64_t> work{0};
  WaitGroup wg;
  for (int i = 0; i < 20; ++i) {
    wg.Go([&] {
      while (!stop) {
        work.fetch_add(1, std::memory_order_relaxed);
        Gosched();
      }
    });
  }
  for (int round = 0; round < 50; ++round) {
    GOMAXPROCS(1 + round % 5);
    const int64_t now = work.load();
    while (work.load() < now + 100) std::this_thread::yield();
  }
  stop = true;
  wg.Wait();
  GOMAXPROCS(before);
}

// Law (2) of scheduler.h, once a change has settled: attached Ps number GOMAXPROCS.
void ExpectSettled(int n) {
  for (;;) {
    {
      rt::LockHolder hold(rt::sched.lock);
      ASSERT_EQ(rt::sched.gomaxprocs, n);
      int attached = rt::sched.idle_p_count.load();
      int busy = 0;
      for (int32_t i = 0; i < rt::sched.p_count.load(); ++i) {
        const rt::P* p = rt::sched.all_ps[i].load();
        if (p->m.load() != nullptr && !p->detached.load()) ++busy;
      }
      attached += busy;
      // One that is being handed from an M to another is on neither side for a moment.
      if (rt::sched.excess_ps == 0 && attached == n) return;
      ASSERT_LE(attached, n + rt::sched.excess_ps);
    }
    std::this_thread::yield();
  }
}

TEST(GomaxprocsTest, CanChangeWhileGoroutinesDoEverything) {
  const int before = GOMAXPROCS(0);
  std::atomic<bool> stop{false};
  std::atomic<int64_t> work{0};
  Chan<int> ring[4] = {MakeChan<int>(), MakeChan<int>(), MakeChan<int>(), MakeChan<int>()};
  int pipe_fds[2];
  ASSERT_EQ(pipe(pipe_fds), 0);
  WaitGroup wg;
  // Some hand a token round, some sleep, some spawn, some compute, one sits in read(2).
  for (int i = 0; i < 4; ++i) {
    wg.Go([&ring, &work, &stop, i] {
      Chan<int>& next = ring[(i + 1) % 4];
      while (std::optional<int> token = ring[i].Recv()) {
        if (stop) break;
        work.fetch_add(1, std::memory_order_relaxed);
        next.Send(*token);
      }
      next.Close();
    });
    wg.Go([&stop, &work] {
      while (!stop) {
        Sleep(absl::Microseconds(50));
        work.fetch_add(1, std::memory_order_relaxed);
      }
    });
    wg.Go([&stop, &work, &wg] {
      while (!stop) {
        wg.Go([&work] { work.fetch_add(1, std::memory_order_relaxed); });
        Gosched();
      }
    });
    wg.Go([&stop, i] {
      for (int64_t spin = 1; !stop; ++spin) {
        if (spin % (int64_t{1000} << (4 * i)) == 0) Gosched();  // some often, some hardly ever
      }
    });
  }
  wg.Go([&pipe_fds] {
    char c;
    ASSERT_EQ(read(pipe_fds[0], &c, 1), 1);
  });
  ring[0].Send(1);
  uint32_t random = 20261128;
  for (int round = 0; round < 50; ++round) {
    random = random * 1664525 + 1013904223;
    const int n = 1 + static_cast<int>(random >> 24) % 8;
    GOMAXPROCS(n);
    const int64_t now = work.load();
    while (work.load() < now + 100) std::this_thread::yield();
    if (round % 10 == 0) {
      ASSERT_NO_FATAL_FAILURE(ExpectSettled(n));
    }
  }
  stop = true;
  ASSERT_EQ(write(pipe_fds[1], "x", 1), 1);
  wg.Wait();
  close(pipe_fds[0]);
  close(pipe_fds[1]);
  GOMAXPROCS(before);
  ExpectSettled(before);
}

}  // namespace
}  // namespace leash
