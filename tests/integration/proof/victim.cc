#include "integration/proof/victim.h"

#include <atomic>

#include "absl/time/clock.h"
#include "base/sanitizers.h"
#include "gtest/gtest.h"
#include "leash/analyzer/leak.h"
#include "leash/go.h"
#include "support/wait_until_blocked.h"

namespace leash::testing {
namespace {

constexpr int kLooks = 50;
constexpr absl::Duration kPatience = absl::Minutes(1);

const Goroutine* Find(const Snapshot& s, const std::string& name) {
  for (const Goroutine& g : s.goroutines) {
    for (const auto& [key, value] : s.label_sets[g.labels]) {
      if (s.String(key) == "name" && s.String(value) == name) return &g;
    }
  }
  return nullptr;
}

void Wait(const RecvChan<int>& in) { in.Recv(); }

}  // namespace

std::string VerdictOn(const std::string& name, const debug::CaptureOptions& options) {
  Snapshot s = debug::Capture(options);
  ProveLeaks(s);
  const Goroutine* g = Find(s, name);
  if (g == nullptr) return "gone";
  if (g->tier != LeakTier::kProved) return "still there";
  return "proved: " + std::string(s.String(g->tier_reason));
}

std::string VerdictOn(const std::string& name) {
  debug::CaptureOptions options;
  options.stacks = options.running_stacks = false;
  return VerdictOn(name, options);
}

std::string NewName() {
  static std::atomic<int> number{0};
  return "victim " + std::to_string(++number);
}

void WaitUntilWaits(const std::string& name) {
  WaitUntilSnapshot(
      [&](const Snapshot& s) {
        const Goroutine* g = Find(s, name);
        return g != nullptr && g->state == GoroutineState::kWaiting;
      },
      name + " waits");
}

std::string SpawnVictim(RecvChan<int> in) {
  std::string name = NewName();
  GoWith({.name = name}, Wait, std::move(in));
  WaitUntilWaits(name);
  return name;
}

void ExpectStillThere(const std::string& name, std::source_location site) {
  for (int i = 0; i < kLooks; ++i) {
    const std::string verdict = VerdictOn(name);
    if (verdict == "still there") continue;
    ADD_FAILURE_AT(site.file_name(), site.line()) << "look " << i << ": " << verdict;
    return;
  }
}

void ExpectProved(const std::string& name, std::string_view reason, std::source_location site) {
  const absl::Time deadline = absl::Now() + kPatience;
  const std::string want = "proved: " + std::string(reason);
  std::string verdict;
  while ((verdict = VerdictOn(name)) != want) {
    if (absl::Now() < deadline) continue;
    ADD_FAILURE_AT(site.file_name(), site.line()) << "want " << want << "\nhave " << verdict << "\n"
                                                  << debug::Stack(/*all=*/true);
    return;
  }
}

bool HeldHandlesCanBeProved() {
#if LEASH_ASAN
  return __asan_get_current_fake_stack() == nullptr;
#else
  return true;
#endif
}

}  // namespace leash::testing
