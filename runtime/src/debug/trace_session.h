// One execution trace at a time: begun, written by a thread of its own, ended.

#ifndef LEASH_DEBUG_TRACE_SESSION_H_
#define LEASH_DEBUG_TRACE_SESSION_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace leash::rt {

// Begins a trace that goes to `fd`, which it closes. Returns its number, for EndTrace.
// `name` is for errors. It ends by itself after limit_ns (negative: never); EndTrace is to be
// called all the same. Fails: kFailedPrecondition where one is under way; the descriptor is closed.
absl::StatusOr<uint64_t> BeginTrace(int fd, std::string name, int64_t limit_ns);

// Opens `path` for BeginTrace; "%p" in it is the process id.
absl::StatusOr<uint64_t> BeginTraceFile(std::string_view path);

// Ends trace `number`, or whichever is under way (0), and waits until it is written.
// kFailedPrecondition: there is none. Another number than the current one's: OK, it has been ended.
absl::Status EndTrace(uint64_t number);

// LEASH_TRACE. A path that cannot be written is an error, as any value that cannot be read.
void TraceFromEnvironment();

// In the child of a fork.
void ForgetTraceSession();

}  // namespace leash::rt

#endif  // LEASH_DEBUG_TRACE_SESSION_H_
