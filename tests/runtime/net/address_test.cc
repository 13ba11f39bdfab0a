#include "net/address.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace leash::rt {
namespace {

std::string Split(std::string_view text) {
  const absl::StatusOr<HostPort> parts = SplitHostPort(text);
  if (!parts.ok()) return std::string(parts.status().message());
  return "<" + std::string(parts->host) + "><" + std::string(parts->port) + ">";
}

TEST(AddressTest, SplitsAsGo) {
  EXPECT_EQ(Split("127.0.0.1:80"), "<127.0.0.1><80>");
  EXPECT_EQ(Split("localhost:http"), "<localhost><http>");
  EXPECT_EQ(Split(":0"), "<><0>");
  EXPECT_EQ(Split("[::1]:80"), "<::1><80>");
  EXPECT_EQ(Split("[fe80::1%eth0]:80"), "<fe80::1%eth0><80>");
  EXPECT_EQ(Split("host:"), "<host><>");
  EXPECT_EQ(Split("host"), "address host: missing port in address");
  EXPECT_EQ(Split(""), "address : missing port in address");
  EXPECT_EQ(Split("::1:80"), "address ::1:80: too many colons in address");
  EXPECT_EQ(Split("[::1]"), "address [::1]: missing port in address");
  EXPECT_EQ(Split("[::1]80"), "address [::1]80: missing port in address");
  EXPECT_EQ(Split("[::1]:1:2"), "address [::1]:1:2: too many colons in address");
  EXPECT_EQ(Split("[::1:80"), "address [::1:80: missing ']' in address");
  EXPECT_EQ(Split("a[b:80"), "address a[b:80: unexpected '[' in address");
  EXPECT_EQ(Split("a]b:80"), "address a]b:80: unexpected ']' in address");
}

TEST(AddressTest, PortsAreNumbers) {
  uint32_t port = 1;
  EXPECT_TRUE(ParsePort("", &port));
  EXPECT_EQ(port, 0u);
  EXPECT_TRUE(ParsePort("65535", &port));
  EXPECT_EQ(port, 65535u);
  EXPECT_TRUE(ParsePort("99999999999999999999", &port));
  EXPECT_GT(port, 65535u);
  EXPECT_FALSE(ParsePort("http", &port));
  EXPECT_FALSE(ParsePort("-1", &port));
}

TEST(AddressTest, TextsAreThoseOfGo) {
  EXPECT_EQ(ParseIp("127.0.0.1", 80).Text(), "127.0.0.1:80");
  EXPECT_EQ(ParseIp("::1", 80).Text(), "[::1]:80");
  EXPECT_EQ(ParseIp("::", 0).Text(), "[::]:0");
  EXPECT_EQ(ParseIp("::ffff:10.0.0.1", 1).Text(), "10.0.0.1:1");
  EXPECT_EQ(ParseIp("fe80::1%lo", 1).Text(), "[fe80::1%lo]:1");
  EXPECT_EQ(ParseIp("localhost", 1).Text(), "");
  EXPECT_EQ(ParseIp("127.0.0", 1).Text(), "");
  EXPECT_TRUE(ParseIp("::", 1).IsWildcard());
  EXPECT_TRUE(ParseIp("0.0.0.0", 1).IsWildcard());
  EXPECT_FALSE(ParseIp("::1", 1).IsWildcard());
}

TEST(AddressTest, PathsOfUnixSockets) {
  EXPECT_EQ(Address::Unix("/run/app.sock")->Text(), "/run/app.sock");
  EXPECT_EQ(Address::Unix("@name")->Text(), "@name");
  EXPECT_EQ(Address::Unix("@name")->path.sun_path[0], '\0');
  EXPECT_EQ(Address::Unix(std::string(107, 'p'))->Text(), std::string(107, 'p'));
  EXPECT_EQ(Address::Unix("@" + std::string(107, 'p'))->Text(), "@" + std::string(107, 'p'));
  EXPECT_FALSE(Address::Unix(std::string(108, 'p')).ok());
}

}  // namespace
}  // namespace leash::rt
