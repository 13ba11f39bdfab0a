// Names are looked up by getaddrinfo(), which blocks, uses much stack and cannot be interrupted: it
// gets a goroutine with a stack of its own size, in a declared system call. If the caller's context
// ends first, that goroutine finishes alone; it is marked as background, so no verifier blames
// anyone.

#include "net/resolve.h"

#include <netdb.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "leash/chan.h"
#include "leash/go.h"
#include "net/error.h"
#include "sched/park.h"

namespace leash::rt {
namespace {

using Addresses = std::vector<Address>;

int FamilyOf(std::string_view network) {
  if (network == "tcp4") return AF_INET;
  if (network == "tcp6") return AF_INET6;
  return AF_UNSPEC;
}

// What getaddrinfo() could not do, in Go's words. `host` is empty where only a port was looked up.
absl::Status LookupError(const std::string& host, const std::string& port, int error,
                         int error_no) {
  const std::string what = host.empty() ? absl::StrCat("tcp/", port) : host;
  const auto text = [&](std::string_view why) {
    return absl::StrCat("lookup ", what, ": ", std::string(why));
  };
  switch (error) {
    case EAI_SERVICE:
      return absl::InvalidArgumentError(absl::StrCat("lookup tcp/", port, ": unknown port"));
    case EAI_NONAME:
    case EAI_NODATA:
    case EAI_ADDRFAMILY:
      return absl::NotFoundError(text("no such host"));
    case EAI_AGAIN:
      return absl::UnavailableError(text("temporary failure in name resolution"));
    case EAI_SYSTEM:
      return SyscallError(absl::StrCat("lookup ", what), error_no);
    default:
      return absl::UnavailableError(text(gai_strerror(error)));
  }
}

// Not inlined, for the sake of errno: sched/raw_syscall.h.
[[gnu::noinline]] absl::StatusOr<Addresses> Lookup(const std::string& host, const std::string& port,
                                                   int family) {
  addrinfo hints = {};
  hints.ai_family = family;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  EnterSyscall();
  const int error = getaddrinfo(host.empty() ? nullptr : host.c_str(),
                                port.empty() ? nullptr : port.c_str(), &hints, &list);
  const int error_no = errno;
  ExitSyscall();
  if (error != 0) return LookupError(host, port, error, error_no);
  Addresses addresses;
  for (const addrinfo* a = list; a != nullptr; a = a->ai_next) {
    Address address;
    if (a->ai_family == AF_INET) {
      address.v4 = *reinterpret_cast<const sockaddr_in*>(a->ai_addr);
    } else if (a->ai_family == AF_INET6) {
      address.v6 = *reinterpret_cast<const sockaddr_in6*>(a->ai_addr);
    } else {
      continue;
    }
    address.size = a->ai_addrlen;
    addresses.push_back(address);
  }
  freeaddrinfo(list);
  if (addresses.empty()) return LookupError(host, port, EAI_NODATA, 0);
  return addresses;
}

absl::StatusOr<Addresses> LookupUnder(const Context& ctx, const std::string& host,
                                      const std::string& port, int family) {
  // Shared, so that the lookup can end whether or not anybody still waits.
  const auto result = std::make_shared<absl::StatusOr<Addresses>>(absl::UnknownError(""));
  const Chan<Unit> finished = MakeChan<Unit>(0, "name lookup");
  GoOptions options;
  options.stack_bytes = size_t{1} << 20;
  options.background = "looks up a network name";
  GoWith(options, [result, finished, host, port, family] {
    *result = Lookup(host, port, family);
    finished.Close();
  });
  if (Select(OnRecv(finished), OnDone(ctx)) == 0) return std::move(*result);
  const absl::Status ended = absl::IsCancelled(ctx.Err()) ? CanceledError() : TimeoutError();
  return absl::Status(ended.code(), absl::StrCat("lookup ", host, ": ", ended.message()));
}

}  // namespace

absl::StatusOr<Addresses> Resolve(const Context& ctx, Purpose purpose, std::string_view network,
                                  std::string_view text) {
  if (network == "unix") {
    absl::StatusOr<Address> address = Address::Unix(text);
    if (!address.ok()) {
      return SyscallError(purpose == Purpose::kListen ? "bind" : "connect", EINVAL);
    }
    return Addresses{*address};
  }
  if (network != "tcp" && network != "tcp4" && network != "tcp6") {
    return absl::InvalidArgumentError(absl::StrCat("unknown network ", std::string(network)));
  }
  const int family = FamilyOf(network);
  absl::StatusOr<HostPort> parts = SplitHostPort(text);
  if (!parts.ok()) return parts.status();
  const std::string host(parts->host);
  uint32_t port = 0;
  if (!ParsePort(parts->port, &port)) {
    absl::StatusOr<Addresses> any = LookupUnder(ctx, "", std::string(parts->port), AF_INET);
    if (!any.ok()) return any.status();
    port = ntohs(any->front().v4.sin_port);
  }
  if (port > 65535) {
    return absl::InvalidArgumentError(
        absl::StrCat("address ", std::string(parts->port), ": invalid port"));
  }
  const uint16_t port16 = static_cast<uint16_t>(port);

  if (host.empty()) {
    if (purpose == Purpose::kDial) {
      if (family == AF_INET6) return Addresses{Address::V6(in6addr_loopback, port16)};
      return Addresses{Address::V4({htonl(INADDR_LOOPBACK)}, port16)};
    }
    // IPv6's "any" takes IPv4 too; the second is for a machine without IPv6.
    Addresses any;
    if (family != AF_INET) any.push_back(Address::V6(in6addr_any, port16));
    if (family != AF_INET6) any.push_back(Address::V4({htonl(INADDR_ANY)}, port16));
    return any;
  }

  Addresses addresses;
  if (const Address ip = ParseIp(host, port16); ip.size != 0) {
    addresses = {ip};
  } else {
    absl::StatusOr<Addresses> found = LookupUnder(ctx, host, "", AF_UNSPEC);
    if (!found.ok()) return found;
    addresses = *std::move(found);
    for (Address& address : addresses) {
      (address.family() == AF_INET ? address.v4.sin_port : address.v6.sin6_port) = htons(port16);
    }
  }
  if (family != AF_UNSPEC) {
    addresses.erase(std::remove_if(addresses.begin(), addresses.end(),
                                   [&](const Address& a) { return a.family() != family; }),
                    addresses.end());
    if (addresses.empty()) {
      return absl::InvalidArgumentError(absl::StrCat("address ", host, ": no suitable address"));
    }
  }
  // As Go: a name is listened on at its first IPv4 address, if it has one.
  if (purpose == Purpose::kListen) {
    const auto v4 = std::find_if(addresses.begin(), addresses.end(),
                                 [](const Address& a) { return a.family() == AF_INET; });
    if (v4 != addresses.end()) addresses.front() = *v4;
    addresses.resize(1);
  }
  return addresses;
}

}  // namespace leash::rt
