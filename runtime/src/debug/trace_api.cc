// Trace, Region, TraceLog: the public face of the execution trace.

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/raw_print.h"
#include "debug/trace_session.h"
#include "leash/debug.h"
#include "leash/internal/trace_stream.h"
#include "sched/park.h"
#include "sched/raw_syscall.h"
#include "sched/trace.h"

namespace leash::debug {

absl::Status StartTrace(std::string_view path) { return rt::BeginTraceFile(path).status(); }
absl::Status StopTrace() { return rt::EndTrace(0); }

Trace::Trace(std::string_view path) {
  const absl::StatusOr<uint64_t> number = rt::BeginTraceFile(path);
  if (number.ok()) {
    number_ = *number;
  } else {
    status_ = number.status();
  }
}

Trace::Trace(Trace&& other) noexcept
    : number_(std::exchange(other.number_, 0)), status_(std::move(other.status_)) {}

Trace::~Trace() {
  if (number_ == 0) return;
  if (const absl::Status status = Stop(); !status.ok()) {
    rt::RawPrinter() << "leash: " << std::string(status.message()) << "\n";
  }
}

absl::Status Trace::Stop() {
  if (number_ != 0) status_ = rt::EndTrace(std::exchange(number_, 0));
  return status_;
}

Region::Region(std::string_view name) {
  if (!rt::TraceOn()) return;
  if (rt::TraceText(rt::CurrentG(), rt::TraceKind::kRegionBegin, name)) {
    trace_ = rt::trace_switches.generation.load(std::memory_order_relaxed);
  }
}

void Region::End() {
  const uint64_t trace = std::exchange(trace_, 0);
  if (trace == 0 || !rt::TraceOn()) return;
  if (trace != rt::trace_switches.generation.load(std::memory_order_relaxed)) return;
  rt::TraceSelf(rt::CurrentG(), rt::TraceKind::kRegionEnd);
}

void TraceLog(std::string_view category, std::string_view message) {
  if (!rt::TraceOn()) return;
  // Both as one text, cut where a record ends.
  char text[rt::kTraceTextMax];
  const size_t bytes = category.copy(text, sizeof(text));
  const size_t more = message.copy(text + bytes, sizeof(text) - bytes);
  rt::TraceText(rt::CurrentG(), rt::TraceKind::kLog, {text, bytes + more}, bytes);
}

}  // namespace leash::debug

namespace leash::internal {

absl::StatusOr<TraceStream> TraceStream::Start(absl::Duration duration) {
  int fds[2];
  const int made = rt::raw::Pipe(fds);
  if (made < 0) return absl::ErrnoToStatus(-made, "trace: pipe");
  const auto number =
      rt::BeginTrace(fds[1], "for a debug client", absl::ToInt64Nanoseconds(duration));
  if (!number.ok()) {
    close(fds[0]);
    return number.status();
  }
  return TraceStream(fds[0], *number);
}

TraceStream::TraceStream(TraceStream&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), number_(std::exchange(other.number_, 0)) {}

TraceStream::~TraceStream() {
  if (fd_ < 0) return;
  // First: a writer that waits for room in the pipe goes on with an error.
  close(fd_);
  rt::EndTrace(number_).IgnoreError();
}

TraceStream::Piece TraceStream::Read(absl::Duration wait) {
  pollfd ready{.fd = fd_, .events = POLLIN, .revents = 0};
  const int n = poll(&ready, 1, static_cast<int>(absl::ToInt64Milliseconds(wait)));
  if (n <= 0) return {};
  const ssize_t bytes = rt::raw::Read(fd_, buffer_, sizeof(buffer_));
  if (bytes > 0) return {.bytes = {buffer_, static_cast<size_t>(bytes)}};
  return {.end = bytes != -EINTR};
}

}  // namespace leash::internal
