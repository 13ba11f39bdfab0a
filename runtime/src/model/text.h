// Numbers and quoted texts, appended to a string.

#ifndef LEASH_MODEL_TEXT_H_
#define LEASH_MODEL_TEXT_H_

#include <charconv>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace leash::internal {

template <std::integral T>
void AppendInt(T value, std::string* out) {
  char digits[24];
  out->append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}

// "0x" and lower-case hexadecimal digits.
inline void AppendHex(uint64_t value, std::string* out) {
  char digits[20] = {'0', 'x'};
  out->append(digits, std::to_chars(digits + 2, digits + sizeof digits, value, 16).ptr);
}

// In double quotes and escaped as Go's strconv.Quote does it: printable UTF-8 stays as it is.
void AppendGoQuoted(std::string_view text, std::string* out);

// In double quotes, as JSON. A byte that is not UTF-8 becomes the escape \udcXX, a lone surrogate
// that no UTF-8 text can hold, so that every text comes back byte for byte.
void AppendJsonString(std::string_view text, std::string* out);

// The code point at the start of `text` and its length in bytes; length 0: not UTF-8 (or empty).
struct CodePoint {
  uint32_t value = 0;
  int bytes = 0;
};
CodePoint DecodeUtf8(std::string_view text);

// Appends the UTF-8 form of a code point.
void AppendUtf8(uint32_t code_point, std::string* out);

}  // namespace leash::internal

#endif  // LEASH_MODEL_TEXT_H_
