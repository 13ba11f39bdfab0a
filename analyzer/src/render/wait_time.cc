// Wait times as people say them: two units at most, no digit that means nothing.

#include <array>
#include <string>

#include "leash/analyzer/render.h"

namespace leash {

std::string FormatWait(int64_t ns) {
  constexpr int64_t kMs = 1'000'000, kSecond = 1'000 * kMs;
  if (ns < 0) return "unknown";
  if (ns < kMs) return "0s";
  if (ns < kSecond) return std::to_string(ns / kMs) + "ms";
  if (ns < 10 * kSecond) {
    const int64_t tenths = ns / (kSecond / 10);
    std::string text = std::to_string(tenths / 10);
    if (tenths % 10 != 0) text += "." + std::to_string(tenths % 10);
    return text + "s";
  }
  struct Unit {
    char letter;
    int64_t seconds;
  };
  constexpr std::array<Unit, 4> kUnits = {{{'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}}};
  const int64_t seconds = ns / kSecond;
  for (size_t i = 0; i < kUnits.size(); ++i) {
    if (seconds < kUnits[i].seconds) continue;
    std::string text = std::to_string(seconds / kUnits[i].seconds) + kUnits[i].letter;
    if (i + 1 < kUnits.size()) {
      const int64_t rest = seconds % kUnits[i].seconds / kUnits[i + 1].seconds;
      if (rest != 0) text += std::to_string(rest) + kUnits[i + 1].letter;
    }
    return text;
  }
  return "0s";
}

}  // namespace leash
