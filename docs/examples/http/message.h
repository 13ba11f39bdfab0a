// HTTP/1.1 messages on a connection: as much of RFC 9112 as a plain client and a plain server need.
//
// Bodies come in all three forms: Content-Length, chunked, and up to the end of the stream.

#ifndef LEASH_DOCS_EXAMPLES_HTTP_MESSAGE_H_
#define LEASH_DOCS_EXAMPLES_HTTP_MESSAGE_H_

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "leash/net.h"

namespace http {

// The headers of a message, in their order.
class Headers {
 public:
  void Add(std::string_view name, std::string_view value);
  // The value of the first header of this name, in any case; nullopt: there is none.
  std::optional<std::string_view> Find(std::string_view name) const;
  // Whether a header that is a list of words has this one: Connection: keep-alive, close.
  bool HasWord(std::string_view name, std::string_view word) const;

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

struct Request {
  std::string method = "GET";
  std::string target = "/";
  bool keep_alive = true;  // what the client would like of the connection
  Headers headers;
  std::string body;
};

struct Response {
  int status = 200;
  std::string body;
};

// What a client has received of a response before its body.
struct ResponseHead {
  int status = 0;
  std::string reason;  // "Not Found"
  bool keep_alive = true;
  Headers headers;
};

// "Not Found" for 404.
std::string_view ReasonPhrase(int status);

// As they stand on the wire.
std::string Serialize(const Response& response, bool keep_alive);

// Gets a body piece by piece.
using BodySink = std::function<void(std::string_view piece)>;

// Reader
//
// Reads messages from a connection, which must outlive it. Blocks where the connection's Read does
// and fails as that does; kDataLoss where the stream ends too early, kInvalidArgument where it is
// no HTTP. Use from one goroutine.
class Reader {
 public:
  explicit Reader(const leash::net::Conn* conn) : conn_(conn) {}

  // nullopt: the client has closed the connection after its last request.
  absl::StatusOr<std::optional<Request>> ReadRequest();
  // Passes over "100 Continue" and its like.
  absl::StatusOr<ResponseHead> ReadResponseHead();
  // The body that follows this head. Clears head.keep_alive if it ends where the stream does.
  absl::Status ReadResponseBody(ResponseHead& head, const BodySink& sink);

  // Whether anything has been read: a connection that was kept and ends before that was closed
  // while nobody used it.
  bool has_read() const { return has_read_; }

 private:
  // Reads more into the buffer; false at the end of the stream.
  absl::StatusOr<bool> Fill();
  // A line without its end; nullopt: the stream has ended before it began.
  absl::StatusOr<std::optional<std::string>> ReadLine();
  absl::StatusOr<Headers> ReadHeaders();
  absl::Status ReadSized(size_t size, const BodySink& sink);
  absl::Status ReadChunked(const BodySink& sink);
  absl::Status ReadToEnd(const BodySink& sink);

  const leash::net::Conn* const conn_;
  std::string buffer_;     // read and not yet used
  size_t head_bytes_ = 0;  // of the lines of this message so far
  bool has_read_ = false;
};

}  // namespace http

#endif  // LEASH_DOCS_EXAMPLES_HTTP_MESSAGE_H_
