// A socket's address: the kernel's form, and Go's text of it.

#ifndef LEASH_NET_ADDRESS_H_
#define LEASH_NET_ADDRESS_H_

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace leash::rt {

struct Address {
  union {
    sockaddr base;
    sockaddr_in v4;
    sockaddr_in6 v6;
    sockaddr_un path;
  };
  socklen_t size = 0;  // 0: not known, or none

  Address() : path{} {}
  static Address V4(in_addr ip, uint16_t port);
  static Address V6(in6_addr ip, uint16_t port, uint32_t scope = 0);
  // The path of a Unix socket, "@name" for an abstract one. Fails with "invalid argument" if it is
  // too long for the kernel.
  static absl::StatusOr<Address> Unix(std::string_view path);
  // From what the kernel has filled in.
  static Address LocalOf(int fd);

  int family() const { return size == 0 ? AF_UNSPEC : base.sa_family; }
  bool IsWildcard() const;  // no particular IP address
  bool operator==(const Address& other) const;
  // "127.0.0.1:80", "[::1]:80", "[fe80::1%eth0]:80", "/run/app.sock", "@name"; "" if not known. An
  // IPv4 address in IPv6 form is shown as IPv4.
  std::string Text() const;
};

// "HOST:PORT" in its parts, as Go's net.SplitHostPort; the views point into `text`. Fails with Go's
// texts: "address HOST: missing port in address".
struct HostPort {
  std::string_view host;  // without brackets
  std::string_view port;
};
absl::StatusOr<HostPort> SplitHostPort(std::string_view text);

// A port in decimal; false if `text` is not a number. Out of range gives a number above 65535.
bool ParsePort(std::string_view text, uint32_t* port);

// An IP address in figures, with an IPv6 zone; size 0 if `host` is none.
Address ParseIp(std::string_view host, uint16_t port);

}  // namespace leash::rt

#endif  // LEASH_NET_ADDRESS_H_
