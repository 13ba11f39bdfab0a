#include "examples/scripted_server.h"

#include <utility>

#include "http/message.h"

namespace examples {

ScriptedServer::ScriptedServer(Script script)
    : script_(std::move(script)), listener_(leash::net::Listen("tcp", "127.0.0.1:0").value()) {
  tasks_.Go([this] { Accept(); });
}

ScriptedServer::~ScriptedServer() {
  (void)listener_.Close();
  tasks_.Wait();
}

std::string ScriptedServer::Url(const std::string& target) const {
  return "http://" + listener_.Addr() + target;
}

void ScriptedServer::Accept() {
  while (true) {
    absl::StatusOr<leash::net::Conn> conn = listener_.Accept();
    if (!conn.ok()) return;
    tasks_.Go(
        [this, conn = std::make_shared<leash::net::Conn>(*std::move(conn))] { Serve(*conn); });
  }
}

void ScriptedServer::Serve(const leash::net::Conn& conn) const {
  http::Reader reader(&conn);
  const absl::StatusOr<std::optional<http::Request>> request = reader.ReadRequest();
  if (request.ok() && request->has_value()) (void)conn.Write(script_((*request)->target));
}

std::string Ok(const std::string& body) {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\nConnection: close\r\n\r\n" + body;
}

}  // namespace examples
