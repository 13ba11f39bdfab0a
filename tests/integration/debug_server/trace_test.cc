// /debug/pprof/trace, asked as curl and a browser do.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>
#include <leash/debug.h>
#include <leash/leash.h>

#include <string>
#include <thread>

#include "support/perfetto_trace.h"

namespace leash::debug {
namespace {

using leash::testing::PerfettoTrace;
using leash::testing::ReadPerfettoTrace;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class DebugServerTraceTest : public ::testing::Test {
 protected:
  DebugServerTraceTest() : server_(*Serve("127.0.0.1:0")), client_("http://" + server_.Address()) {}

  Server server_;
  httplib::Client client_;
};

TEST_F(DebugServerTraceTest, SendsWhatHappensMeanwhile) {
  std::atomic<bool> stop{false};
  WaitGroup wg;
  wg.Add(1);
  GoWith({.name = "ticker"}, [&] {
    while (!stop) Sleep(absl::Milliseconds(1));
    wg.Done();
  });
  const auto response = client_.Get("/debug/pprof/trace?seconds=0.1");
  stop = true;
  wg.Wait();
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->get_header_value("Content-Type"), "application/octet-stream");
  EXPECT_THAT(response->get_header_value("Content-Disposition"), HasSubstr("trace.pftrace"));
  const PerfettoTrace trace = ReadPerfettoTrace(response->body);
  EXPECT_THAT(trace.errors, IsEmpty());
  EXPECT_GE(trace.events.back().time - trace.clocks.at(6), 95'000'000u);
  int sleeps = 0;
  for (const auto& slice : trace.SlicesOf("ticker")) sleeps += slice.name == "sleep";
  EXPECT_GT(sleeps, 5);
}

TEST_F(DebugServerTraceTest, RefusesASecond) {
  Trace first("/dev/null");
  const auto response = client_.Get("/debug/pprof/trace");
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 409);
  EXPECT_EQ(response->body, "trace: tracing already enabled\n");
}

TEST_F(DebugServerTraceTest, WantsANumberOfSeconds) {
  for (const char* seconds : {"x", "", "0", "-1", "1s", "3601", "nan"}) {
    const auto response = client_.Get(std::string("/debug/pprof/trace?seconds=") + seconds);
    ASSERT_TRUE(response);
    EXPECT_EQ(response->status, 400) << seconds;
    EXPECT_EQ(response->body, "seconds: want a number above 0, up to 3600\n");
  }
}

// A trace can begin again at once, which the first would have held up for an hour.
TEST_F(DebugServerTraceTest, AClientThatGoesEndsItsTrace) {
  const auto gone =
      client_.Get("/debug/pprof/trace?seconds=3600", [](const char*, size_t) { return false; });
  EXPECT_FALSE(gone);
  absl::Status status;
  const absl::Time deadline = absl::Now() + absl::Seconds(20);
  do {
    Trace next("/dev/null");
    status = next.status();
  } while (!status.ok() && absl::Now() < deadline);
  EXPECT_EQ(status, absl::OkStatus());
}

TEST_F(DebugServerTraceTest, TheServerStopsInTheMiddleOfOne) {
  Chan<Unit> begun = MakeChan<Unit>(1);
  std::thread client([address = server_.Address(), begun] {
    httplib::Client other("http://" + address);
    other.Get("/debug/pprof/trace?seconds=3600", [begun](const char*, size_t) {
      begun.TrySend({});
      return true;
    });
  });
  begun.Recv();
  server_.Stop();
  client.join();
  EXPECT_EQ(Trace("/dev/null").status(), absl::OkStatus());
}

TEST_F(DebugServerTraceTest, IsInTheIndex) {
  const auto response = client_.Get("/debug/pprof/");
  ASSERT_TRUE(response);
  EXPECT_THAT(response->body, HasSubstr("href=\"trace?seconds=5\""));
}

}  // namespace
}  // namespace leash::debug
