// Plain data handed over in each way that orders it. A report, which would be false, makes the
// whole program fail with status 66, whatever the tests say. Each is repeated, so that goroutines,
// their stacks and closures are reused.

#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "leash/debug.h"
#include "leash/leash.h"
#include "leash/snapshot.h"

namespace leash {
namespace {

constexpr int kRounds = 200;

TEST(RaceFreeTest, GoStatement) {
  for (int i = 0; i < kRounds; ++i) {
    auto value = std::make_unique<std::string>(100, 'a');
    WaitGroup wg;
    wg.Go([v = value.get()] { v->push_back('b'); });
    wg.Wait();
    ASSERT_EQ(value->size(), 101u);
  }
}

TEST(RaceFreeTest, ClosuresAndStacksAreReused) {
  for (int i = 0; i < kRounds; ++i) {
    WaitGroup wg;
    std::string sent(static_cast<size_t>(i), 'x');
    wg.Go([sent, &wg] {
      char on_stack[2000] = {};
      for (char& c : on_stack) c = 'y';
      wg.Go([copy = sent + on_stack[0]] { ASSERT_FALSE(copy.empty()); });
    });
    wg.Wait();
  }
}

TEST(RaceFreeTest, BufferedChannelSendToReceiveAndReceiveToLaterSend) {
  constexpr int kCapacity = 3;
  const auto ch = MakeChan<int>(kCapacity);
  int sent[kRounds] = {}, received[kRounds] = {};
  WaitGroup wg;
  wg.Go([&, ch] {
    for (int i = 0; i < kRounds; ++i) {
      sent[i] = i;
      ch.Send(i);
      if (i >= kCapacity) EXPECT_EQ(received[i - kCapacity], i - kCapacity);
    }
  });
  for (int i = 0; i < kRounds; ++i) {
    received[i] = i;
    const std::optional<int> got = ch.Recv();
    ASSERT_EQ(got, i);
    EXPECT_EQ(sent[i], i);
  }
  wg.Wait();
}

TEST(RaceFreeTest, ChannelAsASemaphore) {
  const auto limit = MakeChan<char>(1);
  int count = 0;
  WaitGroup wg;
  for (int g = 0; g < 8; ++g) {
    wg.Go([&, limit] {
      for (int i = 0; i < kRounds; ++i) {
        limit.Send('x');
        ++count;
        static_cast<void>(limit.Recv());
      }
    });
  }
  wg.Wait();
  EXPECT_EQ(count, 8 * kRounds);
}

TEST(RaceFreeTest, UnbufferedChannelBothWays) {
  const auto ch = MakeChan<std::string*>();
  int before_receive = 0;
  go([&, ch] {
    for (int i = 0; i < kRounds; ++i) {
      before_receive = i;
      std::unique_ptr<std::string> text(*ch.Recv());
      text->push_back('!');
    }
    ch.Close();
  });
  for (int i = 0; i < kRounds; ++i) {
    ch.Send(new std::string(static_cast<size_t>(i), 'z'));
    EXPECT_LE(i, kRounds);
  }
  EXPECT_EQ(ch.Recv(), std::nullopt);
  EXPECT_EQ(before_receive, kRounds - 1);
}

TEST(RaceFreeTest, CloseToEveryReceiver) {
  for (int i = 0; i < kRounds / 10; ++i) {
    const auto ch = MakeChan<int>();
    int value = 0;
    WaitGroup wg;
    for (int g = 0; g < 4; ++g) {
      wg.Go([&, ch] {
        static_cast<void>(ch.Recv());
        EXPECT_EQ(value, 7);
      });
    }
    value = 7;
    ch.Close();
    wg.Wait();
  }
}

TEST(RaceFreeTest, ChosenCaseOfSelect) {
  const auto a = MakeChan<int>(), b = MakeChan<int>(1);
  int value = 0;
  go([&, a, b] {
    for (int i = 0; i < kRounds; ++i) {
      value = i;
      Select(OnSend(a, i), OnSend(b, i));
      // Both are received before the next is written.
      static_cast<void>(a.Recv());
    }
  });
  for (int i = 0; i < kRounds; ++i) {
    Select(OnRecv(a, [&](std::optional<int> got) { EXPECT_EQ(value, *got); }),
           OnRecv(b, [&](std::optional<int> got) { EXPECT_EQ(value, *got); }));
    a.Send(0);
  }
}

TEST(RaceFreeTest, MutexAndCond) {
  Mutex mu;
  Cond cond(&mu);
  int turn = 0;
  WaitGroup wg;
  for (int g = 0; g < 3; ++g) {
    wg.Go([&, g] {
      for (int i = 0; i < kRounds; ++i) {
        mu.Lock();
        while (turn % 3 != g) cond.Wait();
        ++turn;
        cond.Broadcast();
        mu.Unlock();
      }
    });
  }
  wg.Wait();
  EXPECT_EQ(turn, 3 * kRounds);
}

TEST(RaceFreeTest, MutexUnlockedByAnother) {
  Mutex mu;
  int value = 0;
  for (int i = 0; i < kRounds; ++i) {
    mu.Lock();
    ++value;
    go([&] {
      ++value;
      mu.Unlock();
    });
  }
  mu.Lock();
  EXPECT_EQ(value, 2 * kRounds);
  mu.Unlock();
}

TEST(RaceFreeTest, RWMutex) {
  RWMutex mu;
  int value = 0;
  WaitGroup wg;
  for (int g = 0; g < 4; ++g) {
    wg.Go([&, g] {
      for (int i = 0; i < kRounds; ++i) {
        if ((i + g) % 4 == 0) {
          mu.Lock();
          ++value;
          mu.Unlock();
        } else {
          mu.RLock();
          EXPECT_LE(value, 4 * kRounds);
          mu.RUnlock();
        }
      }
    });
  }
  wg.Wait();
}

TEST(RaceFreeTest, OnceAndSemaphore) {
  for (int i = 0; i < kRounds / 10; ++i) {
    Once once;
    Semaphore semaphore(2);
    int value = 0, guarded = 0;
    WaitGroup wg;
    for (int g = 0; g < 4; ++g) {
      wg.Go([&] {
        once.Do([&] { value = 5; });
        EXPECT_EQ(value, 5);
        ASSERT_TRUE(semaphore.Acquire(Context::Background(), 2).ok());
        ++guarded;
        semaphore.Release(2);
      });
    }
    wg.Wait();
    EXPECT_EQ(guarded, 4);
  }
}

TEST(RaceFreeTest, Atomics) {
  for (int i = 0; i < kRounds; ++i) {
    std::atomic<bool> ready{false};
    int value = 0;
    WaitGroup wg;
    wg.Go([&] {
      value = 1;
      ready.store(true, std::memory_order_release);
    });
    while (!ready.load(std::memory_order_acquire)) Gosched();
    EXPECT_EQ(value, 1);
    wg.Wait();
  }
}

TEST(RaceFreeTest, TimersAndContexts) {
  for (int i = 0; i < kRounds / 10; ++i) {
    int value = 1;
    const auto done = MakeChan<int>(1);
    const Timer timer = AfterFunc(absl::Microseconds(50), [&, done] { done.Send(++value); });
    EXPECT_EQ(done.Recv(), 2);
    EXPECT_EQ(value, 2);
    auto [ctx, cancel] = WithCancel(Context::Background());
    WaitGroup wg;
    wg.Go([&value, ctx = ctx] {
      static_cast<void>(ctx.Done().Recv());
      EXPECT_EQ(value, 3);
    });
    value = 3;
    cancel();
    wg.Wait();
    static_cast<void>(After(absl::Microseconds(20)).Recv());
  }
}

TEST(RaceFreeTest, BytesOverAConnection) {
  auto listener = net::Listen("tcp", "127.0.0.1:0");
  ASSERT_TRUE(listener.ok()) << listener.status();
  int before_write = 0;
  WaitGroup wg;
  wg.Go([&] {
    auto conn = net::Dial(Context::Background(), "tcp", listener->Addr());
    ASSERT_TRUE(conn.ok()) << conn.status();
    for (int i = 0; i < kRounds; ++i) {
      before_write = i;
      ASSERT_TRUE(conn->Write("x").ok());
      char answer = 0;
      ASSERT_TRUE(conn->Read(absl::MakeSpan(&answer, 1)).ok());
    }
  });
  auto conn = listener->Accept();
  ASSERT_TRUE(conn.ok()) << conn.status();
  for (int i = 0; i < kRounds; ++i) {
    char c = 0;
    ASSERT_TRUE(conn->Read(absl::MakeSpan(&c, 1)).ok());
    EXPECT_EQ(before_write, i);
    ASSERT_TRUE(conn->Write("y").ok());
  }
  wg.Wait();
}

TEST(RaceFreeTest, ThreadsAndGoroutines) {
  for (int i = 0; i < kRounds / 10; ++i) {
    const auto ch = MakeChan<int*>();
    int value = 0;
    std::thread thread([&, ch] {
      int* p = *ch.Recv();
      ++*p;
      ch.Close();
    });
    go([&, ch] {
      value = 41;
      ch.Send(&value);
    });
    thread.join();
    EXPECT_EQ(value, 42);
  }
}

TEST(RaceFreeTest, ExceptionsAndSnapshots) {
  WaitGroup wg;
  for (int g = 0; g < 4; ++g) {
    wg.Go([] {
      for (int i = 0; i < 20; ++i) {
        try {
          Gosched();
          throw std::to_string(i);
        } catch (const std::string& text) {
          Gosched();
          EXPECT_EQ(text, std::to_string(i));
        }
        const Snapshot snapshot = debug::Capture();
        EXPECT_FALSE(snapshot.goroutines.empty());
        EXPECT_FALSE(debug::Stack(true).empty());
      }
    });
  }
  wg.Wait();
}

thread_local int calls_on_this_thread = 0;

__attribute__((noinline)) void CountACall() {
  ++calls_on_this_thread;
  errno = EAGAIN;
}

// Goroutines that nothing orders share a thread, one after the other, a new one among them.
TEST(RaceFreeTest, ThreadLocalsOfTheThreadThatOneRunsOn) {
  for (int i = 0; i < kRounds; ++i) {
    WaitGroup wg;
    for (int g = 0; g < 4; ++g) {
      wg.Go([] {
        CountACall();
        Gosched();
        CountACall();
      });
    }
    wg.Go([] {
      LockOSThread();  // the others want another thread
      CountACall();
    });
    wg.Wait();
  }
}

}  // namespace
}  // namespace leash
