#include "http/message.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"

namespace http {
namespace {

// More than this is no request that a person or a program means.
constexpr size_t kHeadBytesMax = 64 << 10;
constexpr size_t kRequestBodyBytesMax = 1 << 20;

absl::string_view View(std::string_view text) { return {text.data(), text.size()}; }

std::string_view Trim(std::string_view text) {
  const absl::string_view trimmed = absl::StripAsciiWhitespace(View(text));
  return {trimmed.data(), trimmed.size()};
}

absl::Status Malformed(std::string_view want, std::string_view have) {
  return absl::InvalidArgumentError(
      absl::StrCat("want ", View(want), ", have \"", View(have.substr(0, 80)), "\""));
}

// All of `text` as a number of this base.
std::optional<size_t> ParseNumber(std::string_view text, int base) {
  size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return number;
}

// "HTTP/1.1" keeps connections unless told otherwise, "HTTP/1.0" does not.
bool KeepsAlive(std::string_view version, const Headers& headers) {
  if (headers.HasWord("Connection", "close")) return false;
  return version != "HTTP/1.0" || headers.HasWord("Connection", "keep-alive");
}

absl::StatusOr<size_t> ContentLength(const Headers& headers) {
  const std::optional<std::string_view> text = headers.Find("Content-Length");
  if (!text.has_value()) return 0;
  const std::optional<size_t> length = ParseNumber(*text, 10);
  if (!length.has_value()) return Malformed("Content-Length: NUMBER", *text);
  return *length;
}

}  // namespace

void Headers::Add(std::string_view name, std::string_view value) {
  fields_.emplace_back(name, value);
}

std::optional<std::string_view> Headers::Find(std::string_view name) const {
  for (const auto& [key, value] : fields_) {
    if (absl::EqualsIgnoreCase(key, View(name))) return value;
  }
  return std::nullopt;
}

bool Headers::HasWord(std::string_view name, std::string_view word) const {
  for (const auto& [key, value] : fields_) {
    if (!absl::EqualsIgnoreCase(key, View(name))) continue;
    std::string_view rest = value;
    while (!rest.empty()) {
      const size_t comma = std::min(rest.find(','), rest.size());
      if (absl::EqualsIgnoreCase(View(Trim(rest.substr(0, comma))), View(word))) return true;
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
  }
  return false;
}

std::string_view ReasonPhrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 400:
      return "Bad Request";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 504:
      return "Gateway Timeout";
    default:
      return "Unknown";
  }
}

std::string Serialize(const Response& response, bool keep_alive) {
  return absl::StrCat("HTTP/1.1 ", response.status, " ", View(ReasonPhrase(response.status)),
                      "\r\nContent-Type: text/plain\r\nContent-Length: ", response.body.size(),
                      "\r\nConnection: ", keep_alive ? "keep-alive" : "close", "\r\n\r\n",
                      response.body);
}

absl::StatusOr<bool> Reader::Fill() {
  std::array<char, 16 << 10> bytes;
  const absl::StatusOr<size_t> count = conn_->Read(absl::MakeSpan(bytes));
  if (!count.ok()) return count.status();
  buffer_.append(bytes.data(), *count);
  has_read_ |= *count != 0;
  return *count != 0;
}

absl::StatusOr<std::optional<std::string>> Reader::ReadLine() {
  size_t end = buffer_.find('\n');
  while (end == buffer_.npos) {
    const size_t seen = buffer_.size();
    if (head_bytes_ + seen > kHeadBytesMax) {
      return absl::InvalidArgumentError("the head of the message is too long");
    }
    const absl::StatusOr<bool> more = Fill();
    if (!more.ok()) return more.status();
    if (!*more) {
      if (buffer_.empty()) return std::nullopt;
      return absl::DataLossError("the stream ended in the middle of a line");
    }
    end = buffer_.find('\n', seen);
  }
  std::string line = buffer_.substr(0, end);
  buffer_.erase(0, end + 1);
  head_bytes_ += end + 1;
  if (!line.empty() && line.back() == '\r') line.pop_back();
  return line;
}

absl::StatusOr<Headers> Reader::ReadHeaders() {
  Headers headers;
  while (true) {
    const absl::StatusOr<std::optional<std::string>> line = ReadLine();
    if (!line.ok()) return line.status();
    if (!line->has_value()) return absl::DataLossError("the stream ended among the headers");
    const std::string_view text = **line;
    if (text.empty()) return headers;
    const size_t colon = text.find(':');
    if (colon == text.npos || colon == 0) return Malformed("NAME: VALUE", text);
    headers.Add(text.substr(0, colon), Trim(text.substr(colon + 1)));
  }
}

