// Bytes go through connections as they were sent.

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "leash/go.h"
#include "leash/net.h"
#include "leash/sync.h"
#include "leash/time.h"
#include "runtime/net/net_test_support.h"
#include "support/wait_until_blocked.h"

namespace leash {
namespace {

using testing::Connect;
using testing::DialOrDie;
using testing::Echo;
using testing::ListenOrDie;
using testing::Pair;
using testing::ReadFull;

TEST(EchoTest, SixtyFourConnectionsAtOnce) {
  const net::Listener listener = ListenOrDie("tcp", "127.0.0.1:0");
  WaitGroup server, clients;
  server.Go([&] {
    while (true) {
      absl::StatusOr<net::Conn> conn = listener.Accept();
      if (!conn.ok()) {
        EXPECT_EQ(conn.status().ToString(), "FAILED_PRECONDITION: accept tcp " + listener.Addr() +
                                                ": use of closed network connection");
        return;
      }
      server.Go([conn = std::make_shared<net::Conn>(*std::move(conn))] { Echo(*conn); });
    }
  });
  for (int c = 0; c < 64; ++c) {
    clients.Go([&, c] {
      const net::Conn conn = DialOrDie("tcp", listener.Addr());
      for (int i = 0; i < 50; ++i) {
        const std::string message = "message " + std::to_string(i) + " of " + std::to_string(c);
        const absl::StatusOr<size_t> n = conn.Write(message);
        ASSERT_TRUE(n.ok()) << n.status();
        EXPECT_EQ(*n, message.size());
        EXPECT_EQ(ReadFull(conn, message.size()), message);
      }
    });
  }
  clients.Wait();
  EXPECT_TRUE(listener.Close().ok());
  server.Wait();
}

TEST(EchoTest, FromThreads) {
  const net::Listener listener = ListenOrDie("tcp", "127.0.0.1:0");
  std::thread server([&] {
    const absl::StatusOr<net::Conn> conn = listener.Accept();
    ASSERT_TRUE(conn.ok());
    Echo(*conn);
  });
  std::thread client([&] {
    const net::Conn conn = DialOrDie("tcp", listener.Addr());
    for (int i = 0; i < 100; ++i) {
      ASSERT_TRUE(conn.Write("ping").ok());
      EXPECT_EQ(ReadFull(conn, 4), "ping");
    }
  });
  client.join();
  server.join();
}

TEST(EchoTest, AddressesOfBothEndsMatch) {
  const Pair pair = Connect();
  EXPECT_EQ(pair.client.LocalAddr(), pair.server.RemoteAddr());
  EXPECT_EQ(pair.client.RemoteAddr(), pair.server.LocalAddr());
  EXPECT_EQ(pair.client.RemoteAddr().rfind("127.0.0.1:", 0), 0u);
}

TEST(EchoTest, ABigWriteIsWrittenWhole) {
  const Pair pair = Connect();
  std::string data(32 << 20, '\0');
  for (size_t i = 0; i < data.size(); ++i) data[i] = static_cast<char>(i * 7 + i / 4096);
  WaitGroup wg;
  wg.Go([&] {
    const absl::StatusOr<size_t> n = pair.client.Write(data);
    EXPECT_TRUE(n.ok()) << n.status();
    EXPECT_EQ(*n, data.size());
    EXPECT_TRUE(pair.client.CloseWrite().ok());
  });
  EXPECT_TRUE(ReadFull(pair.server, data.size()) == data);
  EXPECT_EQ(ReadFull(pair.server, 1), "");
  wg.Wait();
}

TEST(EchoTest, ConcurrentWritesDoNotMix) {
  const Pair pair = Connect();
  constexpr size_t kSize = 1 << 20;
  constexpr int kWriters = 8;
  WaitGroup wg;
  for (int w = 0; w < kWriters; ++w) {
    wg.Go([&, w] {
      const std::string block(kSize, static_cast<char>('a' + w));
      EXPECT_TRUE(pair.client.Write(block).ok());
    });
  }
  const std::string all = ReadFull(pair.server, kSize * kWriters);
  wg.Wait();
  ASSERT_EQ(all.size(), kSize * kWriters);
  for (int b = 0; b < kWriters; ++b) {
    EXPECT_EQ(all.substr(b * kSize, kSize), std::string(kSize, all[b * kSize])) << "block " << b;
  }
}

TEST(EchoTest, ConcurrentReadsShareTheStream) {
  const Pair pair = Connect();
  constexpr int kReaders = 8;
  std::atomic<size_t> total{0};
  WaitGroup wg;
  for (int r = 0; r < kReaders; ++r) {
    wg.Go([&] {
      char buffer[100];
      while (true) {
        const absl::StatusOr<size_t> n = pair.server.Read(absl::MakeSpan(buffer));
        ASSERT_TRUE(n.ok()) << n.status();
        if (*n == 0) return;
        total += *n;
      }
    });
  }
  testing::WaitUntilBlockedCount(kReaders, "IO wait");
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(pair.client.Write(std::string(77, 'x')).ok());
  EXPECT_TRUE(pair.client.CloseWrite().ok());
  wg.Wait();
  EXPECT_EQ(total, 77000u);
}

TEST(EchoTest, HalfClosedStillReads) {
  const Pair pair = Connect();
  WaitGroup wg;
  wg.Go([&] {
    EXPECT_EQ(ReadFull(pair.server, 100), "question");  // to the end
    EXPECT_TRUE(pair.server.Write("answer").ok());
  });
  EXPECT_TRUE(pair.client.Write("question").ok());
  EXPECT_TRUE(pair.client.CloseWrite().ok());
  EXPECT_EQ(ReadFull(pair.client, 6), "answer");
  wg.Wait();
  const absl::Status written = pair.client.Write("more").status();
  EXPECT_EQ(written.message(), "write tcp " + testing::Ends(pair.client) + ": write: broken pipe");
}

TEST(EchoTest, AnEmptyBufferOrMessageIsNoEnd) {
  const Pair pair = Connect();
  EXPECT_EQ(*pair.client.Write(""), 0u);
  EXPECT_EQ(*pair.client.Read(absl::Span<char>()), 0u);
  EXPECT_TRUE(pair.server.Write("x").ok());
  EXPECT_EQ(ReadFull(pair.client, 1), "x");
}

// The peer's reset arrives as an error, not as a signal.
TEST(EchoTest, WritingToNobodyIsAnErrorNotASignal) {
  Pair pair = Connect();
  EXPECT_TRUE(pair.client.Write("never read").ok());
  EXPECT_TRUE(pair.server.Close().ok());  // with data unread: a reset
  absl::Status status;
  while (status.ok()) status = pair.client.Write(std::string(1 << 16, 'x')).status();
  const std::string where = "write tcp " + testing::Ends(pair.client) + ": write: ";
  EXPECT_TRUE(status.message() == where + "broken pipe" ||
              status.message() == where + "connection reset by peer")
      << status;
}

TEST(EchoTest, ListensOnEveryAddress) {
  const net::Listener listener = ListenOrDie("tcp", ":0");
  const std::string addr = listener.Addr();
  const std::string port = addr.substr(addr.rfind(':') + 1);
  EXPECT_TRUE(addr == "[::]:" + port || addr == "0.0.0.0:" + port) << addr;
  WaitGroup wg;
  wg.Go([&] {
    const absl::StatusOr<net::Conn> conn = listener.Accept();
    ASSERT_TRUE(conn.ok()) << conn.status();
    EXPECT_EQ(conn->LocalAddr(), "127.0.0.1:" + port);
  });
  const net::Conn conn = DialOrDie("tcp", ":" + port);
  EXPECT_EQ(conn.RemoteAddr(), "127.0.0.1:" + port);
  wg.Wait();
}

}  // namespace
}  // namespace leash
