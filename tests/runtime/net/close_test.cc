// Close, from whoever and whenever.

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <string>
#include <utility>
#include <vector>

#include "leash/go.h"
#include "leash/net.h"
#include "leash/sync.h"
#include "runtime/net/net_test_support.h"
#include "sched/netpoll_poll.h"
#include "support/wait_until_blocked.h"

namespace leash {
namespace {

using testing::Connect;
using testing::DialOrDie;
using testing::Ends;
using testing::ListenOrDie;
using testing::Pair;

std::string ClosedText(const std::string& op) {
  return "FAILED_PRECONDITION: " + op + ": use of closed network connection";
}

TEST(NetCloseTest, WakesWhoReads) {
  const Pair pair = Connect();
  WaitGroup wg;
  for (int i = 0; i < 4; ++i) {  // one in the descriptor, three behind it
    wg.Go([&] {
      char byte[1];
      EXPECT_EQ(pair.client.Read(byte).status().ToString(),
                ClosedText("read tcp " + Ends(pair.client)));
    });
  }
  testing::WaitUntilBlockedCount(4, "IO wait");
  EXPECT_TRUE(pair.client.Close().ok());
  wg.Wait();
}

TEST(NetCloseTest, WakesWhoWrites) {
  const Pair pair = Connect();
  WaitGroup wg;
  wg.Go([&] {
    absl::Status status;
    while (status.ok()) status = pair.client.Write(std::string(1 << 20, 'x')).status();
    EXPECT_EQ(status.ToString(), ClosedText("write tcp " + Ends(pair.client)));
  });
  testing::WaitUntilBlockedCount(1, "IO wait");
  EXPECT_TRUE(pair.client.Close().ok());
  wg.Wait();
}

TEST(NetCloseTest, WakesWhoAccepts) {
  const net::Listener listener = ListenOrDie("tcp", "127.0.0.1:0");
  WaitGroup wg;
  for (int i = 0; i < 3; ++i) {
    wg.Go([&] {
      EXPECT_EQ(listener.Accept().status().ToString(), ClosedText("accept tcp " + listener.Addr()));
    });
  }
  testing::WaitUntilBlockedCount(3, "IO wait");
  EXPECT_TRUE(listener.Close().ok());
  wg.Wait();
}

TEST(NetCloseTest, EverythingFailsAfterwards) {
  const Pair pair = Connect();
  EXPECT_TRUE(pair.client.Close().ok());
  const std::string ends = Ends(pair.client);
  char byte[1];
  EXPECT_EQ(pair.client.Read(byte).status().ToString(), ClosedText("read tcp " + ends));
  EXPECT_EQ(pair.client.Write("x").status().ToString(), ClosedText("write tcp " + ends));
  EXPECT_EQ(pair.client.CloseWrite().ToString(), ClosedText("close tcp " + ends));
  EXPECT_EQ(pair.client.Close().ToString(), ClosedText("close tcp " + ends));
  pair.client.SetDeadline(absl::InfinitePast());
  EXPECT_EQ(*pair.server.Read(byte), 0u);
}

TEST(NetCloseTest, AMovedFromConnectionIsClosed) {
  Pair pair = Connect();
  const net::Conn conn = std::move(pair.client);
  char byte[1];
  EXPECT_EQ(pair.client.Read(byte).status().ToString(), ClosedText("read"));
  EXPECT_EQ(pair.client.Write("x").status().ToString(), ClosedText("write"));
  EXPECT_EQ(pair.client.Close().ToString(), ClosedText("close"));
  EXPECT_EQ(pair.client.LocalAddr(), "");
  EXPECT_EQ(net::Listener().Accept().status().ToString(), ClosedText("accept"));
  EXPECT_TRUE(conn.Write("x").ok());
}

TEST(NetCloseTest, DestroyingOrReplacingItCloses) {
  const int open = rt::NetPollDescriptors();
  {
    Pair pair = Connect();
    EXPECT_EQ(rt::NetPollDescriptors(), open + 2);
    pair.client = net::Conn();
    EXPECT_EQ(rt::NetPollDescriptors(), open + 1);
  }
  EXPECT_EQ(rt::NetPollDescriptors(), open);
}

TEST(NetCloseTest, ThePortIsFreeWhenCloseReturns) {
  net::Listener listener = ListenOrDie("tcp", "127.0.0.1:0");
  const std::string addr = listener.Addr();
  for (int i = 0; i < 50; ++i) {
    WaitGroup wg;
    wg.Go([&] { (void)listener.Accept(); });
    if (i % 2 == 0) testing::WaitUntilBlockedCount(1, "IO wait");
    EXPECT_TRUE(listener.Close().ok());
    absl::StatusOr<net::Listener> again = net::Listen("tcp", addr);
    ASSERT_TRUE(again.ok()) << again.status();
    wg.Wait();
    listener = *std::move(again);
  }
}

TEST(NetCloseTest, RacesWithEverything) {
  for (int turn = 0; turn < 100; ++turn) {
    const Pair pair = Connect();
    WaitGroup wg;
    wg.Go([&] { testing::Echo(pair.server); });
    for (int i = 0; i < 3; ++i) {
      wg.Go([&] {
        while (pair.client.Write("some text").ok()) {
        }
      });
      wg.Go([&] {
        char buffer[64];
        while (pair.client.Read(absl::MakeSpan(buffer)).ok()) {
          pair.client.SetDeadline(absl::Now() + absl::Hours(1));
        }
      });
    }
    for (int i = 0; i < turn % 5; ++i) Gosched();
    EXPECT_TRUE(pair.client.Close().ok());
    wg.Wait();
  }
}

TEST(NetCloseTest, RunningOutOfDescriptorsIsAnErrorThatPasses) {
  const net::Listener listener = ListenOrDie("tcp", "127.0.0.1:0");
  const net::Conn first = DialOrDie("tcp", listener.Addr());
  rlimit before;
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit none = before;
  none.rlim_cur = 0;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  const absl::Status accepted = listener.Accept().status();
  const absl::Status dialled = net::Dial(Context::Background(), "tcp", listener.Addr()).status();
  const absl::Status listened = net::Listen("tcp", "127.0.0.1:0").status();
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(accepted.ToString(),
            "RESOURCE_EXHAUSTED: accept tcp " + listener.Addr() + ": accept4: too many open files");
  EXPECT_EQ(dialled.ToString(),
            "RESOURCE_EXHAUSTED: dial tcp " + listener.Addr() + ": socket: too many open files");
  EXPECT_EQ(listened.ToString(),
            "RESOURCE_EXHAUSTED: listen tcp 127.0.0.1:0: socket: too many open files");
  EXPECT_TRUE(listener.Accept().ok());
}

}  // namespace
}  // namespace leash
