#include "downloader/report.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace downloader {

std::string FormatSize(uint64_t bytes) {
  if (bytes < 1024) return absl::StrCat(bytes, "B");
  double size = static_cast<double>(bytes) / 1024;
  const char* const units[] = {"KB", "MB", "GB"};
  size_t unit = 0;
  while (size >= 1023.95 && unit + 1 < std::size(units)) {
    size /= 1024;
    ++unit;
  }
  return absl::StrFormat("%.1f%s", size, units[unit]);
}

std::string FormatElapsed(absl::Duration elapsed) {
  const double seconds = absl::ToDoubleSeconds(elapsed);
  if (seconds >= 0.9995) return absl::StrFormat("%.2fs", seconds);
  return absl::StrFormat("%.0fms", seconds * 1000);
}

std::string ResultLine(const Result& result) {
  if (!result.status.ok()) {
    return absl::StrCat("[FAIL] ", result.url, " (", result.status.message(), ")");
  }
  return absl::StrCat("[OK]   ", result.url, " (", FormatSize(result.bytes), ", ",
                      FormatElapsed(result.elapsed), ")");
}

std::string SummaryLine(int64_t ok, int64_t failed, absl::Duration elapsed) {
  return absl::StrFormat("Summary: %d total, %d ok, %d failed, %.2fs elapsed", ok + failed, ok,
                         failed, absl::ToDoubleSeconds(elapsed));
}

}  // namespace downloader
