// Texts and codes of net's errors.

#include "net/error.h"

#include <cctype>
#include <cerrno>
#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"

namespace leash::rt {
namespace {

// glibc's text with Go's lower case: "connection refused", but "RFS specific error".
std::string ErrnoText(int error) {
  const char* const description = strerrordesc_np(error);
  if (description == nullptr) return absl::StrCat("errno ", error);
  std::string text = description;
  if (text.size() > 1 && !isupper(static_cast<unsigned char>(text[1]))) {
    text[0] = static_cast<char>(tolower(static_cast<unsigned char>(text[0])));
  }
  return text;
}

// kFailedPrecondition is kept for "use of closed network connection", so that a caller can tell its
// own Close from a peer that has gone.
absl::StatusCode CodeOf(int error) {
  if (error == EADDRINUSE) return absl::StatusCode::kAlreadyExists;
  const absl::StatusCode code = absl::ErrnoToStatusCode(error);
  return code == absl::StatusCode::kFailedPrecondition ? absl::StatusCode::kUnavailable : code;
}

}  // namespace

absl::Status OpError(const OpContext& context, const absl::Status& cause) {
  std::string text(context.op);
  if (!context.network.empty()) absl::StrAppend(&text, " ", std::string(context.network));
  if (!context.source.empty()) absl::StrAppend(&text, " ", context.source);
  if (!context.address.empty()) {
    absl::StrAppend(&text, context.source.empty() ? " " : "->", context.address);
  }
  return absl::Status(cause.code(), absl::StrCat(text, ": ", cause.message()));
}

absl::Status SyscallError(std::string_view call, int error) {
  return absl::Status(CodeOf(error), absl::StrCat(std::string(call), ": ", ErrnoText(error)));
}

absl::Status ClosedError() {
  return absl::FailedPreconditionError("use of closed network connection");
}
absl::Status TimeoutError() { return absl::DeadlineExceededError("i/o timeout"); }
absl::Status CanceledError() { return absl::CancelledError("operation was canceled"); }

}  // namespace leash::rt
