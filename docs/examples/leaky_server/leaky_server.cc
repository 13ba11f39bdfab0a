// The server with three mistakes, each marked. All of its tests pass.

#include <fstream>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "leaky_server/item_server.h"
#include "leash/go.h"
#include "leash/time.h"

namespace {

constexpr std::string_view kItems = "/item/";

// The log may be a disk that is slow or full: no client shall wait for it.
void WriteAudit(const std::string& path, const std::string& line) {
  std::ofstream(path, std::ios::app) << line + "\n";
}

}  // namespace

absl::StatusOr<std::unique_ptr<ItemServer>> ItemServer::Start(Options options) {
  absl::StatusOr<leash::net::Listener> listener = leash::net::Listen("tcp", options.listen);
  if (!listener.ok()) return listener.status();
  return std::unique_ptr<ItemServer>(new ItemServer(std::move(options), *std::move(listener)));
}

ItemServer::ItemServer(Options options, leash::net::Listener listener)
    : options_(std::move(options)), listener_(std::move(listener)) {
  std::tie(stopping_, stop_) = leash::WithCancel(leash::Context::Background());
  accepting_.Go([this] { Accept(); });
}

ItemServer::~ItemServer() { Stop(); }

void ItemServer::Stop() {
  (void)listener_.Close();
  accepting_.Wait();
  stop_();
  tasks_.Wait();
}

void ItemServer::Accept() {
  while (true) {
    absl::StatusOr<leash::net::Conn> conn = listener_.Accept();
    if (!conn.ok()) {
      if (absl::IsFailedPrecondition(conn.status())) return;  // closed by Stop
      leash::Sleep(absl::Milliseconds(5));                    // out of descriptors: that passes
      continue;
    }
    leash::go([this, conn = std::make_shared<leash::net::Conn>(*std::move(conn))] {
      tasks_.Add(1);  // MISTAKE: Stop may have looked at the count before this has run
      Serve(conn);
      tasks_.Done();
    });
  }
}

void ItemServer::Serve(std::shared_ptr<leash::net::Conn> conn) {
  // A client that is silent for now must not hold up Stop: from then on nothing more is read.
  const leash::StopFunc forget =
      leash::AfterFunc(stopping_, [conn] { conn->SetReadDeadline(absl::InfinitePast()); });
  http::Reader reader(conn.get());
  bool keep_alive = true;
  while (keep_alive) {
    const absl::StatusOr<std::optional<http::Request>> request = reader.ReadRequest();
    http::Response response;
    if (absl::IsInvalidArgument(request.status())) {
      response = {400, absl::StrCat(request.status().message(), "\n")};
      keep_alive = false;
    } else if (!request.ok() || !request->has_value()) {
      break;
    } else {
      response = Answer(**request);
      keep_alive = (*request)->keep_alive && stopping_.Err().ok();
    }
    if (!conn->Write(http::Serialize(response, keep_alive)).ok()) break;
  }
  forget();
}

http::Response ItemServer::Answer(const http::Request& request) {
  // MISTAKE: nothing can wait for it, so lines are lost when the process ends.
  leash::go([path = options_.audit_log, line = absl::StrCat(request.method, " ", request.target)] {
    WriteAudit(path, line);
  });
  if (request.method != "GET") return {405, "want GET\n"};
  if (request.target.substr(0, kItems.size()) != kItems) return {404, "want /item/NAME\n"};

  const leash::Chan<std::string> found = leash::MakeChan<std::string>(0, "found");
  leash::go([found = leash::SendChan<std::string>(found), find = options_.find,
             name = request.target.substr(kItems.size())] {
    found.Send(find(name));  // MISTAKE: after the timeout nobody receives, and this waits for ever
  });
  http::Response response;
  leash::Select(
      leash::OnRecv(
          found, [&](std::optional<std::string> text) { response.body = std::move(text).value(); }),
      leash::OnTimeout(options_.find_timeout,
                       [&] { response = {504, "the backend takes too long\n"}; }));
  return response;
}
