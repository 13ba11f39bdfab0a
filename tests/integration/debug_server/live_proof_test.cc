// What a debug server's dump proves of a live process: the server's threads, which have looked at
// goroutines before, are no holders of what they saw.

#include <gtest/gtest.h>
#include <httplib.h>
#include <leash/analyzer/leak.h>
#include <leash/analyzer/read.h>
#include <leash/debug.h>
#include <leash/leash.h>

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "absl/time/clock.h"
#include "base/sanitizers.h"
#include "support/wait_until_blocked.h"

namespace leash::debug {
namespace {

constexpr int kLooks = 24;
constexpr absl::Duration kPatience = absl::Minutes(1);

std::atomic<int> done{0};
// Where the only handle lies, in a form that is no pointer to it, and as one.
std::atomic<uintptr_t> hidden{0};
std::atomic<const void*> referred{nullptr};

// Does something behind its wait, so that its frame is not replaced by the wait's.
[[gnu::noinline]] void LoseSight(Chan<int> ch) {
  hidden = ~reinterpret_cast<uintptr_t>(&ch);
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

constexpr const char* kLost = "proved: no receiver is alive";

std::string Verdict(Snapshot* s) {
  ProveLeaks(*s);
  const Goroutine* g = FindLost(*s);
  if (g == nullptr) return "not there";
  if (g->tier != LeakTier::kProved) return "still there";
  return "proved: " + std::string(s->String(g->tier_reason));
}
std::string Verdict(const std::string& text) {
  absl::StatusOr<Snapshot> s = ReadSnapshot(text, "live");
  return s.ok() ? Verdict(&*s) : s.status().ToString();
}

class LiveProofTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!LEASH_RECORD) GTEST_SKIP() << "handles are not counted";
#if LEASH_ASAN
    if (__asan_get_current_fake_stack() != nullptr) {
      GTEST_SKIP() << "what lies in fake frames is taken for used";
    }
#endif
    absl::StatusOr<Server> server = Serve("127.0.0.1:0");
    ASSERT_TRUE(server.ok()) << server.status();
    server_.emplace(*std::move(server));
    client_.emplace("http://" + server_->Address());
    client_->set_read_timeout(60);
    // Not from here: this thread knew where its closure lies.
    static bool planted = false;
    if (!std::exchange(planted, true)) go([] { go(LoseSight, MakeChan<int>()); });
    testing::WaitUntilBlockedCount(1, "chan send");
  }

  std::string Get(const std::string& path) {
    const httplib::Result result = client_->Get(path);
    EXPECT_TRUE(result) << path << ": " << httplib::to_string(result.error());
    if (!result) return "";
    EXPECT_EQ(result->status, 200) << path;
    return result->body;
  }

  std::optional<Server> server_;
  std::optional<httplib::Client> client_;
};

constexpr const char* kSnapshot = "/debug/leash/snapshot.json";

TEST_F(LiveProofTest, ALeakIsProvedThoughTheServersThreadsHaveLookedAtIt) {
  for (int i = 0; i < kLooks; ++i) {
    for (const char* debug : {"0", "1", "2", "3"}) {
      Get(std::string("/debug/pprof/goroutine?debug=") + debug);
    }
    Get(kSnapshot);
  }
  // A look in which a thread happens to run proves nothing.
  const absl::Time deadline = absl::Now() + kPatience;
  std::string text;
  do {
    text = Get(kSnapshot);
  } while (Verdict(text) != kLost && absl::Now() < deadline);
  EXPECT_EQ(Verdict(text), kLost) << text;
}

TEST_F(LiveProofTest, NotWhileTheProgramRefersToIt) {
  referred = reinterpret_cast<const void*>(~hidden.load());  // anywhere in the program's memory
  for (int i = 0; i < kLooks; ++i) ASSERT_EQ(Verdict(Get(kSnapshot)), "still there");
  referred = nullptr;
}

TEST_F(LiveProofTest, ByAThreadThatHasNeverUsedLeash) {
  std::string verdict;
  std::thread([&verdict] {
    const absl::Time deadline = absl::Now() + kPatience;
    do {
      Snapshot s = Capture();
      verdict = Verdict(&s);
    } while (verdict != kLost && absl::Now() < deadline);
  }).join();
  EXPECT_EQ(verdict, kLost);
}

}  // namespace
}  // namespace leash::debug
