// The lines that the downloader prints.

#ifndef LEASH_DOCS_EXAMPLES_DOWNLOADER_REPORT_H_
#define LEASH_DOCS_EXAMPLES_DOWNLOADER_REPORT_H_

#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "downloader/download.h"

namespace downloader {

// "512B", "1.2KB", "3.4MB"; a KB is 1024 bytes.
std::string FormatSize(uint64_t bytes);

// "201ms", "1.20s"
std::string FormatElapsed(absl::Duration elapsed);

// "[OK]   http://127.0.0.1:8080/a (1.2KB, 201ms)"
// "[FAIL] http://127.0.0.1:8080/b (HTTP 404 Not Found)"
std::string ResultLine(const Result& result);

// "Summary: 5 total, 4 ok, 1 failed, 0.41s elapsed"
std::string SummaryLine(int64_t ok, int64_t failed, absl::Duration elapsed);

}  // namespace downloader

#endif  // LEASH_DOCS_EXAMPLES_DOWNLOADER_REPORT_H_
