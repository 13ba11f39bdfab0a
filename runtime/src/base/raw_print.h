// Printing to standard error when nothing else may be trusted: no stdio, no locale, no allocation.
// Safe in signal handlers, before main, after exit began and on a full stack.

#ifndef LEASH_BASE_RAW_PRINT_H_
#define LEASH_BASE_RAW_PRINT_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace leash::rt {

// Collects text in itself and writes it with write(2) when it is full, at Flush and at its end.
class RawPrinter {
 public:
  explicit RawPrinter(int fd = 2) : RawPrinter(fd, own_, sizeof(own_)) {}
  // With room for more, which the caller owns.
  RawPrinter(int fd, char* buffer, size_t bytes) : fd_(fd), buffer_(buffer), bytes_(bytes) {}
  ~RawPrinter() { Flush(); }
  RawPrinter(const RawPrinter&) = delete;
  RawPrinter& operator=(const RawPrinter&) = delete;

  RawPrinter& operator<<(std::string_view text);
  RawPrinter& operator<<(const char* text) { return *this << std::string_view(text); }
  RawPrinter& operator<<(int64_t value);
  RawPrinter& operator<<(uint64_t value);
  RawPrinter& operator<<(int value) { return *this << static_cast<int64_t>(value); }
  RawPrinter& Hex(uint64_t value);  // "0x1f"
  void Flush();
  // What can be added before it must write.
  size_t Room() const { return bytes_ - used_; }

 private:
  int fd_;
  size_t used_ = 0;
  char* buffer_;
  size_t bytes_;
  char own_[512];
};

}  // namespace leash::rt

#endif  // LEASH_BASE_RAW_PRINT_H_
