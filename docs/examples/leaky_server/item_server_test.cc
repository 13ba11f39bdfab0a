// The server's own tests, for either of the two. Each is verified as it ends: leash::verify_main.

#include "leaky_server/item_server.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "http/client.h"
#include "leash/context.h"

namespace {

std::unique_ptr<ItemServer> StartServer(Options options) {
  absl::StatusOr<std::unique_ptr<ItemServer>> server = ItemServer::Start(std::move(options));
  if (!server.ok()) {
    ADD_FAILURE() << server.status();
    std::abort();
  }
  return *std::move(server);
}

struct Answer {
  int status = 0;
  std::string body;
};

Answer Get(http::Client& client, const ItemServer& server, const std::string& target) {
  const absl::StatusOr<http::Url> url = http::ParseUrl("http://" + server.Address() + target);
  Answer answer;
  const absl::StatusOr<http::ResponseHead> head =
      client.Get(leash::Context::Background(), *url,
                 [&answer](std::string_view piece) { answer.body += piece; });
  EXPECT_TRUE(head.ok()) << head.status();
  if (head.ok()) answer.status = head->status;
  return answer;
}

TEST(ItemServerTest, AnswersWithWhatTheBackendSays) {
  Options options;
  options.find = [](std::string_view name) { return "this is " + std::string(name); };
  const std::unique_ptr<ItemServer> server = StartServer(std::move(options));
  http::Client client;
  for (const char* name : {"a", "b"}) {
    const Answer answer = Get(client, *server, std::string("/item/") + name);
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, std::string("this is ") + name);
  }
}

TEST(ItemServerTest, KnowsNothingElse) {
  Options options;
  options.find = [](std::string_view) { return std::string(); };
  const std::unique_ptr<ItemServer> server = StartServer(std::move(options));
  http::Client client;
  const Answer answer = Get(client, *server, "/other");
  EXPECT_EQ(answer.status, 404);
  EXPECT_EQ(answer.body, "want /item/NAME\n");
}

TEST(ItemServerTest, GivesUpOnASlowBackend) {
  const leash::Chan<leash::Unit> ready = leash::MakeChan<leash::Unit>(0, "ready");
  Options options;
  options.find = [ready](std::string_view) {
    ready.Recv();
    return std::string("too late");
  };
  options.find_timeout = absl::Milliseconds(10);
  const std::unique_ptr<ItemServer> server = StartServer(std::move(options));
  http::Client client;
  const Answer answer = Get(client, *server, "/item/slow");
  EXPECT_EQ(answer.status, 504);
  EXPECT_EQ(answer.body, "the backend takes too long\n");
  ready.Close();
}

TEST(ItemServerTest, StopLetsRequestsUnderWayHaveTheirAnswers) {
  const leash::Chan<leash::Unit> asked = leash::MakeChan<leash::Unit>(0, "asked");
  const leash::Chan<leash::Unit> ready = leash::MakeChan<leash::Unit>(0, "ready");
  Options options;
  options.find = [asked, ready](std::string_view) {
    asked.Send({});
    ready.Recv();
    return std::string("here it is");
  };
  options.find_timeout = absl::Minutes(1);
  const std::unique_ptr<ItemServer> server = StartServer(std::move(options));

  Answer answer;
  leash::WaitGroup others;
  others.Go([&] {
    http::Client client;
    answer = Get(client, *server, "/item/a");
  });
  asked.Recv();
  others.Go([&] { server->Stop(); });
  ready.Close();
  others.Wait();
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "here it is");
}

}  // namespace
