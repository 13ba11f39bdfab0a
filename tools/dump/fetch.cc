// A dump of a live process, over HTTP.
//
// One GET over a socket of our own: the HTTP library that serves the other end knows no Unix
// sockets as a client in the version that Debian 12 has, and two clients would be one too many.

#include "dump/fetch.h"

#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "dump/http_response.h"
#include "leash/analyzer/read.h"

namespace leash::tools {
namespace {

constexpr int kConnectMs = 5'000;
// Between two bytes of the answer: a server that first captures millions of goroutines says nothing
// for a while.
constexpr int kSilenceMs = 60'000;

class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) {}
  ~Socket() { close(fd_); }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  int fd() const { return fd_; }

 private:
  const int fd_;
};

absl::Status ErrnoStatus(std::string_view what, int error) {
  std::string message(what);
  message += ": ";
  return absl::UnavailableError(message + std::strerror(error));
}

// Waits until the socket is ready; false with errno set when it is not in time.
bool AwaitReady(int fd, short events, int timeout_ms) {
  pollfd p = {fd, events, 0};
  int n;
  do {
    n = poll(&p, 1, timeout_ms);
  } while (n < 0 && errno == EINTR);
  if (n == 0) errno = ETIMEDOUT;
  return n > 0;
}

absl::StatusOr<std::unique_ptr<Socket>> ConnectTo(int family, const sockaddr* address,
                                                  socklen_t size) {
  const int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return ErrnoStatus("socket", errno);
  auto s = std::make_unique<Socket>(fd);
  if (connect(fd, address, size) == 0) return s;
  if (errno != EINPROGRESS) return ErrnoStatus("connect", errno);
  if (!AwaitReady(fd, POLLOUT, kConnectMs)) return ErrnoStatus("connect", errno);
  int error = 0;
  socklen_t length = sizeof error;
  getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
  if (error != 0) return ErrnoStatus("connect", error);
  return s;
}

absl::StatusOr<std::unique_ptr<Socket>> Connect(const Endpoint& endpoint) {
  if (!endpoint.path.empty()) {
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    if (endpoint.path.size() >= sizeof address.sun_path) {
      return absl::InvalidArgumentError("want a socket's path of at most " +
                                        std::to_string(sizeof address.sun_path - 1) + " bytes");
    }
    std::memcpy(address.sun_path, endpoint.path.data(), endpoint.path.size());
    return ConnectTo(AF_UNIX, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  }
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(endpoint.host.c_str(), endpoint.port.c_str(), &hints, &found);
  if (error != 0) return absl::UnavailableError(std::string("resolve: ") + gai_strerror(error));
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> list(found, freeaddrinfo);
  absl::StatusOr<std::unique_ptr<Socket>> s = absl::UnavailableError("resolve: no address");
  for (const addrinfo* a = found; a != nullptr && !s.ok(); a = a->ai_next) {
    s = ConnectTo(a->ai_family, a->ai_addr, a->ai_addrlen);
  }
  return s;
}

absl::StatusOr<HttpResponse> Get(const Endpoint& endpoint, std::string_view path) {
  absl::StatusOr<std::unique_ptr<Socket>> s = Connect(endpoint);
  if (!s.ok()) return s.status();
  const int fd = (*s)->fd();
  std::string request = "GET ";
  request += path;
  request += " HTTP/1.1\r\nHost: ";
  if (endpoint.host.find(':') != std::string::npos) {
    request += "[" + endpoint.host + "]:" + endpoint.port;
  } else {
    request += endpoint.host.empty() ? "localhost" : endpoint.host + ":" + endpoint.port;
  }
  request += "\r\nConnection: close\r\nUser-Agent: leash\r\n\r\n";
  for (std::string_view left = request; !left.empty();) {
    const ssize_t n = send(fd, left.data(), left.size(), MSG_NOSIGNAL);
    if (n > 0) {
      left.remove_prefix(static_cast<size_t>(n));
    } else if (errno == EAGAIN ? !AwaitReady(fd, POLLOUT, kSilenceMs) : errno != EINTR) {
      return ErrnoStatus("send", errno);
    }
  }
  std::string answer;
  const size_t most = ReadLimits().file_bytes;
  for (;;) {
    const size_t old = answer.size();
    if (old > most) {
      return absl::ResourceExhaustedError("want at most " + std::to_string(most) + " bytes");
    }
    answer.resize(std::max<size_t>(64 << 10, old + (old >> 1)));
    const ssize_t n = recv(fd, answer.data() + old, answer.size() - old, 0);
    answer.resize(old + static_cast<size_t>(std::max<ssize_t>(n, 0)));
    if (n == 0) break;
    if (n < 0 && (errno == EAGAIN ? !AwaitReady(fd, POLLIN, kSilenceMs) : errno != EINTR)) {
      return ErrnoStatus("receive", errno);
    }
  }
  return ParseHttpResponse(answer);
}

absl::Status Prefixed(std::string_view target, std::string_view path, const absl::Status& status) {
  std::string message = "fetch ";
  message.append(target).append(path).append(": ");
  message.append(status.message().data(), status.message().size());
  return absl::Status(status.code(), message);
}

}  // namespace

std::optional<Endpoint> ParseEndpoint(std::string_view target) {
  Endpoint endpoint;
  if (target.starts_with("unix:")) {
    endpoint.path = target.substr(5);
    return endpoint.path.empty() ? std::nullopt : std::optional(endpoint);
  }
  if (target.starts_with("http://")) target.remove_prefix(7);
  if (target.ends_with('/')) target.remove_suffix(1);
  const size_t colon = target.rfind(':');
  if (colon == target.npos) return std::nullopt;
  std::string_view host = target.substr(0, colon);
  const std::string_view port = target.substr(colon + 1);
  if (port.empty() || port.size() > 5 || port.find_first_not_of("0123456789") != port.npos) {
    return std::nullopt;
  }
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  } else if (host.find_first_of(":/") != host.npos) {
    return std::nullopt;
  }
  endpoint.host = host.empty() ? "localhost" : std::string(host);
  endpoint.port = port;
  return endpoint;
}

absl::StatusOr<Snapshot> FetchSnapshot(const Endpoint& endpoint, std::string_view target,
                                       bool leaked) {
  std::vector<std::string_view> paths = {"/debug/leash/snapshot.json"};
  // A Go program: its full text has what the other forms have not, states and ids.
  if (leaked) paths.push_back("/debug/pprof/goroutineleak?debug=2");
  paths.push_back("/debug/pprof/goroutine?debug=2");
  paths.push_back("/debug/pprof/goroutine?debug=0");
  paths.push_back("/debug/pprof/goroutine?debug=1");
  absl::Status last;
  for (std::string_view path : paths) {
    absl::StatusOr<HttpResponse> response = Get(endpoint, path);
    if (!response.ok()) return Prefixed(target, "", response.status());
    if (response->status == 200) {
      return ReadSnapshot(response->body, std::string(target) + std::string(path));
    }
    last = absl::UnavailableError("want status 200, have " + std::to_string(response->status) +
                                  " " + response->reason);
    if (response->status != 404) return Prefixed(target, path, last);
  }
  return Prefixed(target, paths.back(), last);
}

}  // namespace leash::tools
