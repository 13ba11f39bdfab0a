// What the tests of connections share.

#ifndef LEASH_TESTS_RUNTIME_NET_NET_TEST_SUPPORT_H_
#define LEASH_TESTS_RUNTIME_NET_NET_TEST_SUPPORT_H_

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "leash/go.h"
#include "leash/net.h"
#include "leash/sync.h"

namespace leash::testing {

inline net::Listener ListenOrDie(std::string_view network, std::string_view address) {
  absl::StatusOr<net::Listener> listener = net::Listen(network, address);
  EXPECT_TRUE(listener.ok()) << listener.status();
  return listener.ok() ? *std::move(listener) : net::Listener();
}

inline net::Conn DialOrDie(std::string_view network, std::string_view address) {
  absl::StatusOr<net::Conn> conn = net::Dial(Context::Background(), network, address);
  EXPECT_TRUE(conn.ok()) << conn.status();
  return conn.ok() ? *std::move(conn) : net::Conn();
}

// Two ends of one connection: who dialled, and who accepted.
struct Pair {
  net::Conn client;
  net::Conn server;
};

inline Pair Connect(std::string_view network = "tcp", std::string_view address = "127.0.0.1:0") {
  const net::Listener listener = ListenOrDie(network, address);
  Pair pair;
  WaitGroup wg;
  wg.Go([&] {
    absl::StatusOr<net::Conn> conn = listener.Accept();
    EXPECT_TRUE(conn.ok()) << conn.status();
    if (conn.ok()) pair.server = *std::move(conn);
  });
  pair.client = DialOrDie(network, listener.Addr());
  wg.Wait();
  return pair;
}

// Reads until `size` bytes are there, or the end.
inline std::string ReadFull(const net::Conn& conn, size_t size) {
  std::string text(size, '\0');
  size_t have = 0;
  while (have < size) {
    const absl::StatusOr<size_t> n = conn.Read(absl::MakeSpan(&text[have], size - have));
    EXPECT_TRUE(n.ok()) << n.status();
    if (!n.ok() || *n == 0) break;
    have += *n;
  }
  text.resize(have);
  return text;
}

// Writes back what it reads, to the end.
inline void Echo(const net::Conn& conn) {
  char buffer[4096];
  while (true) {
    const absl::StatusOr<size_t> n = conn.Read(absl::MakeSpan(buffer));
    if (!n.ok() || *n == 0) return;
    if (!conn.Write({buffer, *n}).ok()) return;
  }
}

// "A->B" as errors of this connection show it.
inline std::string Ends(const net::Conn& conn) {
  return conn.LocalAddr() + "->" + conn.RemoteAddr();
}

}  // namespace leash::testing

#endif  // LEASH_TESTS_RUNTIME_NET_NET_TEST_SUPPORT_H_
