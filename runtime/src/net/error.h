// Errors of connections, in Go's words: OP NETWORK [SOURCE->]ADDRESS: CAUSE.

#ifndef LEASH_NET_ERROR_H_
#define LEASH_NET_ERROR_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace leash::rt {

// What was done to which connection. Empty texts are left out.
struct OpContext {
  std::string_view op;       // "read"
  std::string_view network;  // "tcp"
  std::string source;        // the local address
  std::string address;       // the remote one, or where one listens
};

// The same status with the operation in front of its message.
absl::Status OpError(const OpContext& context, const absl::Status& cause);

// A cause: "CALL: text of the error", with the error's code.
absl::Status SyscallError(std::string_view call, int error);

// Go's well-known causes.
absl::Status ClosedError();    // "use of closed network connection"
absl::Status TimeoutError();   // "i/o timeout"
absl::Status CanceledError();  // "operation was canceled"

}  // namespace leash::rt

#endif  // LEASH_NET_ERROR_H_
