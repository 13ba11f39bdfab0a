#include "http/url.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace http {
namespace {

bool IsPort(std::string_view text) {
  if (text.empty() || text.size() > 5) return false;
  int port = 0;
  for (char c : text) {
    if (c < '0' || c > '9') return false;
    port = 10 * port + (c - '0');
  }
  return port <= 65535;
}

// What has no place in a URL, and would have a meaning of its own in a request.
bool IsControlOrSpace(unsigned char c) { return c <= ' ' || c == 0x7f; }

}  // namespace

absl::StatusOr<Url> ParseUrl(std::string_view text) {
  const absl::Status wrong = absl::InvalidArgumentError(
      absl::StrCat("want http://HOST[:PORT][/PATH], have \"", std::string(text), "\""));
  constexpr std::string_view kScheme = "http://";
  if (text.substr(0, kScheme.size()) != kScheme) return wrong;
  if (std::any_of(text.begin(), text.end(), IsControlOrSpace)) return wrong;
  std::string_view rest = text.substr(kScheme.size());
  rest = rest.substr(0, rest.find('#'));
  const size_t authority_end = std::min(rest.find_first_of("/?"), rest.size());
  const std::string_view authority = rest.substr(0, authority_end);
  std::string_view target = rest.substr(authority_end);

  // The colon of a port stands behind the brackets of an IPv6 address.
  const size_t bracket = authority.rfind(']');
  const size_t colon = authority.find(':', bracket == authority.npos ? 0 : bracket);
  Url url;
  url.host = authority.substr(0, colon);
  if (url.host.empty()) return wrong;
  if (colon == authority.npos) {
    url.address = absl::StrCat(url.host, ":80");
  } else {
    if (!IsPort(authority.substr(colon + 1))) return wrong;
    url.address = authority;
  }
  url.target =
      absl::StrCat(target.empty() || target.front() != '/' ? "/" : "", std::string(target));
  return url;
}

}  // namespace http
