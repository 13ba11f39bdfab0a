// leash::net::Dial.

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "leash/net.h"
#include "net/error.h"
#include "net/net_fd.h"
#include "net/resolve.h"
#include "time/clock.h"

namespace leash::net {
namespace {

using rt::Address;
using rt::NetFd;

// The part of the time left that one address gets, when `remaining` are still to be tried: an even
// share, but 2 s at least, as in Go.
absl::Time PartialDeadline(absl::Time deadline, size_t remaining) {
  if (deadline == absl::InfiniteFuture()) return deadline;
  const absl::Time now = rt::WallNow();
  const absl::Duration left = deadline - now;
  const absl::Duration share = left / static_cast<int64_t>(remaining);
  return now + std::max(share, std::min(left, absl::Seconds(2)));
}

absl::StatusOr<std::shared_ptr<NetFd>> DialOne(const Context& ctx, std::string_view network,
                                               const Address& remote, absl::Time deadline) {
  // Linux lets a socket connect to itself when the port that it picks is the one that it dials:
  // nobody listens there, so try again, as Go does.
  for (int attempt = 0;; ++attempt) {
    absl::StatusOr<std::shared_ptr<NetFd>> fd = NetFd::Open(network, remote.family());
    if (!fd.ok()) return fd;
    if (absl::Status cause = (*fd)->ConnectTo(ctx, remote, deadline); !cause.ok()) {
      (void)(*fd)->Close();
      return cause;
    }
    const bool self = remote.family() != AF_UNIX && (*fd)->local() == (*fd)->remote();
    if (!self || attempt == 2) return fd;
    (void)(*fd)->Close();
  }
}

}  // namespace

absl::StatusOr<Conn> Dial(const Context& ctx, std::string_view network, std::string_view address) {
  absl::StatusOr<std::vector<Address>> addresses =
      rt::Resolve(ctx, rt::Purpose::kDial, network, address);
  if (!addresses.ok()) {
    const bool path = network == "unix";
    return rt::OpError({"dial", network, "", path ? std::string(address) : ""}, addresses.status());
  }
  const absl::Time deadline = ctx.Deadline().value_or(absl::InfiniteFuture());
  absl::Status first_error;
  for (size_t i = 0; i < addresses->size(); ++i) {
    const Address& remote = (*addresses)[i];
    absl::Status cause;
    if (absl::Status ended = ctx.Err(); !ended.ok()) {
      cause = absl::IsCancelled(ended) ? rt::CanceledError() : rt::TimeoutError();
    } else {
      absl::StatusOr<std::shared_ptr<NetFd>> fd =
          DialOne(ctx, network, remote, PartialDeadline(deadline, addresses->size() - i));
      if (fd.ok()) return Conn(*std::move(fd));
      cause = fd.status();
    }
    if (first_error.ok()) first_error = rt::OpError({"dial", network, "", remote.Text()}, cause);
  }
  return first_error;
}

}  // namespace leash::net
