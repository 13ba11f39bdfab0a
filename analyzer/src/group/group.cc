// Groups of equal goroutines.
//
// Stacks are compared by what people see of them: each distinct stack of the Snapshot is reduced,
// once, to the id of its visible functions and lines; a goroutine's key is then four numbers.

#include "leash/analyzer/group.h"

#include <algorithm>
#include <map>
#include <string>
#include <unordered_map>

#include "model/stack_view.h"

namespace leash {
namespace {

// The logical identity of each stack: equal numbers, equal for people.
class LogicalStacks {
 public:
  LogicalStacks(const Snapshot& s, bool lines) : s_(s), lines_(lines), ids_(s.stacks.size(), 0) {}

  uint32_t Id(StackId stack) {
    uint32_t& id = ids_[stack];
    if (id == 0) id = Compute(s_.stacks[stack]);
    return id;
  }

 private:
  uint32_t Compute(const Stack& stack) {
    key_.clear();
    internal::ForEachVisibleFrame(
        s_, stack,
        [&](const Location& location, const Frame& frame) {
          key_.push_back(frame.function);
          // A frame without a name is told by its address.
          if (frame.function == 0) {
            key_.push_back(static_cast<uint32_t>(location.pc));
            key_.push_back(static_cast<uint32_t>(location.pc >> 32));
          }
          if (lines_) {
            key_.push_back(frame.file);
            key_.push_back(static_cast<uint32_t>(frame.line));
          }
        },
        [&](int32_t n) {
          key_.push_back(UINT32_MAX);
          key_.push_back(lines_ ? static_cast<uint32_t>(n) : 0);
        });
    std::string bytes(reinterpret_cast<const char*>(key_.data()), key_.size() * sizeof key_[0]);
    return by_key_.try_emplace(std::move(bytes), static_cast<uint32_t>(by_key_.size()) + 1)
        .first->second;
  }

  const Snapshot& s_;
  const bool lines_;
  std::vector<uint32_t> ids_, key_;
  std::unordered_map<std::string, uint32_t> by_key_;
};

// The same for places: where a goroutine was created, whatever the address.
class LogicalSites {
 public:
  LogicalSites(const Snapshot& s, bool lines) : s_(s), lines_(lines), ids_(s.sites.size(), 0) {}
  uint32_t Id(SiteId site) {
    uint32_t& id = ids_[site];
    if (id == 0) {
      const Site& at = s_.sites[site];
      const auto key = lines_ ? std::make_tuple(at.function, at.file, at.line)
                              : std::make_tuple(at.function, StringId{0}, 0);
      id = by_key_.try_emplace(key, static_cast<uint32_t>(by_key_.size()) + 1).first->second;
    }
    return id;
  }

