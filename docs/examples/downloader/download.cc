#include "downloader/download.h"

#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "http/client.h"
#include "http/url.h"
#include "leash/sync.h"
#include "leash/time.h"

namespace downloader {
namespace {

absl::Status Download(const leash::Context& ctx, http::Client& client, const std::string& url,
                      absl::Duration timeout, uint64_t& bytes) {
  const absl::StatusOr<http::Url> parsed = http::ParseUrl(url);
  if (!parsed.ok()) return parsed.status();
  auto [limited, cancel] = leash::WithTimeout(ctx, timeout);
  const absl::StatusOr<http::ResponseHead> head =
      client.Get(limited, *parsed, [&bytes](std::string_view piece) { bytes += piece.size(); });
  cancel();
  if (!head.ok()) {
    if (!absl::IsDeadlineExceeded(head.status())) return head.status();
    return absl::DeadlineExceededError(
        absl::StrCat("no answer within ", absl::FormatDuration(timeout)));
  }
  if (head->status / 100 != 2) {
    return absl::UnavailableError(absl::StrCat("HTTP ", head->status, " ", head->reason));
  }
  return absl::OkStatus();
}

void Work(const leash::Context& ctx, const leash::RecvChan<std::string>& urls,
          absl::Duration timeout, const leash::SendChan<Result>& results) {
  http::Client client;
  while (ctx.Err().ok()) {
    std::optional<std::string> url;
    leash::Select(
        leash::OnRecv(urls, [&](std::optional<std::string> next) { url = std::move(next); }),
        leash::OnDone(ctx));
    if (!url.has_value()) return;  // no more of them, or cancelled
    Result result;
    result.url = *std::move(url);
    const absl::Time begin = leash::Now();
    result.status = Download(ctx, client, result.url, timeout, result.bytes);
    result.elapsed = leash::Now() - begin;
    results.Send(std::move(result));
  }
}

}  // namespace

void DownloadAll(const leash::Context& ctx, const leash::RecvChan<std::string>& urls,
                 const Options& options, const std::function<void(const Result&)>& report) {
  const leash::Chan<Result> results = leash::MakeChan<Result>(0, "results");
  leash::WaitGroup workers;
  for (int i = 0; i < options.workers; ++i) {
    workers.Go([&] { Work(ctx, urls, options.timeout, results); });
  }
  // Whoever reads the results must learn that there are no more, and nobody but the last worker
  // knows.
  leash::WaitGroup closer;
  closer.Go([&] {
    workers.Wait();
    results.Close();
  });
  for (const Result& result : results) report(result);
  closer.Wait();
}

}  // namespace downloader
