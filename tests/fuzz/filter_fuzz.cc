// Any text is a filter, or an error that points at one of its columns.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "leash/analyzer/filter.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const absl::StatusOr<leash::Filter> filter = leash::Filter::Parse(text);
  if (filter.ok()) return 0;
  const std::string message(filter.status().message());
  if (!message.starts_with("column ")) abort();
  const unsigned long column = std::strtoul(message.c_str() + 7, nullptr, 10);
  if (column < 1 || column > size + 1) abort();
  return 0;
}
