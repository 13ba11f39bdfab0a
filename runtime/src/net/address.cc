// Addresses between their text and the kernel's form.

#include "net/address.h"

#include <arpa/inet.h>
#include <net/if.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"

namespace leash::rt {

Address Address::V4(in_addr ip, uint16_t port) {
  Address address;
  address.v4 = {};
  address.v4.sin_family = AF_INET;
  address.v4.sin_addr = ip;
  address.v4.sin_port = htons(port);
  address.size = sizeof address.v4;
  return address;
}

Address Address::V6(in6_addr ip, uint16_t port, uint32_t scope) {
  Address address;
  address.v6 = {};
  address.v6.sin6_family = AF_INET6;
  address.v6.sin6_addr = ip;
  address.v6.sin6_port = htons(port);
  address.v6.sin6_scope_id = scope;
  address.size = sizeof address.v6;
  return address;
}

absl::StatusOr<Address> Address::Unix(std::string_view path) {
  Address address;
  // An abstract name needs no zero at its end.
  const bool abstract = !path.empty() && path.front() == '@';
  if (path.size() + (abstract ? 0 : 1) > sizeof address.path.sun_path) {
    return absl::ErrnoToStatus(EINVAL, "");
  }
  address.path.sun_family = AF_UNIX;
  memcpy(address.path.sun_path, path.data(), path.size());
  if (abstract) address.path.sun_path[0] = '\0';
  address.size =
      static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + (abstract ? 0 : 1));
  return address;
}

Address Address::LocalOf(int fd) {
  Address address;
  address.size = sizeof address.path;
  if (getsockname(fd, &address.base, &address.size) != 0) address.size = 0;
  return address;
}

bool Address::IsWildcard() const {
  if (family() == AF_INET) return v4.sin_addr.s_addr == htonl(INADDR_ANY);
  if (family() == AF_INET6) return IN6_IS_ADDR_UNSPECIFIED(&v6.sin6_addr);
  return false;
}

bool Address::operator==(const Address& other) const {
  return size == other.size && memcmp(&path, &other.path, size) == 0;
}

std::string Address::Text() const {
  char ip[INET6_ADDRSTRLEN];
  switch (family()) {
    case AF_INET:
      inet_ntop(AF_INET, &v4.sin_addr, ip, sizeof ip);
      return absl::StrCat(ip, ":", ntohs(v4.sin_port));
    case AF_INET6: {
      if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
        inet_ntop(AF_INET, &v6.sin6_addr.s6_addr[12], ip, sizeof ip);
        return absl::StrCat(ip, ":", ntohs(v6.sin6_port));
      }
      inet_ntop(AF_INET6, &v6.sin6_addr, ip, sizeof ip);
      std::string zone;
      if (v6.sin6_scope_id != 0) {
        char name[IF_NAMESIZE];
        zone = if_indextoname(v6.sin6_scope_id, name) != nullptr
                   ? absl::StrCat("%", name)
                   : absl::StrCat("%", v6.sin6_scope_id);
      }
      return absl::StrCat("[", ip, zone, "]:", ntohs(v6.sin6_port));
    }
    case AF_UNIX: {
      const size_t length = size - offsetof(sockaddr_un, sun_path);
      if (length == 0) return "@";  // without a name
      if (path.sun_path[0] == '\0') {
        return "@" + std::string(path.sun_path + 1, length - 1);
      }
      return std::string(path.sun_path, strnlen(path.sun_path, length));
    }
    default:
      return "";
  }
}

absl::StatusOr<HostPort> SplitHostPort(std::string_view text) {
  const auto fail = [&](const char* why) {
    return absl::InvalidArgumentError(absl::StrCat("address ", std::string(text), ": ", why));
  };
  const size_t colon = text.rfind(':');
  if (colon == text.npos) return fail("missing port in address");
  HostPort parts;
  size_t open_from = 0;  // where a '[' or ']' is not expected any more
  size_t close_from = 0;
  if (!text.empty() && text.front() == '[') {
    const size_t end = text.find(']');
    if (end == text.npos) return fail("missing ']' in address");
    if (end + 1 == text.size()) return fail("missing port in address");
    if (end + 1 != colon) {
      return fail(text[end + 1] == ':' ? "too many colons in address" : "missing port in address");
    }
    parts.host = text.substr(1, end - 1);
    open_from = 1;
    close_from = end + 1;
  } else {
    parts.host = text.substr(0, colon);
    if (parts.host.find(':') != parts.host.npos) return fail("too many colons in address");
  }
  if (text.find('[', open_from) != text.npos) return fail("unexpected '[' in address");
  if (text.find(']', close_from) != text.npos) return fail("unexpected ']' in address");
  parts.port = text.substr(colon + 1);
  return parts;
}

bool ParsePort(std::string_view text, uint32_t* port) {
  uint32_t value = 0;
  for (char c : text) {
    if (c < '0' || c > '9') return false;
    if (value <= 65535) value = 10 * value + static_cast<uint32_t>(c - '0');
  }
  *port = value;  // of an empty text: 0, as in Go
  return true;
}

Address ParseIp(std::string_view host, uint16_t port) {
  const size_t percent = host.find('%');
  const std::string figures(host.substr(0, percent));
  in_addr v4;
  if (percent == host.npos && inet_pton(AF_INET, figures.c_str(), &v4) == 1) {
    return Address::V4(v4, port);
  }
  in6_addr v6;
  if (inet_pton(AF_INET6, figures.c_str(), &v6) != 1) return Address();
  uint32_t scope = 0;
  if (percent != host.npos) {
    const std::string zone(host.substr(percent + 1));
    scope = if_nametoindex(zone.c_str());
    if (scope == 0 && !ParsePort(zone, &scope)) return Address();
  }
  return Address::V6(v6, port, scope);
}

}  // namespace leash::rt
