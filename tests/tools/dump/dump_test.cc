// The program, as a user runs it: output, errors and exit status.

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "analyzer/snapshot_builder.h"
#include "analyzer/test_data.h"
#include "leash/analyzer/read.h"
#include "model/writer.h"
#include "support/golden.h"
#include "support/run_program.h"

namespace leash {
namespace {

using leash::testing::ProgramResult;
using leash::testing::ReadTestFile;
using leash::testing::SnapshotBuilder;
using leash::testing::TestData;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// Runs `leash ARGUMENTS` through the shell, in the folder of the test data.
ProgramResult Leash(const std::string& arguments) {
  return leash::testing::RunProgram({"sh", "-c", LEASH_PROGRAM " " + arguments},
                                    {.directory = TestData("")});
}

// Answers GETs from a map of paths until it is destroyed; 404 for what is not in it.
class FakeServer {
 public:
  explicit FakeServer(std::map<std::string, std::string> pages, const std::string& unix_path = "")
      : pages_(std::move(pages)), unix_path_(unix_path) {
    if (unix_path.empty()) {
      fd_ = socket(AF_INET, SOCK_STREAM, 0);
      sockaddr_in address = {};
      address.sin_family = AF_INET;
      address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      EXPECT_EQ(bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
      socklen_t size = sizeof address;
      getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
      target_ = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
    } else {
      fd_ = socket(AF_UNIX, SOCK_STREAM, 0);
      sockaddr_un address = {};
      address.sun_family = AF_UNIX;
      std::strncpy(address.sun_path, unix_path.c_str(), sizeof address.sun_path - 1);
      EXPECT_EQ(bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
      target_ = "unix:" + unix_path;
    }
    listen(fd_, 8);
    thread_ = std::thread([this] { Run(); });
  }
  ~FakeServer() {
    shutdown(fd_, SHUT_RDWR);  // ends the accept
    thread_.join();
    close(fd_);
    if (!unix_path_.empty()) unlink(unix_path_.c_str());
  }
  const std::string& target() const { return target_; }

 private:
  void Run() {
    for (int c; (c = accept(fd_, nullptr, nullptr)) >= 0; close(c)) {
      std::string request;
      char buffer[1024];
      while (request.find("\r\n\r\n") == request.npos) {
        const ssize_t n = recv(c, buffer, sizeof buffer, 0);
        if (n <= 0) break;
        request.append(buffer, static_cast<size_t>(n));
      }
      const std::string path = request.substr(4, request.find(' ', 4) - 4);
      const auto page = pages_.find(path);
      const std::string body = page == pages_.end() ? "404 page not found\n" : page->second;
      const std::string answer = std::string("HTTP/1.1 ") +
                                 (page == pages_.end() ? "404 Not Found" : "200 OK") +
                                 "\r\nContent-Length: " + std::to_string(body.size()) +
                                 "\r\nConnection: close\r\n\r\n" + body;
      for (size_t sent = 0; sent < answer.size();) {
        const ssize_t n = send(c, answer.data() + sent, answer.size() - sent, MSG_NOSIGNAL);
        if (n <= 0) break;
        sent += static_cast<size_t>(n);
      }
    }
  }

  const std::map<std::string, std::string> pages_;
  const std::string unix_path_;
  std::string target_;
  int fd_ = -1;
  std::thread thread_;
};

std::string LeakyJson() {
  SnapshotBuilder b;
  b.s.pid = 4711;
  b.s.program = "/opt/leaky_server";
  const ObjectId c = b.Chan({1, 0}, {0, 0});
  b.Waiting(9, "chan send", {leash::testing::SendOn(c)}, {c});
  b.Thread(1);
  std::string text;
  internal::StringSink sink(&text);
  const auto writer = internal::NewJsonWriter(&sink);
  writer->Write(b.s);
  writer->Finish();
  return text;
}

constexpr char kLeakyReport[] = R"( (leaky_server, pid 4711): 2 goroutines in 2 groups

1 goroutine [chan send] proved: no receiver is alive
    waits for Chan<int> (cap 0)
    goroutine 9

1 goroutine [sync.WaitGroup.Wait]
    goroutine 1 (a thread)
see: leash explain "chan send"
)";

TEST(DumpTest, FileIsGrouped) {
  const ProgramResult r = Leash("dump go1.27/panic_goroutine_all.txt");
  EXPECT_EQ(r.status, 0);
  EXPECT_EQ(r.err, "");
  EXPECT_EQ(r.out, R"text(go1.27/panic_goroutine_all.txt: 4 goroutines in 3 groups
note: panic: worker 3

2 goroutines [select (no cases)] proved: the select has no case that can ever be ready
    main.main.func1                         main.go:31
    created by main.main at main.go:31 in goroutine 1
    goroutines 19, 20

1 goroutine [sleep]
    time.Sleep                              time.go:368
    main.main                               main.go:43
    goroutine 1

1 goroutine [running]
    main.main.func2                         main.go:42
    created by main.main at main.go:42 in goroutine 1
    goroutine 5
see: leash explain "select (no cases)"
)text");
}

TEST(DumpTest, LeakedIsExitStatusOne) {
  EXPECT_EQ(Leash("dump --leaked go1.27/leak_debug2.txt").status, 1);
  const ProgramResult none = Leash("dump --leaked go1.27/http_debug1.txt");
  EXPECT_EQ(none.status, 0);
  EXPECT_EQ(none.out, "go1.27/http_debug1.txt: 0 of 962 goroutines in 0 groups\n");
}

TEST(DumpTest, StandardInputIsRead) {
  const ProgramResult r = Leash("dump - < go1.27/goroutine.pb.gz");
  EXPECT_EQ(r.status, 0);
  EXPECT_THAT(r.out, StartsWith("standard input (mix): 57 goroutines in "));
}

TEST(DumpTest, EveryFormatIsReadBack) {
  for (const char* format : {"go", "json", "pprof"}) {
    const ProgramResult r =
        Leash(std::string("dump go1.27/debug2.txt --filter=created_by:main.main --format=") +
              format + " | " LEASH_PROGRAM " dump - --group=site --top=1");
    EXPECT_THAT(r.out, StartsWith("standard input")) << format;
    EXPECT_THAT(r.out, HasSubstr("7 goroutines [chan send]")) << format;
  }
  EXPECT_THAT(Leash("dump go1.27/debug2.txt --format=folded").out,
              StartsWith("main.main.func1 7\nmain.drain[...] 6\nmain.main.func19.1 6\n"));
}

TEST(DumpTest, OutputGoesToAFile) {
  const std::string path = ::testing::TempDir() + "/leash_out_" + std::to_string(getpid());
  const ProgramResult r = Leash("dump go1.27/debug1.txt --format=json -o " + path);
  EXPECT_EQ(r.status, 0);
  EXPECT_EQ(r.out, "");
  EXPECT_TRUE(ReadSnapshotFile(path).ok());
  std::remove(path.c_str());
  const ProgramResult bad = Leash("dump go1.27/debug1.txt -o /nonexistent/x");
  EXPECT_EQ(bad.status, 2);
  EXPECT_EQ(bad.err, "leash dump: write /nonexistent/x: No such file or directory\n");
}

TEST(DumpTest, LiveProcessOverTcp) {
  FakeServer server({{"/debug/leash/snapshot.json", LeakyJson()}});
  const ProgramResult r = Leash("dump " + server.target());
  EXPECT_EQ(r.status, 0) << r.err;
  EXPECT_EQ(r.out, server.target() + kLeakyReport);
  EXPECT_EQ(Leash("dump --leaked http://" + server.target() + "/").status, 1);
}

TEST(DumpTest, LiveProcessOverAUnixSocket) {
  FakeServer server({{"/debug/leash/snapshot.json", LeakyJson()}},
                    "/tmp/leash_dump_test_" + std::to_string(getpid()));
  const ProgramResult r = Leash("dump " + server.target());
  EXPECT_EQ(r.status, 0) << r.err;
  EXPECT_EQ(r.out, server.target() + kLeakyReport);
}

TEST(DumpTest, GoProcessIsAskedForItsText) {
  FakeServer server(
      {{"/debug/pprof/goroutine?debug=2", ReadTestFile(TestData("go1.27/debug2.txt"))}});
  const ProgramResult r = Leash("dump --top=1 " + server.target());
  EXPECT_EQ(r.status, 0) << r.err;
  EXPECT_THAT(r.out, StartsWith(server.target() +
                                ": 57 goroutines in 37 groups\n\n7 goroutines [chan send]"));
}

TEST(DumpTest, ServerWithoutDumpsIsOneLine) {
  FakeServer server({});
  const ProgramResult r = Leash("dump " + server.target());
  EXPECT_EQ(r.status, 2);
  EXPECT_EQ(r.err, "leash dump: fetch " + server.target() +
                       "/debug/pprof/goroutine?debug=1: want status 200, have 404 Not Found\n");
}

TEST(DumpTest, BadUseIsOneLineAndStatusTwo) {
  const std::pair<const char*, const char*> kCases[] = {
      {"", "leash: A subcommand is required; see leash --help\n"},
      {"dump", "leash dump: source is required; see leash dump --help\n"},
      {"dump x --format=xml",
       "leash dump: --format: xml not in {text,go,pprof,json,folded}; see leash dump --help\n"},
      {"dump x --format=json --group=site",
       "leash dump: --group and --top go with --format=text, have --format=json\n"},
      {"dump x --filter=id:1,wait=3",
       "leash dump: --filter: column 10: want '>' or '<', have \"=3\"\n"},
      {"dump 99999999",
       "leash dump: 99999999: want HOST:PORT, unix:PATH or a FILE, have a number and no file of "
       "that name\n"},
      {"dump nothing.txt", "leash dump: read nothing.txt: No such file or directory\n"},
      {"dump unix:/nonexistent/s",
       "leash dump: fetch unix:/nonexistent/s: connect: No such file or directory\n"},
      {"dump go1.27/schedtrace.txt",
       "leash dump: read go1.27/schedtrace.txt: offset 0: want \"goroutine N [\", have \"SCHED "
       "0ms: "
       "gomaxprocs=2 \"\n"},
      {"dump go1.27/race_counter.txt",
       "leash dump: read go1.27/race_counter.txt: offset 0: want \"goroutine N [\", have "
       "\"==================\"\n"},
  };
  for (const auto& [arguments, err] : kCases) {
    const ProgramResult r = Leash(arguments);
    EXPECT_EQ(r.status, 2) << arguments;
    EXPECT_EQ(r.err, err);
    EXPECT_EQ(r.out, "");
  }
}

TEST(DumpTest, ColorOnlyWhenAskedFor) {
  EXPECT_EQ(Leash("dump go1.27/debug2.txt").out.find('\x1b'), std::string::npos);
  EXPECT_THAT(Leash("dump go1.27/debug2.txt --color=always").out,
              HasSubstr("\x1b[1m7 goroutines\x1b[0m"));
}

TEST(DumpTest, HelpAndVersion) {
  EXPECT_THAT(Leash("--version").out, StartsWith("leash "));
  const ProgramResult r = Leash("dump --help");
  EXPECT_EQ(r.status, 0);
  for (const char* text :
       {"--format", "--group", "--filter", "--leaked", "Examples:", "Exit status:"}) {
    EXPECT_THAT(r.out, HasSubstr(text));
  }
}

}  // namespace
}  // namespace leash