 private:
  const Snapshot& s_;
  const bool lines_;
  std::vector<uint32_t> ids_;
  std::map<std::tuple<StringId, StringId, int32_t>, uint32_t> by_key_;
};

struct Key {
  uint32_t stack = 0, site = 0, reason = 0, tier = 0;
  bool operator==(const Key&) const = default;
};
struct KeyHash {
  size_t operator()(const Key& k) const {
    uint64_t h = (static_cast<uint64_t>(k.stack) << 32 | k.site) * 0x9e3779b97f4a7c15ULL;
    h ^= h >> 29;
    h = (h ^ (static_cast<uint64_t>(k.reason) << 32 | k.tier)) * 0xff51afd7ed558ccdULL;
    return h ^ h >> 32;
  }
};

void Summarize(const Snapshot& s, LogicalStacks& stacks, LogicalSites& sites, Group* group) {
  std::sort(group->members.begin(), group->members.end(), [&](uint32_t a, uint32_t b) {
    const uint64_t a_id = s.goroutines[a].id, b_id = s.goroutines[b].id;
    return a_id != b_id ? a_id < b_id : a < b;
  });
  const Goroutine& first = s.goroutines[group->members[0]];
  group->labels = s.label_sets[first.labels];
  group->test = first.test;
  group->background = first.background;
  group->tier = first.tier;
  group->tier_reason = first.tier_reason;
  const std::string_view word = s.StatusWord(first);
  std::vector<int64_t> waits;
  LabelSetId last_labels = first.labels;
  for (uint32_t index : group->members) {
    const Goroutine& g = s.goroutines[index];
    if (g.wait_ns >= 0) waits.push_back(g.wait_ns);
    if (g.parent_id != 0) group->parents.push_back(g.parent_id);
    if (g.labels != last_labels) {
      last_labels = g.labels;
      const LabelSet& labels = s.label_sets[g.labels];
      std::erase_if(group->labels, [&](const auto& label) {
        return std::find(labels.begin(), labels.end(), label) == labels.end();
      });
    }
    if (g.test != group->test) group->test = 0;
    if (g.background != group->background) group->background = 0;
    if (g.tier != group->tier) group->tier = LeakTier::kNone;
    if (g.tier_reason != group->tier_reason) group->tier_reason = 0;
    if (g.stack != first.stack && stacks.Id(g.stack) != stacks.Id(first.stack)) {
      group->common_stack = false;
    }
    if (g.created_at != first.created_at && sites.Id(g.created_at) != sites.Id(first.created_at)) {
      group->common_site = false;
    }
    if (s.StatusWord(g) != word) group->common_reason = false;
  }
  if (group->tier == LeakTier::kNone) group->tier_reason = 0;
  std::sort(group->parents.begin(), group->parents.end());
  group->parents.erase(std::unique(group->parents.begin(), group->parents.end()),
                       group->parents.end());
  if (waits.empty()) return;
  const auto middle = waits.begin() + static_cast<ptrdiff_t>((waits.size() - 1) / 2);
  std::nth_element(waits.begin(), middle, waits.end());
  group->wait_median_ns = *middle;
  group->wait_min_ns = *std::min_element(waits.begin(), waits.end());
  group->wait_max_ns = *std::max_element(waits.begin(), waits.end());
}

}  // namespace

std::optional<GroupBy> GroupByFromText(std::string_view text) {
  if (text == "exact") return GroupBy::kExact;
  if (text == "similar") return GroupBy::kSimilar;
  if (text == "site") return GroupBy::kSite;
  if (text == "reason") return GroupBy::kReason;
  return std::nullopt;
}

std::vector<Group> GroupGoroutines(const Snapshot& snapshot, GroupBy by) {
  std::vector<uint32_t> all(snapshot.goroutines.size());
  for (size_t i = 0; i < all.size(); ++i) all[i] = static_cast<uint32_t>(i);
  return GroupGoroutines(snapshot, by, all);
}

std::vector<Group> GroupGoroutines(const Snapshot& snapshot, GroupBy by,
                                   const std::vector<uint32_t>& indices) {
  const Snapshot& s = snapshot;
  const bool lines = by != GroupBy::kSimilar;
  LogicalStacks stacks(s, lines);
  LogicalSites sites(s, lines);
  std::vector<Group> groups;
  std::unordered_map<Key, uint32_t, KeyHash> by_key;
  for (uint32_t index : indices) {
    const Goroutine& g = s.goroutines[index];
    Key key;
    // The state's word where it is no reason: above every id of a string.
    const bool words = g.state == GoroutineState::kWaiting || g.state == GoroutineState::kOther;
    const uint32_t reason = words ? g.reason : UINT32_MAX - static_cast<uint32_t>(g.state);
    if (by != GroupBy::kSite) key.reason = reason;
    if (by != GroupBy::kReason) key.site = sites.Id(g.created_at);
    if (by == GroupBy::kExact || by == GroupBy::kSimilar) {
      key.stack = stacks.Id(g.stack);
      key.tier = static_cast<uint32_t>(g.tier) << 28 ^ g.tier_reason;
    }
    const auto [it, added] = by_key.try_emplace(key, static_cast<uint32_t>(groups.size()));
    if (added) groups.emplace_back();
    groups[it->second].members.push_back(index);
  }
  for (Group& group : groups) Summarize(s, stacks, sites, &group);
  std::sort(groups.begin(), groups.end(), [&](const Group& a, const Group& b) {
    if (a.members.size() != b.members.size()) return a.members.size() > b.members.size();
    const bool a_proved = a.tier == LeakTier::kProved, b_proved = b.tier == LeakTier::kProved;
    if (a_proved != b_proved) return a_proved;
    if (a.wait_max_ns != b.wait_max_ns) return a.wait_max_ns > b.wait_max_ns;
    const uint32_t a_first = a.members[0], b_first = b.members[0];
    const uint64_t a_id = s.goroutines[a_first].id, b_id = s.goroutines[b_first].id;
    return a_id != b_id ? a_id < b_id : a_first < b_first;
  });
  return groups;
}

}  // namespace leash
