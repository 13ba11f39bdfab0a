// What a debug server's dump proves of a live process: the server's threads, which have looked at
// goroutines before, are no holders of what they saw.

#include <gtest/gtest.h>
#include <httplib.h>
#include <leash/analyzer/leak.h>
#include <leash/analyzer/read.h>
#include <leash/debug.h>
#include <leash/leash.h>

#include <atomic>
#include <string>
#include <string_view>

#include "absl/time/clock.h"
#include "base/sanitizers.h"
#include "support/wait_until_blocked.h"

namespace leash::debug {
namespace {

// More than the server has threads: each of them has looked by then.
constexpr int kLooks = 24;
constexpr absl::Duration kPatience = absl::Minutes(1);

std::atomic<int> done{0};

// Does something behind its wait, so that its frame is not replaced by the wait's.
[[gnu::noinline]] void LoseSight(Chan<int> ch) {
  ch.Send(1);
  ++done;
}

const Goroutine* FindLost(const Snapshot& s) {
  for (const Goroutine& g : s.goroutines) {
    for (const LocationId id : s.stacks[g.stack].locations) {
      for (const Frame& frame : s.locations[id].frames) {
        if (s.String(frame.function).find("::LoseSight(") != std::string_view::npos) return &g;
      }
    }
  }
  return nullptr;
}

std::string Verdict(const std::string& text) {
  absl::StatusOr<Snapshot> s = ReadSnapshot(text, "live");
  if (!s.ok()) return s.status().ToString();
  ProveLeaks(*s);
  const Goroutine* g = FindLost(*s);
  if (g == nullptr) return "not there";
  if (g->tier != LeakTier::kProved) return "still there";
  return "proved: " + std::string(s->String(g->tier_reason));
}

TEST(LiveProofTest, ALeakIsProvedThoughEachOfTheServersThreadsHasLookedAtIt) {
#if LEASH_ASAN
  if (__asan_get_current_fake_stack() != nullptr) {
    GTEST_SKIP() << "what lies in fake frames is taken for used";
  }
#endif
  // Not from here: this thread knew where its closure lies.
  go([] { go(LoseSight, MakeChan<int>()); });
  testing::WaitUntilBlockedCount(1, "chan send");
  absl::StatusOr<Server> server = Serve("127.0.0.1:0");
  ASSERT_TRUE(server.ok()) << server.status();
  httplib::Client client("http://" + server->Address());
  client.set_read_timeout(60);
  const auto look = [&client] {
    const httplib::Result result = client.Get("/debug/leash/snapshot.json");
    return result ? result->body : httplib::to_string(result.error());
  };
  std::string text;
  for (int i = 0; i < kLooks; ++i) {
    for (const char* debug : {"0", "1", "2", "3"}) {
      EXPECT_TRUE(client.Get(std::string("/debug/pprof/goroutine?debug=") + debug));
    }
    text = look();
  }
  // A look in which a thread happens to run proves nothing.
  const absl::Time deadline = absl::Now() + kPatience;
  while (Verdict(text) != "proved: no receiver is alive" && absl::Now() < deadline) text = look();
  EXPECT_EQ(Verdict(text), "proved: no receiver is alive") << text;
}

}  // namespace
}  // namespace leash::debug
