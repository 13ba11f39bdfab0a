// leash::net::Conn.

#include <string>
#include <string_view>
#include <utility>

#include "base/race.h"
#include "leash/net.h"
#include "net/error.h"
#include "net/net_fd.h"

namespace leash::net {
namespace {

absl::Status NoConnection(std::string_view op) {
  return rt::OpError({op, "", "", ""}, rt::ClosedError());
}

}  // namespace

using rt::NetFd;
using rt::PollMode;

Conn::Conn() noexcept = default;
Conn::Conn(std::shared_ptr<NetFd> fd) noexcept : fd_(std::move(fd)) {}
Conn::Conn(Conn&& other) noexcept = default;

Conn& Conn::operator=(Conn&& other) noexcept {
  Conn old(std::move(*this));
  fd_ = std::move(other.fd_);
  return *this;
}

Conn::~Conn() {
  if (fd_ != nullptr) (void)fd_->Close();  // an error says only that it is closed already
}

absl::StatusOr<size_t> Conn::Read(absl::Span<char> buffer) const {
  const rt::race::Entry entry;
  return fd_ == nullptr ? NoConnection("read") : fd_->Read(buffer);
}

absl::StatusOr<size_t> Conn::Write(std::string_view data) const {
  const rt::race::Entry entry;
  return fd_ == nullptr ? NoConnection("write") : fd_->Write(data);
}

void Conn::SetDeadline(absl::Time deadline) const {
  SetReadDeadline(deadline);
  SetWriteDeadline(deadline);
}

void Conn::SetReadDeadline(absl::Time deadline) const {
  if (fd_ != nullptr) fd_->SetDeadline(PollMode::kRead, deadline);
}

void Conn::SetWriteDeadline(absl::Time deadline) const {
  if (fd_ != nullptr) fd_->SetDeadline(PollMode::kWrite, deadline);
}

absl::Status Conn::CloseWrite() const {
  return fd_ == nullptr ? NoConnection("close") : fd_->CloseWrite();
}

absl::Status Conn::Close() const { return fd_ == nullptr ? NoConnection("close") : fd_->Close(); }

std::string Conn::LocalAddr() const { return fd_ == nullptr ? "" : fd_->local().Text(); }
std::string Conn::RemoteAddr() const { return fd_ == nullptr ? "" : fd_->remote().Text(); }

}  // namespace leash::net
