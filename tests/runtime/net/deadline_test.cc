// Deadlines of connections.

#include <gtest/gtest.h>

#include <string>

#include "leash/go.h"
#include "leash/net.h"
#include "leash/sync.h"
#include "leash/time.h"
#include "runtime/net/net_test_support.h"
#include "sched/timer_heap.h"
#include "support/wait_until_blocked.h"

namespace leash {
namespace {

using testing::Connect;
using testing::Ends;
using testing::Pair;
using testing::ReadFull;

std::string TimeoutOf(const char* op, const net::Conn& conn) {
  return "DEADLINE_EXCEEDED: " + std::string(op) + " tcp " + Ends(conn) + ": i/o timeout";
}

TEST(NetDeadlineTest, AReadEndsInTime) {
  const Pair pair = Connect();
  char byte[1];
  const absl::Time start = Now();
  pair.client.SetReadDeadline(start + absl::Milliseconds(3));
  EXPECT_EQ(pair.client.Read(byte).status().ToString(), TimeoutOf("read", pair.client));
  EXPECT_GE(Now() - start, absl::Milliseconds(3));
  // It stands until it is moved.
  EXPECT_EQ(pair.client.Read(byte).status().ToString(), TimeoutOf("read", pair.client));
  EXPECT_TRUE(pair.client.Write("x").ok());
}

TEST(NetDeadlineTest, OneThatHasPassedFailsAtOnceEvenWithDataThere) {
  const Pair pair = Connect();
  EXPECT_TRUE(pair.server.Write("x").ok());
  pair.client.SetDeadline(absl::InfinitePast());
  char byte[1];
  EXPECT_EQ(pair.client.Read(byte).status().ToString(), TimeoutOf("read", pair.client));
  EXPECT_EQ(pair.client.Write("y").status().ToString(), TimeoutOf("write", pair.client));
  pair.client.SetDeadline(absl::InfiniteFuture());
  EXPECT_EQ(ReadFull(pair.client, 1), "x");
}

TEST(NetDeadlineTest, SettingOneWakesWhoWaits) {
  const Pair pair = Connect();
  const Chan<uint64_t> ids = MakeChan<uint64_t>(1);
  WaitGroup wg;
  wg.Go([&] {
    ids.Send(GoroutineId());
    char byte[1];
    EXPECT_EQ(pair.client.Read(byte).status().ToString(), TimeoutOf("read", pair.client));
  });
  testing::WaitUntilBlocked(*ids.Recv(), "IO wait");
  pair.client.SetReadDeadline(Now() - absl::Seconds(1));
  wg.Wait();
}

TEST(NetDeadlineTest, AWaitLastsUntilTheOneSetLast) {
  const Pair pair = Connect();
  const int64_t armed = rt::TimerCount();
  const Chan<uint64_t> ids = MakeChan<uint64_t>(1);
  WaitGroup wg;
  pair.client.SetReadDeadline(Now() + absl::Hours(1));
  EXPECT_EQ(rt::TimerCount(), armed + 1);
  wg.Go([&] {
    ids.Send(GoroutineId());
    char byte[1];
    EXPECT_EQ(*pair.client.Read(byte), 1u);
  });
  testing::WaitUntilBlocked(*ids.Recv(), "IO wait");
  pair.client.SetReadDeadline(Now() + absl::Hours(2));
  pair.client.SetReadDeadline(absl::InfiniteFuture());
  EXPECT_EQ(rt::TimerCount(), armed);
  EXPECT_TRUE(pair.server.Write("x").ok());
  wg.Wait();
}

TEST(NetDeadlineTest, AWriteEndsInTimeWhenThePeerDoesNotRead) {
  const Pair pair = Connect();
  pair.client.SetWriteDeadline(Now() + absl::Milliseconds(20));
  absl::Status status;
  while (status.ok()) status = pair.client.Write(std::string(1 << 20, 'x')).status();
  EXPECT_EQ(status.ToString(), TimeoutOf("write", pair.client));
}

TEST(NetDeadlineTest, ClosingTakesItAway) {
  const int64_t armed = rt::TimerCount();
  {
    const Pair pair = Connect();
    pair.client.SetDeadline(Now() + absl::Hours(1));
    EXPECT_EQ(rt::TimerCount(), armed + 2);
  }
  EXPECT_EQ(rt::TimerCount(), armed);
}

TEST(NetDeadlineTest, MovedManyTimesWhileItPasses) {
  const Pair pair = Connect();
  WaitGroup wg;
  wg.Go([&] {
    for (int i = 0; i < 2000; ++i) {
      pair.client.SetReadDeadline(Now() + absl::Microseconds(i % 50));
    }
    pair.client.SetReadDeadline(absl::InfiniteFuture());
    EXPECT_TRUE(pair.server.Write("x").ok());
  });
  char byte[1];
  while (true) {
    const absl::StatusOr<size_t> n = pair.client.Read(byte);
    if (n.ok()) break;
    ASSERT_EQ(n.status().ToString(), TimeoutOf("read", pair.client));
    Gosched();
  }
  wg.Wait();
}

}  // namespace
}  // namespace leash
