// leaky_server and fixed_server: an ItemServer with a simulated backend, until Ctrl-C or SIGTERM.

#include <CLI/CLI.hpp>
#include <functional>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "leaky_server/item_server.h"
#include "leash/debug.h"
#include "leash/time.h"
#include "signal_context.h"

namespace {

constexpr char kFooter[] =
    R"(Answers GET /item/NAME. The backend is simulated: most names are found within 2 ms, some (see
--slow-every) take 150 ms, and their clients get "504 Gateway Timeout".

Exit status: 0 stopped by Ctrl-C or SIGTERM, 1 it could not listen, 2 bad use.)";

// A database in which every `slow_every`-th name is on a busy shard.
std::string Find(std::string_view name, size_t slow_every) {
  const bool slow = std::hash<std::string_view>()(name) % slow_every == 0;
  leash::Sleep(absl::Milliseconds(slow ? 150 : 2));
  std::string text = absl::StrCat("item ", std::string(name), "\n");
  while (text.size() < 1200) text += "in stock, and one of a kind\n";
  return text;
}

int Fail(const absl::Status& status) {
  std::cerr << "item server: " << status.message() << "\n";
  return 1;
}

int Run(Options options, const std::string& debug_addr) {
  const SignalContext signals;
  std::optional<leash::debug::Server> debug_server;
  if (!debug_addr.empty()) {
    absl::StatusOr<leash::debug::Server> serving = leash::debug::Serve(debug_addr);
    if (!serving.ok()) return Fail(serving.status());
    debug_server = *std::move(serving);
    std::cout << "debugging on " << debug_server->Address() << std::endl;
  }
  const absl::StatusOr<std::unique_ptr<ItemServer>> server = ItemServer::Start(std::move(options));
  if (!server.ok()) return Fail(server.status());
  std::cout << "listening on " << (*server)->Address() << std::endl;
  signals.context().Done().Recv();
  (*server)->Stop();
  std::cout << "stopped" << std::endl;
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  std::string debug_addr;
  size_t slow_every = 5;
  CLI::App app("A small HTTP server, to look for mistakes in.", "leaky_server");
  app.footer(kFooter);
  app.add_option("--listen", options.listen, "HOST:PORT; port 0 picks a free one")
      ->capture_default_str();
  app.add_option("--debug-addr", debug_addr,
                 "where `leash dump` reaches it: HOST:PORT or unix:PATH, as with LEASH_DEBUG_ADDR");
  app.add_option("--audit-log", options.audit_log, "a file that each request is noted in")
      ->capture_default_str();
  app.add_option("--slow-every", slow_every, "one name in N is slow")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& e) {
    return app.exit(e);
  } catch (const CLI::ParseError& e) {
    std::cerr << "item server: " << e.what() << "\n";
    return 2;
  }
  options.find = [slow_every](std::string_view name) { return Find(name, slow_every); };
  return Run(std::move(options), debug_addr);
}
