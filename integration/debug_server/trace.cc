// The trace as a body of chunks: one of the server's threads reads what the runtime's writer
// writes. It looks up every 100 ms, so that neither a client that goes nor the end of the server
// waits for the end of the trace.

#include "trace.h"

#include <charconv>
#include <memory>
#include <string>
#include <utility>

#include "absl/time/time.h"
#include "leash/internal/trace_stream.h"

namespace leash::internal {
namespace {

constexpr double kSecondsMax = 3600;
constexpr absl::Duration kLookUp = absl::Milliseconds(100);

// "?seconds=N", a decimal fraction too; 1 if it is left out, as with Go. 0: not a number, or too
// large.
double SecondsParameter(const httplib::Request& request) {
  if (!request.has_param("seconds")) return 1;
  const std::string text = request.get_param_value("seconds");
  double seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole && seconds > 0 && seconds <= kSecondsMax ? seconds : 0;
}

}  // namespace

void AnswerTrace(const httplib::Request& request, httplib::Response& response) {
  const double seconds = SecondsParameter(request);
  if (seconds == 0) {
    response.status = 400;
    response.set_content("seconds: want a number above 0, up to 3600\n",
                         "text/plain; charset=utf-8");
    return;
  }
  auto started = TraceStream::Start(absl::Seconds(seconds));
  if (!started.ok()) {
    response.status = absl::IsFailedPrecondition(started.status()) ? 409 : 500;
    response.set_content(std::string(started.status().message()) + "\n",
                         "text/plain; charset=utf-8");
    return;
  }
  // Shared: the library copies its handlers. Goes with the response, whole or not.
  auto stream = std::make_shared<TraceStream>(std::move(*started));
  response.set_header("Content-Disposition", "attachment; filename=\"trace.pftrace\"");
  response.set_header("X-Content-Type-Options", "nosniff");
  response.set_chunked_content_provider(
      "application/octet-stream", [stream](size_t, httplib::DataSink& sink) {
        const TraceStream::Piece piece = stream->Read(kLookUp);
        if (!piece.bytes.empty()) return sink.write(piece.bytes.data(), piece.bytes.size());
        if (piece.end) sink.done();
        return sink.is_writable();  // false: the client has gone
      });
}

}  // namespace leash::internal
