#include "base/raw_print.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace leash::rt {

RawPrinter& RawPrinter::operator<<(std::string_view text) {
  while (!text.empty()) {
    if (used_ == bytes_) Flush();
    const size_t room = Room();
    const size_t n = text.size() < room ? text.size() : room;
    std::memcpy(buffer_ + used_, text.data(), n);
    used_ += n;
    text.remove_prefix(n);
  }
  return *this;
}

RawPrinter& RawPrinter::operator<<(uint64_t value) {
  char digits[20];
  size_t at = sizeof(digits);
  do {
    digits[--at] = static_cast<char>('0' + value % 10);
    value /= 10;
  } while (value != 0);
  return *this << std::string_view(digits + at, sizeof(digits) - at);
}

RawPrinter& RawPrinter::operator<<(int64_t value) {
  if (value >= 0) return *this << static_cast<uint64_t>(value);
  return *this << "-" << (~static_cast<uint64_t>(value) + 1);
}

RawPrinter& RawPrinter::Hex(uint64_t value) {
  char digits[16];
  size_t at = sizeof(digits);
  do {
    digits[--at] = "0123456789abcdef"[value & 15];
    value >>= 4;
  } while (value != 0);
  return *this << "0x" << std::string_view(digits + at, sizeof(digits) - at);
}

[[gnu::noinline]] void RawPrinter::Flush() {
  const int saved_errno = errno;
  size_t done = 0;
  while (done < used_) {
    const ssize_t n = write(fd_, buffer_ + done, used_ - done);
    if (n > 0) {
      done += static_cast<size_t>(n);
    } else if (n == 0 || errno != EINTR) {
      break;  // nobody reads it: there is no other place to say so
    }
  }
  used_ = 0;
  errno = saved_errno;
}

}  // namespace leash::rt
