// The netpoller by its own interface, on pipes.

#include "sched/netpoll.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "leash/go.h"
#include "leash/sync.h"
#include "sched/netpoll_poll.h"
#include "sched/park.h"
#include "support/wait_until_blocked.h"

namespace leash::rt {
namespace {

class NetPollTest : public ::testing::Test {
 protected:
  NetPollTest() {
    EXPECT_EQ(pipe2(fds_, O_NONBLOCK | O_CLOEXEC), 0);
    int error = 0;
    reader_ = PollOpen(fds_[0], &error);
    EXPECT_NE(reader_, nullptr);
  }
  ~NetPollTest() override {
    if (!closed_) PollClose(reader_);
    PollFree(reader_);
    close(fds_[0]);
    close(fds_[1]);
  }
  void Write(char byte) { ASSERT_EQ(write(fds_[1], &byte, 1), 1); }
  // As net does: try first, wait on EAGAIN.
  PollResult ReadByte(char* byte) {
    PollResult result = PollPrepare(reader_, PollMode::kRead);
    while (result == PollResult::kReady) {
      if (read(fds_[0], byte, 1) == 1) break;
      EXPECT_EQ(errno, EAGAIN);
      result = PollWait(reader_, PollMode::kRead);
    }
    return result;
  }

  int fds_[2];
  PollDesc* reader_ = nullptr;
  bool closed_ = false;
};

TEST_F(NetPollTest, AnEdgeWakesTheWaiter) {
  WaitGroup wg;
  char byte = 0;
  wg.Go([&] { EXPECT_EQ(ReadByte(&byte), PollResult::kReady); });
  testing::WaitUntilBlockedCount(1, "IO wait");
  EXPECT_EQ(NetPollWaiters(), 1);
  Write('x');
  wg.Wait();
  EXPECT_EQ(byte, 'x');
  EXPECT_EQ(NetPollWaiters(), 0);
  EXPECT_EQ(PollFd(reader_), fds_[0]);
}

TEST_F(NetPollTest, AThreadCanWaitToo) {
  WaitGroup wg;
  wg.Go([&] {
    testing::WaitUntilBlockedCount(1, "IO wait");
    Write('y');
  });
  char byte = 0;
  EXPECT_EQ(ReadByte(&byte), PollResult::kReady);
  EXPECT_EQ(byte, 'y');
  wg.Wait();
}

TEST_F(NetPollTest, NoWakeIsLostHoweverItFalls) {
  constexpr int kBytes = 20000;
  WaitGroup wg;
  wg.Go([&] {
    for (int i = 0; i < kBytes; ++i) {
      Write(static_cast<char>(i));
      if (i % 3 == 0) Gosched();
      // The pipe holds 64 KiB: never full here.
    }
  });
  for (int i = 0; i < kBytes; ++i) {
    char byte = 0;
    ASSERT_EQ(ReadByte(&byte), PollResult::kReady);
    ASSERT_EQ(byte, static_cast<char>(i));
  }
  wg.Wait();
}

TEST_F(NetPollTest, CloseWakesAndStays) {
  WaitGroup wg;
  wg.Go([&] {
    char byte;
    EXPECT_EQ(ReadByte(&byte), PollResult::kClosed);
  });
  testing::WaitUntilBlockedCount(1, "IO wait");
  PollClose(reader_);
  closed_ = true;
  wg.Wait();
  EXPECT_EQ(PollPrepare(reader_, PollMode::kRead), PollResult::kClosed);
  EXPECT_EQ(PollWait(reader_, PollMode::kRead), PollResult::kClosed);
}

TEST_F(NetPollTest, ADeadlineIsOfItsDirectionOnly) {
  PollSetDeadline(reader_, PollMode::kRead, -1);
  EXPECT_EQ(PollPrepare(reader_, PollMode::kRead), PollResult::kTimeout);
  EXPECT_EQ(PollPrepare(reader_, PollMode::kWrite), PollResult::kReady);
  PollSetDeadline(reader_, PollMode::kRead, Nanotime() + 2'000'000);
  char byte;
  EXPECT_EQ(ReadByte(&byte), PollResult::kTimeout);
  PollSetDeadline(reader_, PollMode::kRead, 0);
  Write('z');
  EXPECT_EQ(ReadByte(&byte), PollResult::kReady);
}

TEST_F(NetPollTest, RecordsAreUsedAgain) {
  const int open = NetPollDescriptors();
  for (int i = 0; i < 5000; ++i) {
    int fds[2];
    ASSERT_EQ(pipe2(fds, O_NONBLOCK | O_CLOEXEC), 0);
    int error = 0;
    PollDesc* const pd = PollOpen(fds[0], &error);
    ASSERT_NE(pd, nullptr);
    ASSERT_EQ(write(fds[1], "x", 1), 1);  // an event that nobody waits for
    PollClose(pd);
    close(fds[0]);
    close(fds[1]);
    PollFree(pd);
  }
  EXPECT_EQ(NetPollDescriptors(), open);
}

TEST_F(NetPollTest, RefusesWhatEpollRefuses) {
  FILE* const file = tmpfile();
  ASSERT_NE(file, nullptr);
  int error = 0;
  EXPECT_EQ(PollOpen(fileno(file), &error), nullptr);
  EXPECT_EQ(error, EPERM);
  fclose(file);
}

}  // namespace
}  // namespace leash::rt
