// debug::Serve: HTTP on threads of its own, so that it answers while every P is stuck.

#include <arpa/inet.h>
#include <httplib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "leash/analyzer/group.h"
#include "leash/analyzer/leak.h"
#include "leash/debug.h"
#include "leash/internal/debug_seam.h"
#include "metrics.h"
#include "page.h"
#include "task_queue.h"
#include "trace.h"

namespace leash::debug {
namespace {

constexpr int kThreads = 2;
constexpr std::string_view kUnixPrefix = "unix:";

// "?debug=N": 0 if it is left out, as with Go. Negative: not a number.
int DebugParameter(const httplib::Request& request) {
  if (!request.has_param("debug")) return 0;
  const std::string value = request.get_param_value("debug");
  if (value.size() != 1 || value[0] < '0' || value[0] > '3') return -1;
  return value[0] - '0';
}

// The output of `write`, passed on as it is made.
template <class Write>
void Answer(httplib::Response& response, int debug, const char* name, Write write) {
  if (debug < 0) {
    response.status = 400;
    response.set_content("debug: want 0, 1, 2 or 3\n", "text/plain; charset=utf-8");
    return;
  }
  if (debug == 0) {
    response.set_header("Content-Disposition",
                        std::string("attachment; filename=\"") + name + "\"");
  }
  response.set_header("X-Content-Type-Options", "nosniff");
  response.set_chunked_content_provider(
      debug == 0 ? "application/octet-stream" : "text/plain; charset=utf-8",
      [write](size_t, httplib::DataSink& sink) {
        write(sink.os);
        sink.os.flush();
        sink.done();
        return true;
      });
}

Snapshot ProvedLeaks() {
  Snapshot snapshot = Capture();
  ProveLeaks(snapshot);
  std::vector<uint32_t> proved;
  for (uint32_t i = 0; i < snapshot.goroutines.size(); ++i) {
    if (IsProvedLeak(snapshot.goroutines[i])) proved.push_back(i);
  }
  return CopyGoroutines(snapshot, proved);
}

void AddHandlers(httplib::Server& server) {
  server.Get("/debug/pprof", [](const httplib::Request&, httplib::Response& response) {
    response.set_redirect("/debug/pprof/");
  });
  server.Get("/debug/pprof/", [](const httplib::Request&, httplib::Response& response) {
    response.set_content(internal::PprofIndexPage(), "text/html; charset=utf-8");
  });
  server.Get("/debug/pprof/goroutine", [](const httplib::Request& request,
                                          httplib::Response& response) {
    const int debug = DebugParameter(request);
    Answer(response, debug, "goroutine", [debug](std::ostream& out) { WriteProfile(out, debug); });
  });
  server.Get("/debug/pprof/goroutineleak",
             [](const httplib::Request& request, httplib::Response& response) {
               const int debug = DebugParameter(request);
               Answer(response, debug, "goroutineleak", [debug](std::ostream& out) {
                 internal::WriteSnapshotProfile(ProvedLeaks(), debug, "goroutineleak", out);
               });
             });
  server.Get("/debug/pprof/trace", &internal::AnswerTrace);
  server.Get("/debug/leash", [](const httplib::Request&, httplib::Response& response) {
    response.set_redirect("/debug/leash/");
  });
  server.Get("/debug/leash/", [](const httplib::Request&, httplib::Response& response) {
    Snapshot snapshot = Capture();
    ProveLeaks(snapshot);
    response.set_content(internal::GroupsPage(snapshot), "text/html; charset=utf-8");
  });
  server.Get("/debug/leash/snapshot.json", [](const httplib::Request&,
                                              httplib::Response& response) {
    response.set_chunked_content_provider("application/json", [](size_t, httplib::DataSink& sink) {
      Snapshot snapshot = Capture();
      ProveLeaks(snapshot);
      internal::WriteSnapshotJson(snapshot, sink.os);
      sink.os.flush();
      sink.done();
      return true;
    });
  });
  server.set_error_handler([](const httplib::Request&, httplib::Response& response) {
    if (response.status != 404) return;
    response.set_content("404 page not found\n", "text/plain; charset=utf-8");  // as Go
  });
  server.Get("/metrics", [](const httplib::Request&, httplib::Response& response) {
    response.set_content(internal::MetricsText(), "text/plain; version=0.0.4; charset=utf-8");
  });
}

absl::Status InvalidAddress(std::string_view address, std::string_view want) {
  return absl::InvalidArgumentError("debug server: address \"" + std::string(address) +
                                    "\": want " + std::string(want));
}

absl::Status CannotListen(std::string_view address, int error) {
  return absl::UnavailableError("debug server: listen " + std::string(address) + ": " +
                                std::strerror(error));
}

}  // namespace

struct Server::Impl {
  httplib::Server http;
  std::thread listener;
  std::string address;
  std::string unix_path;  // to be removed at the end
  bool stopped = false;

