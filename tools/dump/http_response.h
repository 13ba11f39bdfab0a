// A complete HTTP/1.1 response, taken apart.

#ifndef LEASH_TOOLS_DUMP_HTTP_RESPONSE_H_
#define LEASH_TOOLS_DUMP_HTTP_RESPONSE_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace leash::tools {

struct HttpResponse {
  int status = 0;
  std::string reason;  // "Not Found"
  std::string body;
};

// `bytes` is all that the server sent until it closed the connection. The body is ended by its
// length, by the chunked coding, or by the end of the connection; less of it than announced is an
// error, since half a dump would look like a whole one.
absl::StatusOr<HttpResponse> ParseHttpResponse(std::string_view bytes);

}  // namespace leash::tools

#endif  // LEASH_TOOLS_DUMP_HTTP_RESPONSE_H_
