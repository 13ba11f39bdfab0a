// Numbers and quoted texts, appended to a string.

#include "model/text.h"

namespace leash::internal {
namespace {

constexpr char kHexDigits[] = "0123456789abcdef";

void AppendHexDigits(uint32_t value, int digits, std::string* out) {
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) {
    out->push_back(kHexDigits[(value >> shift) & 15]);
  }
}

// Close to Go's unicode.IsPrint: what moves or hides text is escaped, all else is shown. The whole
// table of unassigned code points is not worth carrying for a label in a dump.
bool IsPrintable(uint32_t c) {
  if (c < 0x20 || (c >= 0x7f && c <= 0xa0) || c == 0xad) return false;
  if (c == 0x61c || c == 0x1680 || c == 0x180e || c == 0x3000 || c == 0xfeff) return false;
  if (c >= 0x2000 && c <= 0x200f) return false;
  if (c >= 0x2028 && c <= 0x202f) return false;
  if (c >= 0x205f && c <= 0x206f) return false;
  if (c >= 0xd800 && c <= 0xf8ff) return false;  // surrogates, private use
  if (c >= 0xfff0 && c <= 0xfffb) return false;
  if ((c & 0xfffe) == 0xfffe) return false;
  return c < 0xe0000;
}

}  // namespace

CodePoint DecodeUtf8(std::string_view text) {
  if (text.empty()) return {};
  auto at = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const uint32_t first = at(0);
  if (first < 0x80) return {first, 1};
  int bytes;
  uint32_t value, least;
  if ((first & 0xe0) == 0xc0) {
    bytes = 2, value = first & 0x1f, least = 0x80;
  } else if ((first & 0xf0) == 0xe0) {
    bytes = 3, value = first & 0x0f, least = 0x800;
  } else if ((first & 0xf8) == 0xf0) {
    bytes = 4, value = first & 0x07, least = 0x10000;
  } else {
    return {};
  }
  if (text.size() < static_cast<size_t>(bytes)) return {};
  for (int i = 1; i < bytes; ++i) {
    if ((at(i) & 0xc0) != 0x80) return {};
    value = value << 6 | (at(i) & 0x3f);
  }
  if (value < least || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff)) return {};
  return {value, bytes};
}

void AppendUtf8(uint32_t c, std::string* out) {
  if (c < 0x80) {
    out->push_back(static_cast<char>(c));
  } else if (c < 0x800) {
    out->push_back(static_cast<char>(0xc0 | c >> 6));
    out->push_back(static_cast<char>(0x80 | (c & 0x3f)));
  } else if (c < 0x10000) {
    out->push_back(static_cast<char>(0xe0 | c >> 12));
    out->push_back(static_cast<char>(0x80 | (c >> 6 & 0x3f)));
    out->push_back(static_cast<char>(0x80 | (c & 0x3f)));
  } else {
    out->push_back(static_cast<char>(0xf0 | c >> 18));
    out->push_back(static_cast<char>(0x80 | (c >> 12 & 0x3f)));
    out->push_back(static_cast<char>(0x80 | (c >> 6 & 0x3f)));
    out->push_back(static_cast<char>(0x80 | (c & 0x3f)));
  }
}

void AppendGoQuoted(std::string_view text, std::string* out) {
  out->push_back('"');
  while (!text.empty()) {
    const CodePoint c = DecodeUtf8(text);
    if (c.bytes == 0) {
      *out += "\\x";
      AppendHexDigits(static_cast<unsigned char>(text[0]), 2, out);
      text.remove_prefix(1);
      continue;
    }
    if (c.value == '"' || c.value == '\\') {
      out->push_back('\\');
      out->push_back(static_cast<char>(c.value));
    } else if (IsPrintable(c.value)) {
      out->append(text.substr(0, c.bytes));
    } else if (c.value >= 7 && c.value <= 13) {
      out->push_back('\\');
      out->push_back("abtnvfr"[c.value - 7]);
    } else if (c.value < 0x20 || c.value == 0x7f) {
      *out += "\\x";
      AppendHexDigits(c.value, 2, out);
    } else if (c.value < 0x10000) {
      *out += "\\u";
      AppendHexDigits(c.value, 4, out);
    } else {
      *out += "\\U";
      AppendHexDigits(c.value, 8, out);
    }
    text.remove_prefix(c.bytes);
  }
  out->push_back('"');
}

void AppendJsonString(std::string_view text, std::string* out) {
  out->push_back('"');
  size_t plain = 0;  // where the bytes that need no escape begin
  size_t i = 0;
  auto flush = [&] { out->append(text.substr(plain, i - plain)); };
  while (i < text.size()) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\') {
      ++i;
      continue;
    }
    int bytes = 1;
    if (byte >= 0x80) {
      const CodePoint c = DecodeUtf8(text.substr(i));
      if (c.bytes > 0) {
        i += static_cast<size_t>(c.bytes);
        continue;
      }
      flush();
      *out += "\\udc";
      AppendHexDigits(byte, 2, out);
    } else {
      flush();
      switch (byte) {
        case '"':
          *out += "\\\"";
          break;
        case '\\':
          *out += "\\\\";
          break;
        case '\n':
          *out += "\\n";
          break;
        case '\t':
          *out += "\\t";
          break;
        default:
          *out += "\\u";
          AppendHexDigits(byte, 4, out);
      }
    }
    i += static_cast<size_t>(bytes);
    plain = i;
  }
  flush();
  out->push_back('"');
}

}  // namespace leash::internal
