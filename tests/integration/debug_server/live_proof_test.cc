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

const Goroutine* Find(const Snapshot& s, const std::string& name) {
  for (const Goroutine& g : s.goroutines) {
    for (const auto& [key, value] : s.label_sets[g.labels]) {
      if (s.String(key) == "name" && s.String(value) == name) return &g;
    }
  }
  return nullptr;
}

constexpr const char* kLost = "proved: no receiver is alive";

std::string Verdict(Snapshot* s, const std::string& name) {
  ProveLeaks(*s);
  const Goroutine* g = Find(*s, name);
  if (g == nullptr) return "not there";
  if (g->tier != LeakTier::kProved) return "still there";
  return "proved: " + std::string(s->String(g->tier_reason));
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
    // Each test has one of its own: what refers to it there may leave a stale word somewhere.
    static int planted = 0;
    name_ = "lost " + std::to_string(++planted);
    // Not from here: this thread would know where its closure lies.
    go([name = name_] { GoWith({.name = name}, LoseSight, MakeChan<int>()); });
    testing::WaitUntilSnapshot(
        [this](const Snapshot& s) {
          const Goroutine* g = Find(s, name_);
          return g != nullptr && s.StatusWord(*g) == "chan send";
        },
        name_ + " [chan send]");
  }

  std::string VerdictOn(const std::string& text) {
    absl::StatusOr<Snapshot> s = ReadSnapshot(text, "live");
    return s.ok() ? Verdict(&*s, name_) : s.status().ToString();
  }

  std::string Get(const std::string& path) {
    const httplib::Result result = client_->Get(path);
    EXPECT_TRUE(result) << path << ": " << httplib::to_string(result.error());
    if (!result) return "";
    EXPECT_EQ(result->status, 200) << path;
    return result->body;
  }

  std::string name_;
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
  } while (VerdictOn(text) != kLost && absl::Now() < deadline);
  EXPECT_EQ(VerdictOn(text), kLost) << text;
}

TEST_F(LiveProofTest, NotWhileTheProgramRefersToIt) {
  referred = reinterpret_cast<const void*>(~hidden.load());  // anywhere in the program's memory
  for (int i = 0; i < kLooks; ++i) ASSERT_EQ(VerdictOn(Get(kSnapshot)), "still there");
  referred = nullptr;
}

TEST_F(LiveProofTest, ByAThreadThatHasNeverUsedLeash) {
  std::string verdict;
  std::thread([this, &verdict] {
    const absl::Time deadline = absl::Now() + kPatience;
    do {
      Snapshot s = Capture();
      verdict = Verdict(&s, name_);
    } while (verdict != kLost && absl::Now() < deadline);
  }).join();
  EXPECT_EQ(verdict, kLost);
}

}  // namespace
}  // namespace leash::debug
