// A snapshot, a look, a nap; again. The nap is a courtesy to the processors, not an order of
// events.

#include "support/wait_until_blocked.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "leash/debug.h"
#include "leash/time.h"

namespace leash::testing {
namespace {

constexpr absl::Duration kDeadline = absl::Minutes(1);

bool Waits(const Snapshot& s, const Goroutine& g, std::string_view reason) {
  return g.state == GoroutineState::kWaiting && s.StatusWord(g) == reason;
}

}  // namespace

bool WaitUntilSnapshot(const std::function<bool(const Snapshot&)>& condition, std::string_view what,
                       std::source_location site) {
  const absl::Time deadline = absl::Now() + kDeadline;
  absl::Duration nap = absl::Microseconds(50);
  debug::CaptureOptions states_only;
  states_only.stacks = states_only.running_stacks = states_only.mentions = false;
  while (!condition(debug::Capture(states_only))) {
    if (absl::Now() > deadline) {
      ADD_FAILURE_AT(site.file_name(), site.line()) << "after a minute still not: " << what << "\n"
                                                    << debug::Stack(true);
      return false;
    }
    Sleep(nap);
    nap = std::min(nap * 2, absl::Milliseconds(5));
  }
  return true;
}

bool WaitUntilBlocked(uint64_t id, std::string_view reason, std::source_location site) {
  return WaitUntilSnapshot(
      [&](const Snapshot& s) {
        return std::any_of(s.goroutines.begin(), s.goroutines.end(),
                           [&](const Goroutine& g) { return g.id == id && Waits(s, g, reason); });
      },
      "goroutine " + std::to_string(id) + " [" + std::string(reason) + "]", site);
}

bool WaitUntilBlockedCount(size_t count, std::string_view reason, std::source_location site) {
  return WaitUntilSnapshot(
      [&](const Snapshot& s) {
        const auto n = std::count_if(s.goroutines.begin(), s.goroutines.end(),
                                     [&](const Goroutine& g) { return Waits(s, g, reason); });
        return static_cast<size_t>(n) >= count;
      },
      std::to_string(count) + " goroutines [" + std::string(reason) + "]", site);
}

}  // namespace leash::testing
