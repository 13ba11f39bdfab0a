// A dump of a live process, over HTTP.

#ifndef LEASH_TOOLS_DUMP_FETCH_H_
#define LEASH_TOOLS_DUMP_FETCH_H_

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "leash/snapshot.h"

namespace leash::tools {

// Where a debug server listens.
struct Endpoint {
  std::string host;  // empty for a Unix socket
  std::string port;
  std::string path;  // of a Unix socket
};

// "HOST:PORT", ":PORT" (this machine), "[IPV6]:PORT", each with or without "http://"; "unix:PATH".
std::optional<Endpoint> ParseEndpoint(std::string_view target);

// Asks for leash's own snapshot; where there is none (a Go program), for Go's goroutines, or with
// `leaked` for its goroutineleak profile first. Errors: "fetch 127.0.0.1:6060: connect: ...".
absl::StatusOr<Snapshot> FetchSnapshot(const Endpoint& endpoint, std::string_view target,
                                       bool leaked);

}  // namespace leash::tools

#endif  // LEASH_TOOLS_DUMP_FETCH_H_
