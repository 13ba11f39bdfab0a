// Reading, writing, accepting, connecting and closing a socket.
//
// Race edges (LEASH_RACE): as in Go there is one name for all I/O of the process: what precedes any
// write is visible after any later read. A name for each connection would find more, and would be
// wrong where data comes back by another way (a second connection, a pipe, another process).
// Buffers are accesses in the eyes of the detector.

#include "net/net_fd.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/check.h"
#include "base/race.h"
#include "sched/raw_syscall.h"
#include "time/clock.h"

namespace leash::rt {
namespace {

// Go's limit for one call; Linux itself transfers a little less than 2 GiB.
constexpr size_t kTransferMax = size_t{1} << 30;

char io_token;  // names the edge from every write to every read

const char* NetworkLiteral(std::string_view network) {
  for (const char* literal : {"tcp", "tcp4", "tcp6", "unix"}) {
    if (network == literal) return literal;
  }
  return "unix";
}

// Options that accepted sockets inherit from their listener: Go's defaults for TCP.
void SetTcpDefaults(int fd) {
  const int on = 1;
  const int keepalive_s = 15;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &keepalive_s, sizeof keepalive_s);
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &keepalive_s, sizeof keepalive_s);
}

}  // namespace

NetFd::NetFd(int fd, PollDesc* desc, std::string_view network)
    : fd_(fd), desc_(desc), network_(NetworkLiteral(network)) {}

NetFd::~NetFd() {
  if (mutex_.CloseAndRef()) {
    PollClose(desc_);
    Unref();
  }
}

absl::StatusOr<std::shared_ptr<NetFd>> NetFd::Adopt(int fd, std::string_view network) {
  int error = 0;
  PollDesc* const desc = PollOpen(fd, &error);
  if (desc == nullptr) {
    raw::Close(fd);
    return SyscallError("epoll_ctl", error);
  }
  return std::shared_ptr<NetFd>(new NetFd(fd, desc, network));
}

absl::StatusOr<std::shared_ptr<NetFd>> NetFd::Open(std::string_view network, int family) {
  const int fd = raw::Socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return SyscallError("socket", -fd);
  if (family != AF_UNIX) SetTcpDefaults(fd);
  return Adopt(fd, network);
}

absl::Status NetFd::Fail(std::string_view op, const absl::Status& cause) const {
  return OpError({op, network_, remote_.size != 0 ? local_.Text() : "",
                  remote_.size != 0 ? remote_.Text() : local_.Text()},
                 cause);
}

absl::Status NetFd::CauseOf(PollResult result) {
  LEASH_CHECK(result != PollResult::kReady);
  return result == PollResult::kClosed ? ClosedError() : TimeoutError();
}

absl::StatusOr<size_t> NetFd::Read(absl::Span<char> buffer) {
  if (!mutex_.Acquire(PollMode::kRead, desc_)) return Fail("read", ClosedError());
  ssize_t n = 0;
  absl::Status cause;
  PollResult result = PollPrepare(desc_, PollMode::kRead);
  while (!buffer.empty() && result == PollResult::kReady) {
    n = raw::Recv(fd_, buffer.data(), std::min(buffer.size(), kTransferMax), 0);
    if (n >= 0) break;
    if (n == -EAGAIN) {
      result = PollWait(desc_, PollMode::kRead);
    } else if (n != -EINTR) {
      cause = SyscallError("read", static_cast<int>(-n));
      break;
    }
  }
  if (result != PollResult::kReady) cause = CauseOf(result);
  Release(PollMode::kRead);
  if (!cause.ok()) return Fail("read", cause);
  if (n > 0) race::WriteRange(buffer.data(), static_cast<size_t>(n));
  race::Acquire(&io_token);
  return static_cast<size_t>(n);
}

absl::StatusOr<size_t> NetFd::Write(std::string_view data) {
  if (!mutex_.Acquire(PollMode::kWrite, desc_)) return Fail("write", ClosedError());
  race::Release(&io_token);
  race::ReadRange(data.data(), data.size());
  size_t written = 0;
  absl::Status cause;
  PollResult result = PollPrepare(desc_, PollMode::kWrite);
  while (written < data.size() && result == PollResult::kReady) {
    const ssize_t n = raw::Send(fd_, data.data() + written,
                                std::min(data.size() - written, kTransferMax), MSG_NOSIGNAL);
    if (n >= 0) {
      written += static_cast<size_t>(n);
    } else if (n == -EAGAIN) {
      result = PollWait(desc_, PollMode::kWrite);
    } else if (n != -EINTR) {
      cause = SyscallError("write", static_cast<int>(-n));
      break;
    }
  }
  if (result != PollResult::kReady) cause = CauseOf(result);
  Release(PollMode::kWrite);
  if (!cause.ok()) return Fail("write", cause);
  return written;
}

