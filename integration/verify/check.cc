#include "verify/check.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "absl/time/clock.h"
#include "leash/analyzer/group.h"
#include "leash/analyzer/leak.h"
#include "leash/analyzer/render.h"
#include "leash/debug.h"
#include "leash/internal/verify_seam.h"
#include "verify/starvation.h"

namespace leash::verify::internal {
namespace {

using leash::internal::GlanceAtGoroutines;
using leash::internal::Glimpse;

// In all, in units of MaxWait().
constexpr int kTotalWaits = 10;
// After a look nothing is looked at for this many times as long as it took: a program with many
// goroutines that move all the time is not to be slowed down by being watched.
constexpr int kRestAfterLook = 3;
// A search of much memory takes long, but what ends is to be seen soon.
constexpr absl::Duration kRestMax = absl::Milliseconds(50);
// Whether something outside of goroutines points to a handle can be told only while no thread of
// the program's runs, and the end of that is no goroutine's move: such a look is repeated after
// this time, then after twice as long, and so on.
constexpr absl::Duration kReferenceRetryMin = absl::Milliseconds(10);
constexpr absl::Duration kReferenceRetryMax = absl::Seconds(1);
// Below this a moment's starvation is not measured anew after each progress.
constexpr absl::Duration kStarvationAge = absl::Milliseconds(50);

// On the monotonic clock, since its epoch.
absl::Duration Monotonic() {
  return absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
}

std::string_view TestOf(const Glimpse& g) {
  return g.test == nullptr ? std::string_view() : std::string_view(g.test);
}

class Checker {
 public:
  Checker(const InScope& in_scope, const OptionSet& options)
      : in_scope_(in_scope), options_(options) {}

  // True: somebody is left, and the snapshot says who.
  bool Run() {
    if (leash::internal::NoGoroutines()) return false;
    start_ = quiet_since_ = Monotonic();
    for (bool first = true;; first = false) {
      const absl::Duration began = Monotonic();
      const uint32_t ticket = leash::internal::WatchMoves();
      const bool candidates = Glance(first);
      if (!candidates && (!first || !MustJudgePatterns())) return false;
      const bool expired = Expired();
      Look(/*with_stacks=*/options_.needs_stacks());
      if (suspects_.empty()) return false;
      if (all_proved_ || expired) {
        // Now it is worth the names and lines; a goroutine may have moved meanwhile.
        if (!options_.needs_stacks()) Look(/*with_stacks=*/true);
        if (suspects_.empty()) return false;
        if (all_proved_ || expired) break;
      }
      if (first) starvation_.Restart();
      const absl::Duration took = Monotonic() - began;
      absl::Duration timeout = UntilExpired();
      if (by_reference_) {
        timeout = std::min(timeout, reference_retry_);
        reference_retry_ = std::min(2 * reference_retry_, kReferenceRetryMax);
      }
      leash::internal::WaitForMove(
          ticket, timeout == absl::InfiniteDuration() ? -1 : absl::ToInt64Nanoseconds(timeout));
      if (!first || took > absl::Milliseconds(1)) {
        absl::SleepFor(std::min({kRestAfterLook * took, kRestMax, UntilExpired()}));
      }
    }
    SetTiers();
    return true;
  }

  // Whether each goroutine that was looked at was seen waiting, once at least.
  bool SeenAtRest() const { return unsettled_.empty(); }

  // One report for each test, by the least id.
  std::vector<LeakReport> Reports(std::string_view untagged) {
    std::map<StringId, std::vector<uint32_t>> by_test;
    for (uint32_t index : suspects_) by_test[snapshot_.goroutines[index].test].push_back(index);
    std::vector<LeakReport> reports;
    for (const auto& [test, indices] : by_test) {
      const std::vector<Group> groups = GroupGoroutines(snapshot_, GroupBy::kExact, indices);
      LeakReport report;
      report.who = std::string(test == 0 ? untagged : snapshot_.String(test));
      report.headline = LeakHeadline(report.who, groups);
      RenderOptions render;
      render.tests = false;  // the headline says it
      report.text = report.headline + "\n\n" + RenderReport(snapshot_, groups, render);
      while (report.text.ends_with('\n')) report.text.pop_back();
      const Site& site = snapshot_.sites[snapshot_.goroutines[groups[0].members[0]].created_at];
      report.file = std::string(snapshot_.String(site.file));
      report.line = site.line;
      for (uint32_t index : indices) report.ids.push_back(snapshot_.goroutines[index].id);
      std::sort(report.ids.begin(), report.ids.end());
      reports.push_back(std::move(report));
    }
    std::sort(reports.begin(), reports.end(),
              [](const LeakReport& a, const LeakReport& b) { return a.ids[0] < b.ids[0]; });
    return reports;
  }

 private:
  // A goroutine that may have to be reported, as it was when we looked last.
  struct Seen {
    uint32_t seq = 0;
    bool busy = true;     // whenever we looked
    bool awaited = true;  // its progress counts: neither ignored by a pattern nor proved
  };

