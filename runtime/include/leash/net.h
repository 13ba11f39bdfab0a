// TCP and Unix sockets: one goroutine for each connection, written as if every call blocked.
//
//     absl::StatusOr<leash::net::Listener> listener = leash::net::Listen("tcp", "127.0.0.1:0");
//     while (true) {
//       absl::StatusOr<leash::net::Conn> conn = listener->Accept();
//       if (!conn.ok()) break;
//       leash::go(Serve, *std::move(conn));
//     }
//
// A goroutine that waits here is shown in dumps as [IO wait], and holds no thread.
//
// Networks are "tcp" (with "tcp4" and "tcp6") and "unix". Addresses are HOST:PORT, [IPV6]:PORT or
// :PORT, where HOST is a number or a name; or the path of a Unix socket, "@name" for one in Linux's
// abstract namespace.
//
// Errors read as Go's: "read tcp 127.0.0.1:41036->127.0.0.1:80: i/o timeout". Their codes:
//   kDeadlineExceeded     "i/o timeout": the deadline has passed
//   kFailedPrecondition   "use of closed network connection": Close has been called
//   kCancelled            "operation was canceled": the context of Dial
//   kInvalidArgument      the network or address cannot be read
//   kNotFound             "no such host"
//   kAlreadyExists        "address already in use"
//   else the code of the system's errno (absl::ErrnoToStatusCode; kUnavailable where that is
//   kFailedPrecondition, as for "broken pipe"), with its text. No signal is raised for a broken
//   pipe.

#ifndef LEASH_NET_H_
#define LEASH_NET_H_

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "leash/context.h"

namespace leash {

namespace rt {
class NetFd;
}  // namespace rt

namespace net {

class Conn;
class Listener;

// Listen()
//
// Makes a socket that accepts connections. Port 0 picks a free one: see Listener::Addr(). Without a
// host it listens on all addresses of the machine. Blocks only to look up a name.
// Fails: "listen tcp 127.0.0.1:80: bind: permission denied".
[[nodiscard]] absl::StatusOr<Listener> Listen(std::string_view network, std::string_view address);

// Dial()
//
// Connects. Blocks until connected, refused, or `ctx` has ended. Where a name has several addresses
// they are tried in turn. TCP_NODELAY is set.
// Fails: "dial tcp 127.0.0.1:1: connect: connection refused",
//     "dial tcp 10.1.2.3:80: operation was canceled", "dial tcp 10.1.2.3:80: i/o timeout".
[[nodiscard]] absl::StatusOr<Conn> Dial(const Context& ctx, std::string_view network,
                                        std::string_view address);

// Conn
//
// One connection. Its calls may be made by several goroutines at the same time: reads wait for each
// other, and so do writes. Move-only; destroying it closes it, and no call on it may be under way
// then.
class Conn {
 public:
  Conn() noexcept;  // every call fails with "use of closed network connection"
  Conn(Conn&& other) noexcept;
  Conn& operator=(Conn&& other) noexcept;
  ~Conn();

  // Conn::Read()
  //
  // Blocks until there is something to read, and reads up to buffer.size() bytes. Returns how many;
  // 0 at the end of the stream (and for an empty buffer).
  // Memory ordering: what precedes any Write in this process is visible after any later Read.
  absl::StatusOr<size_t> Read(absl::Span<char> buffer) const;

  // Conn::Write()
  //
  // Writes all of `data`, blocking while the peer does not read, and returns its size; or an error,
  // and then part of it may have been written.
  absl::StatusOr<size_t> Write(std::string_view data) const;

  // Conn::SetDeadline(), SetReadDeadline(), SetWriteDeadline()
  //
  // From `deadline` on, reads or writes (or both) that would block fail with "i/o timeout", those
  // that wait now too. absl::InfiniteFuture() takes it away. Never blocks.
  void SetDeadline(absl::Time deadline) const;
  void SetReadDeadline(absl::Time deadline) const;
  void SetWriteDeadline(absl::Time deadline) const;

  // Conn::CloseWrite()
  //
  // Ends the stream to the peer, whose Read returns 0 when it has read the rest. Reading goes on.
  absl::Status CloseWrite() const;

  // Conn::Close()
  //
  // Closes the connection. Calls that wait on it return "use of closed network connection"; Close
  // returns when the last of them has let go.
  absl::Status Close() const;

  // "127.0.0.1:41036", "[::1]:80", "/run/app.sock", "@name"; "@" for a Unix socket without a name.
  std::string LocalAddr() const;
  std::string RemoteAddr() const;

 private:
  friend class Listener;
  friend absl::StatusOr<Conn> Dial(const Context&, std::string_view, std::string_view);
  explicit Conn(std::shared_ptr<rt::NetFd> fd) noexcept;

  std::shared_ptr<rt::NetFd> fd_;
};

// Listener
//
// Accepts connections. Move-only; destroying it closes it, and no call on it may be under way then.
class Listener {
 public:
  Listener() noexcept;  // every call fails with "use of closed network connection"
  Listener(Listener&& other) noexcept;
  Listener& operator=(Listener&& other) noexcept;
  ~Listener();

  // Listener::Accept()
  //
  // Blocks until somebody connects. Several goroutines may accept at the same time.
  // Fails: "accept tcp 127.0.0.1:80: use of closed network connection", or with the system's error
  // when descriptors run out ("too many open files"): that one passes, so wait a little and go on.
  absl::StatusOr<Conn> Accept() const;

  // Listener::Close()
  //
  // Stops accepting. An Accept that waits returns "use of closed network connection". The path of a
  // Unix socket is removed.
  absl::Status Close() const;

  // Where it listens, with the port that was picked: "127.0.0.1:41036", "/run/app.sock", "@name".
  std::string Addr() const;

 private:
  friend absl::StatusOr<Listener> Listen(std::string_view, std::string_view);
  explicit Listener(std::shared_ptr<rt::NetFd> fd) noexcept;

  std::shared_ptr<rt::NetFd> fd_;
};

}  // namespace net
}  // namespace leash

#endif  // LEASH_NET_H_
