// leash::net::Listen and Listener.

#include <sys/socket.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "leash/net.h"
#include "net/error.h"
#include "net/net_fd.h"
#include "net/resolve.h"

namespace leash::net {

using rt::Address;
using rt::NetFd;

absl::StatusOr<Listener> Listen(std::string_view network, std::string_view address) {
  absl::StatusOr<std::vector<Address>> addresses =
      rt::Resolve(Context::Background(), rt::Purpose::kListen, network, address);
  if (!addresses.ok()) {
    const bool path = network == "unix";
    return rt::OpError({"listen", network, "", path ? std::string(address) : ""},
                       addresses.status());
  }
  absl::Status first_error;
  for (const Address& local : *addresses) {
    absl::StatusOr<std::shared_ptr<NetFd>> fd = NetFd::Open(network, local.family());
    absl::Status cause = fd.status();
    if (cause.ok()) cause = (*fd)->ListenOn(local);
    if (cause.ok()) return Listener(*std::move(fd));
    if (first_error.ok()) first_error = rt::OpError({"listen", network, "", local.Text()}, cause);
  }
  return first_error;
}

Listener::Listener() noexcept = default;
Listener::Listener(std::shared_ptr<NetFd> fd) noexcept : fd_(std::move(fd)) {}
Listener::Listener(Listener&& other) noexcept = default;

Listener& Listener::operator=(Listener&& other) noexcept {
  Listener old(std::move(*this));
  fd_ = std::move(other.fd_);
  return *this;
}

Listener::~Listener() {
  if (fd_ != nullptr) (void)fd_->Close();  // an error says only that it is closed already
}

absl::StatusOr<Conn> Listener::Accept() const {
  if (fd_ == nullptr) return rt::OpError({"accept", "", "", ""}, rt::ClosedError());
  absl::StatusOr<std::shared_ptr<NetFd>> fd = fd_->Accept();
  if (!fd.ok()) return fd.status();
  return Conn(*std::move(fd));
}

absl::Status Listener::Close() const {
  if (fd_ == nullptr) return rt::OpError({"close", "", "", ""}, rt::ClosedError());
  return fd_->Close();
}

std::string Listener::Addr() const { return fd_ == nullptr ? "" : fd_->local().Text(); }

}  // namespace leash::net