absl::StatusOr<std::shared_ptr<NetFd>> NetFd::Accept() {
  if (!mutex_.Acquire(PollMode::kRead, desc_)) return Fail("accept", ClosedError());
  int fd = -1;
  Address remote;
  absl::Status cause;
  PollResult result = PollPrepare(desc_, PollMode::kRead);
  while (result == PollResult::kReady) {
    remote.size = sizeof remote.path;
    fd = raw::Accept4(fd_, &remote.base, &remote.size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) break;
    if (fd == -EAGAIN) {
      result = PollWait(desc_, PollMode::kRead);
    } else if (fd != -EINTR && fd != -ECONNABORTED) {  // the latter: it has gone already
      cause = SyscallError("accept4", -fd);
      break;
    }
  }
  if (result != PollResult::kReady) cause = CauseOf(result);
  Release(PollMode::kRead);
  if (!cause.ok()) return Fail("accept", cause);
  absl::StatusOr<std::shared_ptr<NetFd>> conn = Adopt(fd, network_);
  if (!conn.ok()) return Fail("accept", conn.status());
  (*conn)->remote_ = remote;
  (*conn)->local_ = local_.IsWildcard() ? Address::LocalOf(fd) : local_;
  return conn;
}

absl::Status NetFd::ListenOn(const Address& local) {
  const int on = 1;
  if (local.family() != AF_UNIX) {
    setsockopt(fd_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (local.family() == AF_INET6) {
      // All addresses of the machine means IPv4's too, unless only IPv6 was asked for.
      const bool both = local.IsWildcard() && std::string_view(network_) != "tcp6";
      const int only = both ? 0 : 1;
      setsockopt(fd_, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only);
    }
  }
  if (const int result = raw::Bind(fd_, &local.base, local.size); result < 0) {
    return SyscallError("bind", -result);
  }
  unlink_ = local.family() == AF_UNIX && local.path.sun_path[0] != '\0';
  local_ = local;
  // The kernel caps the backlog at net.core.somaxconn.
  if (const int result = raw::Listen(fd_, 65535); result < 0) {
    return SyscallError("listen", -result);
  }
  local_ = Address::LocalOf(fd_);
  return absl::OkStatus();
}

absl::Status NetFd::ConnectTo(const Context& ctx, const Address& remote, absl::Time deadline) {
  remote_ = remote;
  if (!mutex_.Acquire(PollMode::kWrite, desc_)) return ClosedError();
  if (deadline != absl::InfiniteFuture()) SetDeadline(PollMode::kWrite, deadline);
  // A cancelled context ends the wait as a deadline does. Its goroutine may come late: it holds a
  // reference of its own, and a connection that it might have touched is not given out.
  const StopFunc stop = AfterFunc(ctx, [self = shared_from_this()] {
    self->SetDeadline(PollMode::kWrite, absl::InfinitePast());
  });
  absl::Status cause = WaitConnected();
  const bool interrupted = !stop();
  Release(PollMode::kWrite);
  if (absl::Status ended = ctx.Err(); interrupted && !ended.ok()) {
    return absl::IsCancelled(ended) ? CanceledError() : TimeoutError();
  }
  if (!cause.ok()) return cause;
  SetDeadline(PollMode::kWrite, absl::InfiniteFuture());
  local_ = Address::LocalOf(fd_);
  return absl::OkStatus();
}

absl::Status NetFd::WaitConnected() {
  PollResult result = PollPrepare(desc_, PollMode::kWrite);
  if (result != PollResult::kReady) return CauseOf(result);
  const int begun = -raw::Connect(fd_, &remote_.base, remote_.size);
  if (begun == 0 || begun == EISCONN) return absl::OkStatus();
  if (begun != EINPROGRESS && begun != EALREADY && begun != EINTR) {
    return SyscallError("connect", begun);
  }
  while (true) {
    result = PollWait(desc_, PollMode::kWrite);
    if (result != PollResult::kReady) return CauseOf(result);
    int error = 0;
    if (const int failed = raw::SocketError(fd_, &error); failed < 0) {
      return SyscallError("getsockopt", -failed);
    }
    if (error == EINPROGRESS || error == EALREADY || error == EINTR) continue;
    if (error != 0 && error != EISCONN) return SyscallError("connect", error);
    // No error may also mean a spurious wake: it is connected when it has a peer.
    Address peer;
    peer.size = sizeof peer.path;
    if (getpeername(fd_, &peer.base, &peer.size) == 0) return absl::OkStatus();
  }
}

void NetFd::SetDeadline(PollMode mode, absl::Time deadline) {
  if (!mutex_.Ref()) return;
  PollSetDeadline(desc_, mode, DeadlineToMonotonic(deadline));
  Unref();
}

absl::Status NetFd::CloseWrite() {
  if (!mutex_.Ref()) return Fail("close", ClosedError());
  race::Release(&io_token);
  const int error = -raw::Shutdown(fd_, SHUT_WR);
  Unref();
  if (error != 0) return Fail("close", SyscallError("shutdown", error));
  return absl::OkStatus();
}

absl::Status NetFd::Close() {
  if (!mutex_.CloseAndRef()) return Fail("close", ClosedError());
  race::Release(&io_token);
  PollClose(desc_);
  Unref();
  // Others may still be on their way out of a call: when Close has returned, the port is free.
  G* const self = CurrentG();
  close_lock_.lock();
  if (destroyed_) {
    close_lock_.unlock();
  } else {
    closer_ = self;
    Park(WaitReason::kIOWait, desc_, &close_lock_);
  }
  return absl::OkStatus();
}

void NetFd::Destroy() {
  // Before the descriptor is closed: afterwards the path might be another listener's.
  if (unlink_) unlink(local_.path.sun_path);
  raw::Close(fd_);
  PollFree(desc_);
  G* closer;
  {
    LockHolder lock(close_lock_);
    destroyed_ = true;
    closer = closer_;
  }
  if (closer != nullptr) Ready(closer);
}

}  // namespace leash::rt
