#include "bench/number.h"

#include <cmath>
#include <cstddef>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace leash::bench {

std::string Number(double value) {
  if (std::abs(value) < 10) return absl::StrFormat("%.2f", value);
  if (std::abs(value) < 1000) return absl::StrFormat("%.1f", value);
  std::string digits = absl::StrFormat("%.0f", value);
  const auto first = static_cast<ptrdiff_t>(value < 0 ? 1 : 0);
  for (auto at = static_cast<ptrdiff_t>(digits.size()) - 3; at > first; at -= 3) {
    digits.insert(static_cast<size_t>(at), 1, ',');
  }
  return digits;
}

std::string RatioNumber(double ratio) {
  if (ratio >= 0.1) return absl::StrFormat("%.2f", ratio);
  return ratio >= 0.01 ? absl::StrFormat("%.3f", ratio) : absl::StrFormat("%.4f", ratio);
}

}  // namespace leash::bench
