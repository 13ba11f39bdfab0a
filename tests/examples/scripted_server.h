// A server that answers each request with the bytes that the test says.

#ifndef LEASH_TESTS_EXAMPLES_SCRIPTED_SERVER_H_
#define LEASH_TESTS_EXAMPLES_SCRIPTED_SERVER_H_

#include <functional>
#include <memory>
#include <string>

#include "leash/context.h"
#include "leash/net.h"
#include "leash/sync.h"

namespace examples {

class ScriptedServer {
 public:
  // What is sent for a target, after which the connection is closed. May block; runs on the
  // goroutine of the connection.
  using Script = std::function<std::string(const std::string& target)>;

  explicit ScriptedServer(Script script);
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;
  // Waits for the answers under way.
  ~ScriptedServer();

  // "http://127.0.0.1:43121" and the target.
  std::string Url(const std::string& target) const;

 private:
  void Accept();
  void Serve(const leash::net::Conn& conn) const;

  const Script script_;
  leash::net::Listener listener_;
  leash::WaitGroup tasks_;
};

// "HTTP/1.1 200 OK" with a Content-Length.
std::string Ok(const std::string& body);

}  // namespace examples

#endif  // LEASH_TESTS_EXAMPLES_SCRIPTED_SERVER_H_