  void Stop() {
    if (std::exchange(stopped, true)) return;
    http.stop();
    listener.join();
    if (!unix_path.empty()) unlink(unix_path.c_str());
  }
};

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::Server(Server&&) noexcept = default;
Server& Server::operator=(Server&& other) noexcept {
  if (this != &other) {
    Stop();
    impl_ = std::move(other.impl_);
  }
  return *this;
}
Server::~Server() { Stop(); }
std::string Server::Address() const { return impl_ != nullptr ? impl_->address : std::string(); }
void Server::Stop() {
  if (impl_ != nullptr) impl_->Stop();
}

absl::StatusOr<Server> Serve(std::string_view address) {
  internal::StartRuntime();
  auto impl = std::make_unique<Server::Impl>();
  impl->http.new_task_queue = [] { return new internal::TaskQueue(kThreads); };
  AddHandlers(impl->http);
  // Its own default has SO_REUSEPORT as well: two processes would share a port and the requests.
  impl->http.set_socket_options([](socket_t fd) {
    const int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  });
  errno = 0;
  if (address.starts_with(kUnixPrefix)) {
    const std::string path(address.substr(kUnixPrefix.size()));
    if (path.empty() || path.size() >= sizeof(sockaddr_un::sun_path)) {
      return InvalidAddress(address, "unix:PATH with a path of 1 to 107 bytes");
    }
    // What a process that is gone has left behind is taken over; what somebody listens on is not.
    struct stat info;
    if (lstat(path.c_str(), &info) == 0) {
      if (!S_ISSOCK(info.st_mode)) return CannotListen(address, EADDRINUSE);
      sockaddr_un name{};
      name.sun_family = AF_UNIX;
      path.copy(name.sun_path, sizeof(name.sun_path) - 1);
      const int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
      const bool used =
          probe >= 0 && connect(probe, reinterpret_cast<const sockaddr*>(&name), sizeof(name)) == 0;
      if (probe >= 0) close(probe);
      if (used) return CannotListen(address, EADDRINUSE);
      unlink(path.c_str());
    }
    impl->http.set_address_family(AF_UNIX);
    if (!impl->http.bind_to_port(path, 80)) return CannotListen(address, errno);
    impl->unix_path = path;
    impl->address = std::string(address);
  } else {
    const size_t colon = address.rfind(':');
    if (colon == std::string_view::npos) return InvalidAddress(address, "HOST:PORT or unix:PATH");
    std::string host(address.substr(0, colon));
    const std::string port_text(address.substr(colon + 1));
    char* end = nullptr;
    errno = 0;
    const long port = std::strtol(port_text.c_str(), &end, 10);
    if (port_text.empty() || *end != '\0' || errno != 0 || port < 0 || port > 65535) {
      return InvalidAddress(address, "a port from 0 to 65535");
    }
    const bool bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
    const std::string shown = host;
    if (bracketed) host = host.substr(1, host.size() - 2);
    if (host.empty()) host = "0.0.0.0";
    errno = 0;
    int bound = static_cast<int>(port);
    if (port == 0) {
      bound = impl->http.bind_to_any_port(host);
      if (bound < 0) return CannotListen(address, errno != 0 ? errno : EADDRNOTAVAIL);
    } else if (!impl->http.bind_to_port(host, bound)) {
      return CannotListen(address, errno != 0 ? errno : EADDRNOTAVAIL);
    }
    impl->address = (shown.empty() ? host : shown) + ":" + std::to_string(bound);
  }
  httplib::Server* http = &impl->http;
  impl->listener = internal::StartRuntimeThread([http] { http->listen_after_bind(); });
  // Until it listens a Stop would be lost.
  while (!http->is_running()) std::this_thread::yield();
  return Server(std::move(impl));
}

}  // namespace leash::debug

// Called by the runtime as it starts.
extern "C" void leash_debug_server_start() {
  const char* address = std::getenv("LEASH_DEBUG_ADDR");
  if (address == nullptr || *address == '\0') return;
  auto server = leash::debug::Serve(address);
  if (!server.ok()) {
    const std::string text =
        "leash: environment: LEASH_DEBUG_ADDR: " + std::string(server.status().message()) + "\n";
    if (write(2, text.data(), text.size()) < 0) _exit(2);
    _exit(2);
  }
  const std::string text = "leash: debug server on " + server->Address() + "\n";
  if (write(2, text.data(), text.size()) < 0) return;
  // For the life of the process: never destroyed.
  new leash::debug::Server(*std::move(server));
}
