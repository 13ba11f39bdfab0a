// ItemServer: an HTTP/1.1 server that answers GET /item/NAME with what a slow backend says of NAME.
//
//     Options options;
//     options.find = [](std::string_view name) { return database.Find(name); };
//     absl::StatusOr<std::unique_ptr<ItemServer>> server = ItemServer::Start(std::move(options));
//     ...
//     (*server)->Stop();
//
// A goroutine for each connection, and one for each request that asks the backend: a client gets
// "504 Gateway Timeout" if that takes too long. Each request is noted in an audit log.
//
// There are two of it. leaky_server.cc passes its tests and has three mistakes; fixed_server.cc has
// none. `diff` shows them.

#ifndef LEASH_DOCS_EXAMPLES_LEAKY_SERVER_ITEM_SERVER_H_
#define LEASH_DOCS_EXAMPLES_LEAKY_SERVER_ITEM_SERVER_H_

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "http/message.h"
#include "leash/chan.h"
#include "leash/context.h"
#include "leash/net.h"
#include "leash/sync.h"

struct Options {
  std::string listen = "127.0.0.1:0";
  // Asks the backend. May block; is called by many goroutines at the same time.
  std::function<std::string(std::string_view name)> find;
  absl::Duration find_timeout = absl::Milliseconds(50);
  std::string audit_log = "/dev/null";
};

class ItemServer {
 public:
  // ItemServer::Start()
  //
  // Listens, and answers from now on.
  static absl::StatusOr<std::unique_ptr<ItemServer>> Start(Options options);

  ItemServer(const ItemServer&) = delete;
  ItemServer& operator=(const ItemServer&) = delete;
  // Stops it.
  ~ItemServer();

  // "127.0.0.1:43121"
  std::string Address() const { return listener_.Addr(); }

  // ItemServer::Stop()
  //
  // Takes no more connections, lets the requests under way have their answers, and returns when
  // nothing of the server runs any more. Idempotent.
  void Stop();

 private:
  ItemServer(Options options, leash::net::Listener listener);

  void Accept();
  void Serve(std::shared_ptr<leash::net::Conn> conn);
  http::Response Answer(const http::Request& request);

  const Options options_;
  const leash::net::Listener listener_;
  leash::Context stopping_;
  leash::CancelFunc stop_;
  leash::WaitGroup accepting_;  // the goroutine that accepts
  leash::WaitGroup tasks_;      // what else Stop() has to wait for
};

#endif  // LEASH_DOCS_EXAMPLES_LEAKY_SERVER_ITEM_SERVER_H_