  // Looks at the records alone. False: no candidate is left.
  bool Glance(bool first) {
    std::unordered_map<uint64_t, Seen> now;
    bool progress = false;
    in_scope_alive_ = false;
    for (const Glimpse& g : GlanceAtGoroutines()) {
      if (g.background || !in_scope_(g.id, TestOf(g))) continue;
      in_scope_alive_ = true;
      if (options_.IgnoresId(g.id)) continue;
      const auto before = seen_.find(g.id);
      Seen seen = before == seen_.end() ? Seen{} : before->second;
      if (seen.awaited && (before == seen_.end() || seen.seq != g.seq)) progress = true;
      seen.seq = g.seq;
      seen.busy = seen.busy && g.busy;
      now.emplace(g.id, seen);
    }
    for (const auto& [id, seen] : seen_) {
      if (seen.awaited && !now.contains(id)) progress = true;
    }
    seen_ = std::move(now);
    if (progress && !first) {
      quiet_since_ = Monotonic();
      if (quiet_since_ - starvation_since_ > kStarvationAge) {
        starvation_.Restart();
        starvation_since_ = quiet_since_;
      }
    }
    return !seen_.empty();
  }

  // All that is alive is known to IgnoreCurrent(), but whether the patterns are stale is not known.
  bool MustJudgePatterns() const { return in_scope_alive_ && options_.has_patterns(); }

  void Look(bool with_stacks) {
    debug::CaptureOptions capture;
    capture.stacks = with_stacks;
    snapshot_ = debug::Capture(capture);
    ProveLeaks(snapshot_);
    suspects_.clear();
    all_proved_ = true;
    by_reference_ = false;
    for (auto& [id, seen] : seen_) seen.awaited = false;
    for (uint32_t i = 0; i < snapshot_.goroutines.size(); ++i) {
      const Goroutine& g = snapshot_.goroutines[i];
      if (g.kind != GoroutineKind::kGoroutine || g.current || g.background != 0 ||
          g.runtime_internal || !in_scope_(g.id, snapshot_.String(g.test))) {
        continue;
      }
      if (g.state == GoroutineState::kWaiting) {
        unsettled_.erase(g.id);
        settled_.insert(g.id);
      } else if (!settled_.contains(g.id)) {
        unsettled_.insert(g.id);
      }
      const bool ignored = options_.IgnoresGoroutine(snapshot_, g);
      if (ignored || options_.IgnoresId(g.id)) continue;
      suspects_.push_back(i);
      if (g.tier == LeakTier::kProved) continue;
      all_proved_ = false;
      by_reference_ =
          by_reference_ || std::any_of(g.waits.begin(), g.waits.end(), [&](const Wait& wait) {
            return snapshot_.objects[wait.object].by_reference;
          });
      seen_.try_emplace(g.id).first->second.awaited = true;
    }
  }

  absl::Duration QuietEnd() const { return quiet_since_ + options_.max_wait(); }
  absl::Duration TotalEnd() const { return start_ + kTotalWaits * options_.max_wait(); }

  bool Expired() const {
    const absl::Duration now = Monotonic();
    if (now >= TotalEnd()) return true;
    return now >= QuietEnd() && now >= QuietEnd() + absl::Nanoseconds(starvation_.Longest());
  }

  absl::Duration UntilExpired() const {
    const absl::Duration now = Monotonic();
    absl::Duration end = QuietEnd();
    if (now >= end) end += absl::Nanoseconds(starvation_.Longest());
    return std::max(absl::ZeroDuration(), std::min(end, TotalEnd()) - now);
  }

  void SetTiers() {
    const bool watched = options_.max_wait() > absl::ZeroDuration();
    for (uint32_t index : suspects_) {
      Goroutine& g = snapshot_.goroutines[index];
      if (g.tier == LeakTier::kProved) continue;
      const auto seen = seen_.find(g.id);
      const bool running =
          g.state == GoroutineState::kRunning || g.state == GoroutineState::kRunnable;
      g.tier = watched && running && seen != seen_.end() && seen->second.busy
                   ? LeakTier::kRunaway
                   : LeakTier::kStillThere;
    }
  }

  const InScope& in_scope_;
  const OptionSet& options_;
  absl::Duration start_, quiet_since_, starvation_since_;
  Starvation starvation_;
  std::unordered_map<uint64_t, Seen> seen_;           // by id
  std::unordered_set<uint64_t> settled_, unsettled_;  // seen waiting; never seen waiting. By id
  bool in_scope_alive_ = false;
  Snapshot snapshot_;
  std::vector<uint32_t> suspects_;  // indices into snapshot_.goroutines
  bool all_proved_ = false;
  bool by_reference_ = false;  // some that are not proved might be, by another look
  absl::Duration reference_retry_ = kReferenceRetryMin;
};

}  // namespace

std::vector<LeakReport> Check(const InScope& in_scope, const OptionSet& options,
                              std::string_view untagged) {
  Checker checker(in_scope, options);
  const bool left = checker.Run();
  options.SetSeenAtRest(checker.SeenAtRest());
  if (!left) return {};
  return checker.Reports(untagged);
}

std::string JoinReports(const std::vector<LeakReport>& reports) {
  std::string text;
  for (const LeakReport& report : reports) {
    if (!text.empty()) text += "\n\n";
    text += report.text;
  }
  return text;
}

}  // namespace leash::verify::internal
