// A bounded pool of workers that download what comes over a channel.

#ifndef LEASH_DOCS_EXAMPLES_DOWNLOADER_DOWNLOAD_H_
#define LEASH_DOCS_EXAMPLES_DOWNLOADER_DOWNLOAD_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "leash/chan.h"
#include "leash/context.h"

namespace downloader {

// What became of one URL.
struct Result {
  std::string url;
  absl::Status status;  // OK: it answered with a 2xx, and all of its body was read
  uint64_t bytes = 0;   // of the body
  absl::Duration elapsed;
};

struct Options {
  int workers = 8;
  absl::Duration timeout = absl::Seconds(10);  // for one URL
};

// DownloadAll()
//
// Downloads from `urls`, options.workers at a time, until the channel is closed or `ctx` has ended,
// and calls `report` with each result as it comes, on the caller's goroutine. Downloads under way
// when `ctx` ends are broken off and reported with its error. When it returns, all of its
// goroutines have ended.
void DownloadAll(const leash::Context& ctx, const leash::RecvChan<std::string>& urls,
                 const Options& options, const std::function<void(const Result&)>& report);

}  // namespace downloader

#endif  // LEASH_DOCS_EXAMPLES_DOWNLOADER_DOWNLOAD_H_
