// Dial: addresses, refusals, cancellation.

#include <gtest/gtest.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <vector>

#include "leash/chan.h"
#include "leash/context.h"
#include "leash/go.h"
#include "leash/net.h"
#include "leash/sync.h"
#include "leash/time.h"
#include "runtime/net/net_test_support.h"
#include "support/wait_until_blocked.h"

namespace leash {
namespace {

using testing::DialOrDie;
using testing::ListenOrDie;

std::string DialError(std::string_view network, std::string_view address) {
  return net::Dial(Context::Background(), network, address).status().ToString();
}

std::string ListenError(std::string_view network, std::string_view address) {
  return net::Listen(network, address).status().ToString();
}

// A port whose backlog is full: the kernel answers no connection to it any more.
class FullPort {
 public:
  FullPort() {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(listener_, 0), 0);
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    address_ = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
    for (int i = 0; i < 4; ++i) {
      const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
      const int begun = connect(fd, reinterpret_cast<sockaddr*>(&address), size);
      EXPECT_TRUE(begun == 0 || errno == EINPROGRESS);
      fds_.push_back(fd);
    }
  }
  ~FullPort() {
    for (int fd : fds_) close(fd);
    close(listener_);
  }
  const std::string& address() const { return address_; }

 private:
  int listener_;
  std::vector<int> fds_;
  std::string address_;
};

TEST(DialTest, ACancelEndsIt) {
  const FullPort port;
  auto [ctx, cancel] = WithCancel(Context::Background());
  const Chan<uint64_t> ids = MakeChan<uint64_t>(1);
  WaitGroup wg;
  wg.Go([&, ctx = ctx] {
    ids.Send(GoroutineId());
    EXPECT_EQ(net::Dial(ctx, "tcp", port.address()).status().ToString(),
              "CANCELLED: dial tcp " + port.address() + ": operation was canceled");
  });
  testing::WaitUntilBlocked(*ids.Recv(), "IO wait");
  cancel();
  wg.Wait();
}

TEST(DialTest, ADeadlineEndsIt) {
  const FullPort port;
  const absl::Time start = Now();
  auto [ctx, cancel] = WithTimeout(Context::Background(), absl::Milliseconds(5));
  EXPECT_EQ(net::Dial(ctx, "tcp", port.address()).status().ToString(),
            "DEADLINE_EXCEEDED: dial tcp " + port.address() + ": i/o timeout");
  EXPECT_GE(Now() - start, absl::Milliseconds(5));
}

TEST(DialTest, AnEndedContextDialsNobody) {
  const net::Listener listener = ListenOrDie("tcp", "127.0.0.1:0");
  auto [ctx, cancel] = WithCancel(Context::Background());
  cancel();
  EXPECT_EQ(net::Dial(ctx, "tcp", listener.Addr()).status().ToString(),
            "CANCELLED: dial tcp " + listener.Addr() + ": operation was canceled");
}

TEST(DialTest, CancelRacesWithSuccess) {
  const net::Listener listener = ListenOrDie("tcp", "127.0.0.1:0");
  WaitGroup accepting;
  accepting.Go([&] {
    while (listener.Accept().ok()) {
    }
  });
  for (int i = 0; i < 200; ++i) {
    auto [ctx, cancel] = WithCancel(Context::Background());
    WaitGroup wg;
    wg.Go([cancel = cancel] { cancel(); });
    const absl::StatusOr<net::Conn> conn = net::Dial(ctx, "tcp", listener.Addr());
    wg.Wait();
    if (conn.ok()) {
      EXPECT_TRUE(conn->Write("x").ok());  // not touched by the late cancel
    } else {
      EXPECT_EQ(conn.status().code(), absl::StatusCode::kCancelled);
    }
  }
  EXPECT_TRUE(listener.Close().ok());
  accepting.Wait();
}

TEST(DialTest, ARefusalSaysSo) {
  std::string address;
  {
    const net::Listener listener = ListenOrDie("tcp", "127.0.0.1:0");
    address = listener.Addr();
  }
  EXPECT_EQ(DialError("tcp", address),
            "UNAVAILABLE: dial tcp " + address + ": connect: connection refused");
}

TEST(DialTest, NamesAreLookedUp) {
  addrinfo* known = nullptr;
  if (getaddrinfo("localhost", nullptr, nullptr, &known) != 0) {
    GTEST_SKIP() << "this machine knows no name: it has no /etc/hosts, say";
  }
  freeaddrinfo(known);
  const net::Listener listener = ListenOrDie("tcp", "localhost:0");
  EXPECT_EQ(listener.Addr().rfind("127.0.0.1:", 0), 0u) << listener.Addr();
  WaitGroup wg;
  wg.Go([&] { EXPECT_TRUE(listener.Accept().ok()); });
  const net::Conn conn = DialOrDie("tcp", "localhost" + listener.Addr().substr(9));
  EXPECT_EQ(conn.RemoteAddr(), listener.Addr());
  wg.Wait();
}

TEST(DialTest, Ipv6) {
  absl::StatusOr<net::Listener> listener = net::Listen("tcp", "[::1]:0");
  if (!listener.ok()) GTEST_SKIP() << "no IPv6 here: " << listener.status();
  EXPECT_EQ(listener->Addr().rfind("[::1]:", 0), 0u);
  WaitGroup wg;
  wg.Go([&] { EXPECT_TRUE(listener->Accept().ok()); });
  const net::Conn conn = DialOrDie("tcp6", listener->Addr());
  EXPECT_EQ(conn.RemoteAddr(), listener->Addr());
  wg.Wait();
}

TEST(DialTest, WhatCannotBeReadIsRefusedWithItsReason) {
  EXPECT_EQ(DialError("udp", "127.0.0.1:1"), "INVALID_ARGUMENT: dial udp: unknown network udp");
  EXPECT_EQ(ListenError("pipe", "x"), "INVALID_ARGUMENT: listen pipe: unknown network pipe");
  EXPECT_EQ(DialError("tcp", "127.0.0.1"),
            "INVALID_ARGUMENT: dial tcp: address 127.0.0.1: missing port in address");
  EXPECT_EQ(ListenError("tcp", "::1:80"),
            "INVALID_ARGUMENT: listen tcp: address ::1:80: too many colons in address");
  EXPECT_EQ(DialError("tcp", "127.0.0.1:99999"),
            "INVALID_ARGUMENT: dial tcp: address 99999: invalid port");
  EXPECT_EQ(DialError("tcp", "127.0.0.1:no-such-service"),
            "INVALID_ARGUMENT: dial tcp: lookup tcp/no-such-service: unknown port");
  EXPECT_EQ(DialError("tcp6", "127.0.0.1:80"),
            "INVALID_ARGUMENT: dial tcp6: address 127.0.0.1: no suitable address");
}

TEST(DialTest, AnAddressInUseSaysSo) {
  const net::Listener listener = ListenOrDie("tcp", "127.0.0.1:0");
  EXPECT_EQ(ListenError("tcp", listener.Addr()),
            "ALREADY_EXISTS: listen tcp " + listener.Addr() + ": bind: address already in use");
}

}  // namespace
}  // namespace leash
