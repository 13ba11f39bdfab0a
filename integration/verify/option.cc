#include "verify/option.h"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <utility>

#include "leash/analyzer/filter.h"
#include "leash/internal/verify_seam.h"
#include "model/function_name.h"
#include "model/stack_view.h"

namespace leash::verify {
namespace internal {
namespace {

using Kind = OptionRep::Kind;

Option Pattern(Kind kind, std::string_view glob, std::string_view key = "") {
  auto rep = std::make_shared<OptionRep>();
  rep->kind = kind;
  rep->glob = std::string(glob);
  rep->key = std::string(key);
  return Option(std::move(rep));
}

template <class Predicate>
bool AnyFrame(const Snapshot& s, StackId stack, Predicate predicate) {
  bool found = false;
  leash::internal::ForEachVisibleFrame(s, s.stacks[stack],
                                       [&](const Location& location, const Frame& frame) {
                                         found = found || predicate(location, frame);
                                       });
  return found;
}

// The innermost function, or the innermost one that is not leash's own: of a goroutine that waits
// in Chan::Send, people mean the one that sends.
bool TopFrameMatches(const Snapshot& s, StackId stack, const std::string& glob) {
  bool top = true;
  return AnyFrame(s, stack, [&](const Location&, const Frame& frame) {
    if (!top) return false;
    const std::string_view function = s.String(frame.function);
    top = function.starts_with("leash::");
    return GlobMatchFunction(glob, function);
  });
}

bool FunctionMatches(const Snapshot& s, StackId stack, const std::string& glob) {
  return AnyFrame(s, stack, [&](const Location&, const Frame& frame) {
    return GlobMatchFunction(glob, s.String(frame.function));
  });
}

bool PlaceMatches(const Snapshot& s, StackId stack, const std::string& glob) {
  return AnyFrame(s, stack, [&](const Location&, const Frame& frame) {
    return GlobMatchPlace(glob, s.String(frame.function), s.String(frame.file), frame.line);
  });
}

bool ModuleMatches(const Snapshot& s, StackId stack, const std::string& glob) {
  return AnyFrame(s, stack, [&](const Location& location, const Frame&) {
    return location.module >= 0 &&
           GlobMatch(glob, leash::internal::BaseName(
                               s.modules[static_cast<size_t>(location.module)].path));
  });
}

bool LabelMatches(const Snapshot& s, const Goroutine& g, const OptionRep& option) {
  const LabelSet& labels = s.label_sets[g.labels];
  return std::any_of(labels.begin(), labels.end(), [&](const auto& label) {
    return GlobMatch(option.key, s.String(label.first)) &&
           GlobMatch(option.glob, s.String(label.second));
  });
}

bool Matches(const Snapshot& s, const Goroutine& g, const OptionRep& option) {
  switch (option.kind) {
    case Kind::kTopFunction:
      return TopFrameMatches(s, g.stack, option.glob);
    case Kind::kAnyFunction:
      return FunctionMatches(s, g.stack, option.glob);
    case Kind::kCreatedBy: {
      const Site& site = s.sites[g.created_at];
      return GlobMatchPlace(option.glob, s.String(site.function), s.String(site.file), site.line) ||
             PlaceMatches(s, g.spawn_stack, option.glob);
    }
    case Kind::kModule:
      return ModuleMatches(s, g.stack, option.glob) || ModuleMatches(s, g.spawn_stack, option.glob);
    case Kind::kLabel:
      return LabelMatches(s, g, option);
    case Kind::kCurrent:
    case Kind::kMaxWait:
    case Kind::kCleanup:
    case Kind::kRunOnFailure:
      break;
  }
  return false;
}

// As the option was written, for people.
std::string Spelled(const OptionRep& option) {
  const auto quoted = [](const std::string& text) { return '"' + text + '"'; };
  switch (option.kind) {
    case Kind::kTopFunction:
      return "IgnoreTopFunction(" + quoted(option.glob) + ")";
    case Kind::kAnyFunction:
      return "IgnoreAnyFunction(" + quoted(option.glob) + ")";
    case Kind::kCreatedBy:
      return "IgnoreCreatedBy(" + quoted(option.glob) + ")";
    case Kind::kModule:
      return "IgnoreModule(" + quoted(option.glob) + ")";
    case Kind::kLabel:
      return "IgnoreLabel(" + quoted(option.key) + ", " + quoted(option.glob) + ")";
    case Kind::kCurrent:
    case Kind::kMaxWait:
    case Kind::kCleanup:
    case Kind::kRunOnFailure:
      break;
  }
  return "";
}

}  // namespace

OptionSet::OptionSet(const std::vector<Option>& options) {
  for (const Option& option : options) {
    const std::shared_ptr<OptionRep>& rep = option.rep();
    switch (rep->kind) {
      case Kind::kTopFunction:
      case Kind::kAnyFunction:
      case Kind::kCreatedBy:
      case Kind::kModule:
        needs_stacks_ = true;
        patterns_.push_back(rep);
        break;
      case Kind::kLabel:
        patterns_.push_back(rep);
        break;
      case Kind::kCurrent:
        currents_.push_back(rep);
        break;
      case Kind::kMaxWait:
        max_wait_ = std::max(rep->max_wait, absl::ZeroDuration());
        break;
      case Kind::kCleanup:
        cleanups_.push_back(rep);
        break;
      case Kind::kRunOnFailure:
        run_on_failure_ = true;
        break;
    }
  }
}

bool OptionSet::IgnoresId(uint64_t id) const {
  return std::any_of(currents_.begin(), currents_.end(), [&](const auto& current) {
    return std::binary_search(current->ids.begin(), current->ids.end(), id);
  });
}

bool OptionSet::IgnoresGoroutine(const Snapshot& snapshot, const Goroutine& g) const {
  bool ignored = false;
  // No short cut: one that is shadowed by another is not stale.
  for (const auto& pattern : patterns_) {
    if (!Matches(snapshot, g, *pattern)) continue;
    pattern->matched.store(true, std::memory_order_relaxed);
    ignored = true;
  }
  return ignored;
}

void OptionSet::WarnAboutStale() const {
  for (const auto& pattern : patterns_) {
    if (pattern->matched.load(std::memory_order_relaxed)) continue;
    const bool of_the_moment = pattern->kind == Kind::kTopFunction ||
                               pattern->kind == Kind::kAnyFunction ||
                               pattern->kind == Kind::kModule;
    if (of_the_moment && !seen_at_rest_) continue;
    std::fprintf(
        stderr,
        "leash: warning: stale option: %s matched no goroutine; take it out before it hides "
        "a leak\n",
        Spelled(*pattern).c_str());
  }
}

void OptionSet::CallCleanups(int status) const {
  for (const auto& cleanup : cleanups_) cleanup->cleanup(status);
}

}  // namespace internal

using internal::OptionRep;
using Kind = OptionRep::Kind;

Option IgnoreTopFunction(std::string_view glob) {
  return internal::Pattern(Kind::kTopFunction, glob);
}
Option IgnoreAnyFunction(std::string_view glob) {
  return internal::Pattern(Kind::kAnyFunction, glob);
}
Option IgnoreCreatedBy(std::string_view glob) { return internal::Pattern(Kind::kCreatedBy, glob); }
Option IgnoreModule(std::string_view glob) { return internal::Pattern(Kind::kModule, glob); }
Option IgnoreLabel(std::string_view key, std::string_view value) {
  return internal::Pattern(Kind::kLabel, value, key);
}

Option IgnoreCurrent() {
  auto rep = std::make_shared<OptionRep>();
  rep->kind = Kind::kCurrent;
  for (const auto& glimpse : leash::internal::GlanceAtGoroutines()) rep->ids.push_back(glimpse.id);
  std::sort(rep->ids.begin(), rep->ids.end());
  return Option(std::move(rep));
}

Option MaxWait(absl::Duration duration) {
  auto rep = std::make_shared<OptionRep>();
  rep->kind = Kind::kMaxWait;
  rep->max_wait = duration;
  return Option(std::move(rep));
}

Option Cleanup(std::function<void(int)> fn) {
  auto rep = std::make_shared<OptionRep>();
  rep->kind = Kind::kCleanup;
  rep->cleanup = std::move(fn);
  return Option(std::move(rep));
}

Option RunOnFailure() {
  auto rep = std::make_shared<OptionRep>();
  rep->kind = Kind::kRunOnFailure;
  return Option(std::move(rep));
}

}  // namespace leash::verify
