// Where debug::Serve listens, and what it says where it cannot.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>
#include <leash/debug.h>
#include <leash/leash.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>

namespace leash::debug {
namespace {

using ::testing::StartsWith;

// The status of GET /debug/pprof/ over a Unix socket; 0: nobody answers.
int AskUnix(const std::string& path) {
  httplib::Client client(path, 80);
  client.set_address_family(AF_UNIX);
  client.set_read_timeout(60);
  const httplib::Result r = client.Get("/debug/pprof/");
  return r ? r->status : 0;
}

int Ask(const std::string& address) {
  httplib::Client client("http://" + address);
  client.set_read_timeout(60);
  const httplib::Result r = client.Get("/debug/pprof/");
  return r ? r->status : 0;
}

class UnixAddressTest : public ::testing::Test {
 protected:
  UnixAddressTest()
      : path_(::testing::TempDir() + "/leash_serve_" + std::to_string(getpid()) + ".sock") {
    std::filesystem::remove(path_);
  }
  ~UnixAddressTest() override { std::filesystem::remove(path_); }

  const std::string path_;
};

TEST_F(UnixAddressTest, IsServedAndTakenAwayAtTheEnd) {
  absl::StatusOr<Server> server = Serve("unix:" + path_);
  ASSERT_TRUE(server.ok()) << server.status();
  EXPECT_EQ(server->Address(), "unix:" + path_);
  EXPECT_TRUE(std::filesystem::is_socket(path_));
  EXPECT_EQ(AskUnix(path_), 200);
  server->Stop();
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(UnixAddressTest, WhatAGoneProcessLeftIsTakenOver) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  path_.copy(name.sun_path, sizeof(name.sun_path) - 1);
  ASSERT_EQ(bind(fd, reinterpret_cast<const sockaddr*>(&name), sizeof(name)), 0);
  close(fd);
  ASSERT_TRUE(std::filesystem::is_socket(path_));
  const absl::StatusOr<Server> server = Serve("unix:" + path_);
  ASSERT_TRUE(server.ok()) << server.status();
  EXPECT_EQ(AskUnix(path_), 200);
}

TEST_F(UnixAddressTest, WhatSomebodyListensOnIsNotTakenOver) {
  const absl::StatusOr<Server> first = Serve("unix:" + path_);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(
      Serve("unix:" + path_).status(),
      absl::UnavailableError("debug server: listen unix:" + path_ + ": Address already in use"));
  EXPECT_EQ(AskUnix(path_), 200);
}

TEST_F(UnixAddressTest, AFileIsNotTakenOver) {
  std::ofstream(path_) << "dear";
  EXPECT_EQ(
      Serve("unix:" + path_).status(),
      absl::UnavailableError("debug server: listen unix:" + path_ + ": Address already in use"));
  std::string text;
  std::ifstream(path_) >> text;
  EXPECT_EQ(text, "dear");
}

TEST_F(UnixAddressTest, AFolderThatIsNotThereIsUnavailable) {
  EXPECT_EQ(Serve("unix:/nonexistent/leash.sock").status(),
            absl::UnavailableError(
                "debug server: listen unix:/nonexistent/leash.sock: No such file or directory"));
}

TEST(ServeAddressTest, SaysWhatAnAddressIs) {
  const std::pair<std::string, std::string> kCases[] = {
      {"", "HOST:PORT or unix:PATH"},
      {"6060", "HOST:PORT or unix:PATH"},
      {"localhost", "HOST:PORT or unix:PATH"},
      {"127.0.0.1:", "a port from 0 to 65535"},
      {"127.0.0.1:http", "a port from 0 to 65535"},
      {"127.0.0.1:-1", "a port from 0 to 65535"},
      {"127.0.0.1:65536", "a port from 0 to 65535"},
      {"127.0.0.1:99999999999999999999", "a port from 0 to 65535"},
      {"unix:", "unix:PATH with a path of 1 to 107 bytes"},
      {"unix:/" + std::string(107, 'a'), "unix:PATH with a path of 1 to 107 bytes"},
  };
  for (const auto& [address, want] : kCases) {
    EXPECT_EQ(Serve(address).status(), absl::InvalidArgumentError("debug server: address \"" +
                                                                  address + "\": want " + want));
  }
}

TEST(ServeAddressTest, APortOfAnotherProgramIsUnavailable) {
  const absl::StatusOr<net::Listener> listener = net::Listen("tcp", "127.0.0.1:0");
  ASSERT_TRUE(listener.ok()) << listener.status();
  EXPECT_EQ(Serve(listener->Addr()).status(),
            absl::UnavailableError("debug server: listen " + listener->Addr() +
                                   ": Address already in use"));
}

TEST(ServeAddressTest, APortOfAnotherServerIsUnavailable) {
  const absl::StatusOr<Server> first = Serve("127.0.0.1:0");
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(Serve(first->Address()).status(),
            absl::UnavailableError("debug server: listen " + first->Address() +
                                   ": Address already in use"));
}

TEST(ServeAddressTest, Port0PicksOne) {
  const absl::StatusOr<Server> server = Serve("127.0.0.1:0");
  ASSERT_TRUE(server.ok()) << server.status();
  EXPECT_THAT(server->Address(), StartsWith("127.0.0.1:"));
  EXPECT_NE(server->Address(), "127.0.0.1:0");
  EXPECT_EQ(Ask(server->Address()), 200);
}

TEST(ServerTest, AnswersUntilItIsStopped) {
  absl::StatusOr<Server> made = Serve("127.0.0.1:0");
  ASSERT_TRUE(made.ok()) << made.status();
  Server server = *std::move(made);
  const std::string address = server.Address();
  EXPECT_EQ(Ask(address), 200);
  server.Stop();
  server.Stop();
  EXPECT_EQ(server.Address(), address);
  EXPECT_EQ(Ask(address), 0);
}

}  // namespace
}  // namespace leash::debug