absl::Status Reader::ReadSized(size_t size, const BodySink& sink) {
  while (size > 0) {
    if (buffer_.empty()) {
      const absl::StatusOr<bool> more = Fill();
      if (!more.ok()) return more.status();
      if (!*more) {
        return absl::DataLossError(absl::StrCat("the stream ended ", size, " bytes too early"));
      }
    }
    const size_t piece = std::min(size, buffer_.size());
    sink(std::string_view(buffer_).substr(0, piece));
    buffer_.erase(0, piece);
    size -= piece;
  }
  return absl::OkStatus();
}

absl::Status Reader::ReadChunked(const BodySink& sink) {
  while (true) {
    head_bytes_ = 0;
    const absl::StatusOr<std::optional<std::string>> line = ReadLine();
    if (!line.ok()) return line.status();
    if (!line->has_value()) return absl::DataLossError("the stream ended among the chunks");
    // Extensions may follow the size.
    const std::string_view text = **line;
    const std::optional<size_t> size = ParseNumber(Trim(text.substr(0, text.find(';'))), 16);
    if (!size.has_value()) return Malformed("the size of a chunk", text);
    if (*size == 0) return ReadHeaders().status();  // the trailer
    if (absl::Status status = ReadSized(*size, sink); !status.ok()) return status;
    const absl::StatusOr<std::optional<std::string>> end = ReadLine();
    if (!end.ok()) return end.status();
    if (*end != "") return Malformed("a line's end after the chunk", end->value_or(""));
  }
}

absl::Status Reader::ReadToEnd(const BodySink& sink) {
  while (true) {
    if (!buffer_.empty()) sink(buffer_);
    buffer_.clear();
    const absl::StatusOr<bool> more = Fill();
    if (!more.ok()) return more.status();
    if (!*more) return absl::OkStatus();
  }
}

absl::StatusOr<std::optional<Request>> Reader::ReadRequest() {
  head_bytes_ = 0;
  const absl::StatusOr<std::optional<std::string>> line = ReadLine();
  if (!line.ok()) return line.status();
  if (!line->has_value()) return std::nullopt;
  const std::string_view text = **line;
  const size_t first = text.find(' ');
  const size_t last = text.rfind(' ');
  if (first == text.npos || first == last || text.substr(last + 1, 7) != "HTTP/1.") {
    return Malformed("METHOD TARGET HTTP/1.1", text);
  }
  Request request;
  request.method = text.substr(0, first);
  request.target = text.substr(first + 1, last - first - 1);
  absl::StatusOr<Headers> headers = ReadHeaders();
  if (!headers.ok()) return headers.status();
  request.headers = *std::move(headers);
  request.keep_alive = KeepsAlive(text.substr(last + 1), request.headers);
  const absl::StatusOr<size_t> length = ContentLength(request.headers);
  if (!length.ok()) return length.status();
  if (*length > kRequestBodyBytesMax || request.headers.Find("Transfer-Encoding").has_value()) {
    return absl::InvalidArgumentError("the body of the request is too long, or chunked");
  }
  const absl::Status body =
      ReadSized(*length, [&](std::string_view piece) { request.body += piece; });
  if (!body.ok()) return body;
  return request;
}

absl::StatusOr<ResponseHead> Reader::ReadResponseHead() {
  while (true) {
    head_bytes_ = 0;
    const absl::StatusOr<std::optional<std::string>> line = ReadLine();
    if (!line.ok()) return line.status();
    if (!line->has_value()) return absl::DataLossError("the server closed the connection");
    const std::string_view text = **line;
    const size_t space = text.find(' ');
    const std::optional<size_t> status =
        space == text.npos ? std::nullopt : ParseNumber(text.substr(space + 1, 3), 10);
    if (text.substr(0, 7) != "HTTP/1." || !status.has_value()) {
      return Malformed("HTTP/1.1 STATUS REASON", text);
    }
    ResponseHead head;
    head.status = static_cast<int>(*status);
    head.reason = Trim(text.substr(std::min(space + 4, text.size())));
    absl::StatusOr<Headers> headers = ReadHeaders();
    if (!headers.ok()) return headers.status();
    head.headers = *std::move(headers);
    head.keep_alive = KeepsAlive(text.substr(0, space), head.headers);
    if (head.status >= 200) return head;
  }
}

absl::Status Reader::ReadResponseBody(ResponseHead& head, const BodySink& sink) {
  if (head.status == 204 || head.status == 304) return absl::OkStatus();
  if (head.headers.HasWord("Transfer-Encoding", "chunked")) return ReadChunked(sink);
  if (head.headers.Find("Content-Length").has_value()) {
    const absl::StatusOr<size_t> length = ContentLength(head.headers);
    if (!length.ok()) return length.status();
    return ReadSized(*length, sink);
  }
  head.keep_alive = false;
  return ReadToEnd(sink);
}

}  // namespace http
