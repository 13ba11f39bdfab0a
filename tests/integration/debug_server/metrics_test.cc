// /metrics over HTTP: a scraper can read it, and it says what Metrics() says.

#include <httplib.h>

#include <atomic>
#include <map>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "integration/debug_server/exposition.h"
#include "leash/debug.h"
#include "leash/leash.h"
#include "support/golden.h"
#include "support/wait_until_blocked.h"

namespace leash::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// The answer to GET /metrics.
httplib::Result Scrape(const debug::Server& server) {
  httplib::Client client("http://" + server.Address());
  client.set_read_timeout(60);
  return client.Get("/metrics");
}

debug::Server Serve() {
  absl::StatusOr<debug::Server> server = debug::Serve("127.0.0.1:0");
  EXPECT_TRUE(server.ok()) << server.status();
  return *std::move(server);
}

double Value(const Exposition& exposition, std::string_view family,
             const std::map<std::string, std::string>& labels = {}) {
  const MetricFamily* found = exposition.Find(family);
  if (found == nullptr) {
    ADD_FAILURE() << "no " << family;
    return -1;
  }
  for (const MetricSample& sample : found->samples) {
    if (sample.labels == labels) return sample.value;
  }
  ADD_FAILURE() << "no such sample of " << family;
  return -1;
}

TEST(MetricsPageTest, IsPrometheusTextFormat) {
  // Something in every family.
  Chan<int> ch = MakeChan<int>();
  WaitGroup wg;
  wg.Go([ch] {
    for ([[maybe_unused]] int v : ch) {
    }
  });
  for (int i = 0; i < 10'000; ++i) ch.Send(i);
  const debug::Server server = Serve();
  const httplib::Result r = Scrape(server);
  ASSERT_TRUE(r);
  EXPECT_EQ(r->status, 200);
  EXPECT_EQ(r->get_header_value("Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
  const Exposition exposition = ReadExposition(r->body);
  EXPECT_THAT(exposition.errors, IsEmpty()) << r->body;
  for (const MetricFamily& family : exposition.families) {
    EXPECT_TRUE(family.name.starts_with("leash_")) << family.name;
    EXPECT_TRUE(family.help.ends_with(".")) << family.help;
  }
  ch.Close();
  wg.Wait();
}

TEST(MetricsPageTest, CountsAWaitingGoroutineUnderItsReason) {
  Chan<int> ch = MakeChan<int>();
  WaitGroup wg;
  for (int i = 0; i < 3; ++i) wg.Go([ch] { ch.Recv(); });
  WaitUntilBlockedCount(3, "chan receive");
  const debug::Server server = Serve();
  const httplib::Result r = Scrape(server);
  ASSERT_TRUE(r);
  const Exposition exposition = ReadExposition(r->body);
  EXPECT_EQ(
      Value(exposition, "leash_goroutines", {{"state", "waiting"}, {"reason", "chan receive"}}), 3);
  EXPECT_GE(Value(exposition, "leash_parks_total", {{"reason", "chan receive"}}), 3);
  EXPECT_EQ(Value(exposition, "leash_gomaxprocs"), GOMAXPROCS(0));
  ch.Close();
  wg.Wait();
}

TEST(MetricsPageTest, AnswersWhileEveryPComputes) {
  // Who has said that it is done in a test before may still be on its way out.
  while (NumGoroutine() != 0) std::this_thread::yield();
  const int procs = GOMAXPROCS(0);
  std::atomic<bool> stop{false};
  std::atomic<int> running{0};
  WaitGroup wg;
  for (int i = 0; i < procs; ++i) {
    wg.Go([&] {
      running.fetch_add(1);
      while (!stop.load(std::memory_order_relaxed)) {
      }
    });
  }
  while (running.load() < procs) std::this_thread::yield();
  const debug::Server server = Serve();
  const httplib::Result r = Scrape(server);
  stop.store(true);
  wg.Wait();
  ASSERT_TRUE(r);
  EXPECT_EQ(
      Value(ReadExposition(r->body), "leash_goroutines", {{"state", "running"}, {"reason", ""}}),
      procs);
}

TEST(MetricsPageTest, EveryFamilyIsOnTheReferencePage) {
  const debug::Server server = Serve();
  const httplib::Result r = Scrape(server);
  ASSERT_TRUE(r);
  const std::string page = ReadTestFile("docs/reference/metrics.md");
  std::vector<std::string> documented;
  for (size_t at = 0; (at = page.find("\n| `leash_", at)) != std::string::npos; ++at) {
    const size_t begin = at + 4;
    documented.push_back(page.substr(begin, page.find_first_of("`{", begin) - begin));
  }
  std::vector<std::string> served;
  for (const MetricFamily& family : ReadExposition(r->body).families) {
    served.push_back(family.name);
  }
  EXPECT_THAT(documented, ::testing::UnorderedElementsAreArray(served));
}

TEST(ReadExpositionTest, FindsWhatAScraperWouldReject) {
  const auto errors = [](std::string_view text) { return ReadExposition(text).errors; };
  const std::string gauge = "# HELP a A.\n# TYPE a gauge\n";
  EXPECT_THAT(errors(gauge + "a 1\n"), IsEmpty());
  EXPECT_THAT(errors(gauge + "a{x=\"1\",y=\"\\\"\"} 1e-07\na 2\n"), IsEmpty());
  EXPECT_THAT(errors(gauge + "a one\n"), ElementsAre("line 3: no number: a one"));
  EXPECT_THAT(errors(gauge + "a 1\na 1\n"), ElementsAre("line 4: twice: a 1"));
  EXPECT_THAT(errors(gauge + "b 1\n"), ElementsAre("line 3: b among the samples of a"));
  EXPECT_THAT(errors(gauge), ElementsAre("a: no samples"));
  EXPECT_THAT(errors("a 1\n"), ElementsAre("line 1: a sample without HELP and TYPE before it"));
  EXPECT_THAT(errors(gauge + "a 1"), ElementsAre("line 0: the last line does not end"));
  EXPECT_THAT(errors("# HELP a A.\n# TYPE a counter\na 1\n"),
              ElementsAre("a: a counter that does not end in _total"));
  const std::string histogram = "# HELP h H.\n# TYPE h histogram\n";
  EXPECT_THAT(
      errors(histogram + "h_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 2\nh_sum 3\nh_count 2\n"),
      IsEmpty());
  EXPECT_THAT(errors(histogram + "h_bucket{le=\"1\"} 3\nh_bucket{le=\"+Inf\"} 2\nh_count 3\n"),
              ElementsAre("h: buckets that do not accumulate", "h: _count is not the last bucket's",
                          "h: no _sum"));
  EXPECT_THAT(
      errors(histogram + "h_bucket{le=\"2\"} 1\nh_bucket{le=\"1\"} 2\nh_sum 3\nh_count 2\n"),
      ElementsAre("h: bounds that do not ascend", "h: the last bucket is not +Inf"));
}

}  // namespace
}  // namespace leash::testing
