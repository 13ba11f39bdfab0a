// A goroutine that computes, or sits in a system call, holds up no other.

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <vector>

#include "gtest/gtest.h"
#include "leash/chan.h"
#include "leash/go.h"
#include "leash/sync.h"
#include "leash/time.h"

namespace leash {
namespace {

class LivenessTest : public ::testing::Test {
 protected:
  void SetUp() override { before_ = GOMAXPROCS(1); }
  void TearDown() override { GOMAXPROCS(before_); }

 private:
  int before_ = 0;
};

TEST_F(LivenessTest, OthersRunWhileOneComputes) {
  std::atomic<bool> stop{false};
  std::atomic<bool> computing{false};
  WaitGroup wg;
  wg.Go([&] {
    computing = true;
    while (!stop.load(std::memory_order_relaxed)) {
    }
  });
  while (!computing) usleep(100);
  // The only P computes: without a second one this never runs, and the test hangs.
  wg.Go([&] { stop = true; });
  wg.Wait();
}

TEST_F(LivenessTest, OthersRunWhileSomeBlockInSystemCalls) {
  constexpr int kBlocked = 20;
  int fds[2];
  ASSERT_EQ(pipe(fds), 0);
  WaitGroup wg;
  for (int i = 0; i < kBlocked; ++i) {
    wg.Go([&] {
      char c;
      ASSERT_EQ(read(fds[0], &c, 1), 1);
    });
  }
  wg.Go([&] {
    const std::vector<char> bytes(kBlocked, 'x');
    ASSERT_EQ(write(fds[1], bytes.data(), bytes.size()), kBlocked);
  });
  wg.Wait();
  close(fds[0]);
  close(fds[1]);
}

TEST_F(LivenessTest, TimersFireWhileOneComputes) {
  std::atomic<bool> stop{false};
  std::atomic<bool> computing{false};
  WaitGroup wg;
  wg.Go([&] {
    computing = true;
    while (!stop.load(std::memory_order_relaxed)) {
    }
  });
  while (!computing) usleep(100);
  Sleep(absl::Milliseconds(1));  // on a thread
  wg.Go([&] {
    Sleep(absl::Milliseconds(1));  // on a goroutine
    stop = true;
  });
  wg.Wait();
}

TEST_F(LivenessTest, APairThatWakesEachOtherStarvesNobody) {
  Chan<int> ping = MakeChan<int>();
  Chan<int> pong = MakeChan<int>();
  std::atomic<bool> stop{false};
  WaitGroup wg;
  wg.Go([&] {
    while (!stop) {
      ping.Send(1);
      pong.Recv();
    }
    ping.Close();
  });
  wg.Go([&] {
    for (int v : ping) pong.Send(v);
  });
  wg.Go([&] { stop = true; });
  wg.Wait();
}

}  // namespace
}  // namespace leash
