// A complete HTTP/1.1 response, taken apart.

#include "dump/http_response.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "absl/status/status.h"

namespace leash::tools {
namespace {

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool EqualIgnoringCase(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return Lower(x) == Lower(y); });
}

// Takes a line without its end.
std::optional<std::string_view> TakeLine(std::string_view* text) {
  const size_t end = text->find('\n');
  if (end == text->npos) return std::nullopt;
  std::string_view line = text->substr(0, end);
  text->remove_prefix(end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

template <class T>
bool ParseNumber(std::string_view text, T* value, int base = 10) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *value, base);
  return error == std::errc() && end != text.data();
}

absl::Status Cut(size_t want, size_t have) {
  return absl::UnavailableError("want a body of " + std::to_string(want) + " bytes, have " +
                                std::to_string(have));
}

absl::StatusOr<std::string> Unchunk(std::string_view text) {
  std::string body;
  for (;;) {
    const std::optional<std::string_view> line = TakeLine(&text);
    size_t size = 0;
    if (!line.has_value() || !ParseNumber(*line, &size, 16)) {
      return absl::UnavailableError("want the next chunk, have the end of the connection after " +
                                    std::to_string(body.size()) + " bytes");
    }
    if (size == 0) return body;
    if (text.size() < size) return Cut(body.size() + size, body.size() + text.size());
    body.append(text.substr(0, size));
    text.remove_prefix(size);
    TakeLine(&text);
  }
}

}  // namespace

absl::StatusOr<HttpResponse> ParseHttpResponse(std::string_view bytes) {
  HttpResponse response;
  const std::optional<std::string_view> first = TakeLine(&bytes);
  // HTTP/1.1 200 OK
  if (!first.has_value() || !first->starts_with("HTTP/1.") || first->size() < 12 ||
      !ParseNumber(first->substr(9, 3), &response.status)) {
    return absl::UnavailableError("want an HTTP response, have something else");
  }
  if (first->size() > 13) response.reason = first->substr(13);
  std::optional<size_t> length;
  bool chunked = false;
  for (;;) {
    const std::optional<std::string_view> line = TakeLine(&bytes);
    if (!line.has_value()) return absl::UnavailableError("want HTTP headers, have only some");
    if (line->empty()) break;
    const size_t colon = line->find(':');
    if (colon == line->npos) continue;
    const std::string_view name = line->substr(0, colon);
    std::string_view value = line->substr(colon + 1);
    value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
    if (EqualIgnoringCase(name, "content-length")) {
      size_t n = 0;
      if (ParseNumber(value, &n)) length = n;
    } else if (EqualIgnoringCase(name, "transfer-encoding")) {
      chunked = EqualIgnoringCase(value, "chunked");
    }
  }
  if (chunked) {
    absl::StatusOr<std::string> body = Unchunk(bytes);
    if (!body.ok()) return body.status();
    response.body = *std::move(body);
    return response;
  }
  if (length.has_value()) {
    if (bytes.size() < *length) return Cut(*length, bytes.size());
    bytes = bytes.substr(0, *length);
  }
  response.body = bytes;
  return response;
}

}  // namespace leash::tools
