// GET over HTTP/1.1, one request at a time, on a connection that is kept from one to the next.
//
//     http::Client client;
//     absl::StatusOr<http::ResponseHead> head = client.Get(ctx, url, [&](std::string_view piece) {
//       bytes += piece.size();
//     });

#ifndef LEASH_DOCS_EXAMPLES_HTTP_CLIENT_H_
#define LEASH_DOCS_EXAMPLES_HTTP_CLIENT_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "http/message.h"
#include "http/url.h"
#include "leash/context.h"
#include "leash/net.h"

namespace http {

// Use from one goroutine at a time.
class Client {
 public:
  // Client::Get()
  //
  // Blocks until the response has been read, or `ctx` has ended; then it returns ctx.Err(). A
  // connection that was kept and has been closed by the server meanwhile is replaced.
  absl::StatusOr<ResponseHead> Get(const leash::Context& ctx, const Url& url, const BodySink& sink);

 private:
  absl::StatusOr<ResponseHead> GetOn(const leash::Context& ctx, const Url& url,
                                     const BodySink& sink);

  std::shared_ptr<leash::net::Conn> conn_;  // null: none is open
  std::unique_ptr<Reader> reader_;          // of conn_
  std::string address_;                     // of conn_
};

}  // namespace http

#endif  // LEASH_DOCS_EXAMPLES_HTTP_CLIENT_H_
