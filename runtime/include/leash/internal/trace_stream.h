// An execution trace that is read as it is written: what leash::debug_server hands on. Not for
// programs.

#ifndef LEASH_INTERNAL_TRACE_STREAM_H_
#define LEASH_INTERNAL_TRACE_STREAM_H_

#include <cstdint>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace leash::internal {

class TraceStream {
 public:
  // TraceStream::Start()
  //
  // Begins a trace that ends by itself after `duration`. A reader that is slow costs events, never
  // time: they find no room, and are counted.
  // Fails: kFailedPrecondition "trace: tracing already enabled".
  static absl::StatusOr<TraceStream> Start(absl::Duration duration);

  TraceStream(TraceStream&& other) noexcept;
  TraceStream& operator=(TraceStream&&) = delete;
  // Ends the trace.
  ~TraceStream();

  struct Piece {
    std::string_view bytes;  // valid until the next Read
    bool end = false;
  };
  // TraceStream::Read()
  //
  // What there is; blocks for up to `wait` where there is nothing.
  Piece Read(absl::Duration wait);

 private:
  TraceStream(int fd, uint64_t number) : fd_(fd), number_(number) {}

  int fd_;
  uint64_t number_;
  char buffer_[size_t{64} << 10];
};

}  // namespace leash::internal

#endif  // LEASH_INTERNAL_TRACE_STREAM_H_
