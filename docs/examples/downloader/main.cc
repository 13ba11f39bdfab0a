// downloader: downloads the URLs that stand on standard input, one a line, several at a time.
//
// Three goroutines and a pool: one reads the lines, the workers download, the main thread prints. A
// context ends all of them on Ctrl-C.

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdint>
#include <iostream>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "downloader/download.h"
#include "downloader/line_reader.h"
#include "downloader/report.h"
#include "leash/chan.h"
#include "leash/sync.h"
#include "leash/time.h"
#include "signal_context.h"

namespace {

constexpr char kFooter[] = R"(Prints a line for each URL, as they come, and a summary:
  [OK]   http://127.0.0.1:8080/a (1.2KB, 201ms)
  [FAIL] http://127.0.0.1:8080/b (HTTP 404 Not Found)
  Summary: 2 total, 1 ok, 1 failed, 0.41s elapsed

Ctrl-C breaks off what is under way and prints the summary of what was done.
Exit status: 0 all well, 1 a download failed, 2 bad use or standard input cannot be read,
130 Ctrl-C.)";

int Run(const downloader::Options& options) {
  const SignalContext signals;
  const absl::Time begin = leash::Now();
  absl::Status input;
  int64_t ok = 0, failed = 0;

  const leash::Chan<std::string> urls = leash::MakeChan<std::string>(0, "urls");
  leash::WaitGroup reader;
  reader.Go([&] {
    input = downloader::SendLines(signals.context(), STDIN_FILENO, urls);
    urls.Close();
  });
  downloader::DownloadAll(signals.context(), urls, options, [&](const downloader::Result& result) {
    ++(result.status.ok() ? ok : failed);
    std::cout << downloader::ResultLine(result) << std::endl;
  });
  reader.Wait();

  std::cout << downloader::SummaryLine(ok, failed, leash::Now() - begin) << std::endl;
  if (signals.signal() != 0) return 128 + signals.signal();
  if (!input.ok()) {
    std::cerr << "downloader: " << input.message() << "\n";
    return 2;
  }
  return failed == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  downloader::Options options;
  double timeout_seconds = absl::ToDoubleSeconds(options.timeout);
  CLI::App app("Downloads the URLs that stand on standard input, one a line.", "downloader");
  app.footer(kFooter);
  app.add_option("--workers", options.workers, "how many downloads at a time")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  app.add_option("--timeout", timeout_seconds, "for each URL, in seconds or with a unit: 500ms, 2s")
      ->transform(
          CLI::AsNumberWithUnit(std::map<std::string, double>{{"ms", 0.001}, {"s", 1}, {"m", 60}}))
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& e) {
    return app.exit(e);
  } catch (const CLI::ParseError& e) {
    std::cerr << "downloader: " << e.what() << "\n";
    return 2;
  }
  options.timeout = absl::Seconds(timeout_seconds);
  return Run(options);
}
