// The downloader's pieces, in this process; leash::verify_main sees that none leaves a goroutine.

#include "downloader/download.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <string>
#include <vector>

#include "downloader/line_reader.h"
#include "downloader/report.h"
#include "examples/scripted_server.h"
#include "http/client.h"
#include "http/url.h"
#include "leash/chan.h"
#include "leash/context.h"

namespace examples {
namespace {

using downloader::DownloadAll;
using downloader::Options;
using downloader::Result;
using ::testing::ElementsAre;

leash::Chan<std::string> ChanOf(const std::vector<std::string>& texts) {
  leash::Chan<std::string> chan = leash::MakeChan<std::string>(texts.size());
  for (const std::string& text : texts) chan.Send(text);
  chan.Close();
  return chan;
}

Result DownloadOne(const std::string& url, Options options = {}) {
  Result found;
  DownloadAll(leash::Context::Background(), ChanOf({url}), options,
              [&](const Result& result) { found = result; });
  return found;
}

TEST(DownloadTest, BodiesOfEveryForm) {
  const std::map<std::string, std::string> answers = {
      {"/length", Ok("12345")},
      {"/chunked",
       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
       "3\r\nabc\r\nA;ext=1\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n"},
      {"/close", "HTTP/1.0 200 OK\r\n\r\nup to the end"},
      {"/none", "HTTP/1.1 204 No Content\r\n\r\n"},
      {"/continued", "HTTP/1.1 100 Continue\r\n\r\n" + Ok("1")},
  };
  const ScriptedServer server([&](const std::string& target) { return answers.at(target); });
  for (const auto& [target, bytes] : std::map<std::string, uint64_t>{
           {"/length", 5}, {"/chunked", 13}, {"/close", 13}, {"/none", 0}, {"/continued", 1}}) {
    const Result result = DownloadOne(server.Url(target));
    EXPECT_TRUE(result.status.ok()) << target << ": " << result.status;
    EXPECT_EQ(result.bytes, bytes) << target;
  }
}

TEST(DownloadTest, WhatIsWrongIsSaid) {
  const std::map<std::string, std::string> answers = {
      {"/missing", "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"},
      {"/short", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n1234"},
      {"/chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"},
      {"/silent", ""},
      {"/other", "SSH-2.0-OpenSSH_9.2\r\n"},
      {"/length", "HTTP/1.1 200 OK\r\nContent-Length: 4x\r\n\r\n1234"},
  };
  const ScriptedServer server([&](const std::string& target) { return answers.at(target); });
  for (const auto& [target, message] : std::map<std::string, std::string>{
           {"/missing", "HTTP 404 Not Found"},
           {"/short", "the stream ended 5 bytes too early"},
           {"/chunk", "want the size of a chunk, have \"xyz\""},
           {"/silent", "the server closed the connection"},
           {"/other", "want HTTP/1.1 STATUS REASON, have \"SSH-2.0-OpenSSH_9.2\""},
           {"/length", "want Content-Length: NUMBER, have \"4x\""}}) {
    EXPECT_EQ(DownloadOne(server.Url(target)).status.message(), message) << target;
  }
  EXPECT_EQ(DownloadOne("ftp://host/").status.message(),
            "want http://HOST[:PORT][/PATH], have \"ftp://host/\"");
}

TEST(DownloadTest, NoMoreAtATimeThanWorkers) {
  const leash::Chan<leash::Unit> arrived = leash::MakeChan<leash::Unit>(0, "arrived");
  const leash::Chan<leash::Unit> release = leash::MakeChan<leash::Unit>(0, "release");
  std::atomic<int> now = 0, most = 0;
  const ScriptedServer server([&](const std::string&) {
    const int here = ++now;
    for (int seen = most; here > seen && !most.compare_exchange_weak(seen, here);) {
    }
    arrived.Send({});
    release.Recv();
    --now;
    return Ok("x");
  });
  leash::WaitGroup conductor;
  conductor.Go([&] {
    for (int i = 0; i < 3; ++i) arrived.Recv();  // three are there at the same time
    for (int i = 3; i < 9; ++i) {
      release.Send({});
      arrived.Recv();
    }
    release.Close();
  });
  Options options;
  options.workers = 3;
  int ok = 0;
  DownloadAll(leash::Context::Background(), ChanOf(std::vector<std::string>(9, server.Url("/"))),
              options, [&](const Result& result) { ok += result.status.ok(); });
  conductor.Wait();
  EXPECT_EQ(ok, 9);
  EXPECT_EQ(most, 3);
}

TEST(DownloadTest, GivesUpAfterItsTimeout) {
  const leash::Chan<leash::Unit> release = leash::MakeChan<leash::Unit>(0, "release");
  const ScriptedServer server([&](const std::string&) {
    release.Recv();
    return Ok("late");
  });
  Options options;
  options.timeout = absl::Milliseconds(20);
  EXPECT_EQ(DownloadOne(server.Url("/"), options).status.message(), "no answer within 20ms");
  release.Close();
}

TEST(DownloadTest, EndsWithItsContext) {
  const leash::Chan<leash::Unit> arrived = leash::MakeChan<leash::Unit>(0, "arrived");
  const leash::Chan<leash::Unit> release = leash::MakeChan<leash::Unit>(0, "release");
  const ScriptedServer server([&](const std::string&) {
    arrived.Send({});
    release.Recv();
    return Ok("late");
  });
  auto [ctx, cancel] = leash::WithCancel(leash::Context::Background());
  leash::WaitGroup conductor;
  conductor.Go([&, cancel = cancel] {
    for (int i = 0; i < 2; ++i) arrived.Recv();
    cancel();
  });
  // Not closed: more could come, and nobody waits for it.
  const leash::Chan<std::string> urls = leash::MakeChan<std::string>(2);
  for (const char* target : {"/a", "/b"}) urls.Send(server.Url(target));
  std::vector<std::string> lines;
  DownloadAll(ctx, urls, Options(),
              [&](const Result& result) { lines.push_back(downloader::ResultLine(result)); });
  conductor.Wait();
  release.Close();
  std::sort(lines.begin(), lines.end());
  EXPECT_THAT(lines, ElementsAre("[FAIL] " + server.Url("/a") + " (context canceled)",
                                 "[FAIL] " + server.Url("/b") + " (context canceled)"));
}

TEST(ClientTest, KeepsAConnectionAndReplacesAClosedOne) {
  // The server closes each connection and does not say so: the second request finds that out.
  const ScriptedServer server([&](const std::string& target) {
    return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(target.size()) + "\r\n\r\n" +
           target;
  });
  http::Client client;
  for (const char* target : {"/first", "/second"}) {
    std::string body;
    const absl::StatusOr<http::ResponseHead> head =
        client.Get(leash::Context::Background(), http::ParseUrl(server.Url(target)).value(),
                   [&](std::string_view piece) { body += piece; });
    EXPECT_TRUE(head.ok()) << head.status();
    EXPECT_EQ(body, target);
  }
}

class PipeTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(pipe(ends_), 0); }
  void TearDown() override {
    close(ends_[0]);
    if (ends_[1] >= 0) close(ends_[1]);
  }
  void Write(std::string_view text) {
    ASSERT_EQ(write(ends_[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  int ends_[2];
};
using SendLinesTest = PipeTest;

TEST_F(SendLinesTest, LinesWithoutBlanksAndTheLastOneWithoutItsEnd) {
  Write("one\n\n  two \r\nthree");
  close(std::exchange(ends_[1], -1));
  const leash::Chan<std::string> lines = leash::MakeChan<std::string>(8);
  EXPECT_TRUE(downloader::SendLines(leash::Context::Background(), ends_[0], lines).ok());
  lines.Close();
  std::vector<std::string> got;
  for (const std::string& line : lines) got.push_back(line);
  EXPECT_THAT(got, ElementsAre("one", "two", "three"));
}

TEST_F(SendLinesTest, EndsWithItsContextWhileNothingCanBeRead) {
  auto [ctx, cancel] = leash::WithCancel(leash::Context::Background());
  const leash::Chan<std::string> lines = leash::MakeChan<std::string>();
  leash::WaitGroup reader;
  reader.Go([&, ctx = ctx] { EXPECT_TRUE(downloader::SendLines(ctx, ends_[0], lines).ok()); });
  Write("one\n");
  EXPECT_EQ(lines.Recv(), "one");  // it reads on, and nothing comes
  cancel();
  reader.Wait();
}

TEST_F(SendLinesTest, EndsWithItsContextWhileNobodyReceives) {
  auto [ctx, cancel] = leash::WithCancel(leash::Context::Background());
  const leash::Chan<std::string> lines = leash::MakeChan<std::string>();
  leash::WaitGroup reader;
  reader.Go([&, ctx = ctx] { EXPECT_TRUE(downloader::SendLines(ctx, ends_[0], lines).ok()); });
  Write("one\ntwo\n");
  EXPECT_EQ(lines.Recv(), "one");
  cancel();
  reader.Wait();
}

TEST(ReportTest, SizesAndTimesAsPeopleReadThem) {
  EXPECT_EQ(downloader::FormatSize(0), "0B");
  EXPECT_EQ(downloader::FormatSize(1023), "1023B");
  EXPECT_EQ(downloader::FormatSize(1229), "1.2KB");
  EXPECT_EQ(downloader::FormatSize(1024 * 1024 - 1), "1.0MB");
  EXPECT_EQ(downloader::FormatSize(5ull << 40), "5120.0GB");
  EXPECT_EQ(downloader::FormatElapsed(absl::Milliseconds(201)), "201ms");
  EXPECT_EQ(downloader::FormatElapsed(absl::Microseconds(999700)), "1.00s");
  EXPECT_EQ(downloader::SummaryLine(4, 1, absl::Milliseconds(414)),
            "Summary: 5 total, 4 ok, 1 failed, 0.41s elapsed");
}

TEST(UrlTest, PartsAndDefaults) {
  const http::Url url = http::ParseUrl("http://host:8080/a?b=c#d").value();
  EXPECT_EQ(url.host, "host");
  EXPECT_EQ(url.address, "host:8080");
  EXPECT_EQ(url.target, "/a?b=c");
  EXPECT_EQ(http::ParseUrl("http://host").value().address, "host:80");
  EXPECT_EQ(http::ParseUrl("http://host").value().target, "/");
  EXPECT_EQ(http::ParseUrl("http://host?q").value().target, "/?q");
  EXPECT_EQ(http::ParseUrl("http://[::1]/x").value().address, "[::1]:80");
  EXPECT_EQ(http::ParseUrl("http://[::1]:81/x").value().address, "[::1]:81");
  for (const char* wrong : {"", "host/a", "http://", "http://:80/", "http://h:x/",
                            "http://h:65536/", "http://h/a b", "http://h/\r\nX: y"}) {
    EXPECT_FALSE(http::ParseUrl(wrong).ok()) << wrong;
  }
}

}  // namespace
}  // namespace examples
