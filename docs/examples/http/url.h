// The parts of "http://HOST[:PORT][/PATH]".

#ifndef LEASH_DOCS_EXAMPLES_HTTP_URL_H_
#define LEASH_DOCS_EXAMPLES_HTTP_URL_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace http {

struct Url {
  std::string host;     // as it stands in the URL, "[::1]" in its brackets
  std::string address;  // "HOST:PORT", for leash::net::Dial
  std::string target;   // "/PATH?QUERY"
};

// ParseUrl()
//
// Fails: kInvalidArgument `want http://HOST[:PORT][/PATH], have "ftp://x"`.
absl::StatusOr<Url> ParseUrl(std::string_view text);

}  // namespace http

#endif  // LEASH_DOCS_EXAMPLES_HTTP_URL_H_
