// Groups of equal goroutines.
//
// Ten thousand goroutines stuck at one line are one thing to read. Two goroutines are equal by
// their logical stacks (functions and lines as people see them, never addresses or arguments), the
// reason of their wait, where they were created, and what is known about their end.

#ifndef LEASH_ANALYZER_GROUP_H_
#define LEASH_ANALYZER_GROUP_H_

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "leash/snapshot.h"

namespace leash {

enum class GroupBy : uint8_t {
  kExact,    // "exact": stack with lines, reason, creation site, tier
  kSimilar,  // "similar": as exact, lines ignored
  kSite,     // "site": creation site
  kReason,   // "reason": reason
};
std::optional<GroupBy> GroupByFromText(std::string_view text);

struct Group {
  // Indices into Snapshot::goroutines, by id. The first one stands for the group where a member's
  // own stack or site is shown.
  std::vector<uint32_t> members;
  // Over the members whose wait time is known; -1 where it is of none.
  int64_t wait_min_ns = -1, wait_median_ns = -1, wait_max_ns = -1;
  // What all members have in common; 0 or empty where they differ. `common_stack` and `common_site`
  // say whether the first member's stack and creation site are those of all.
  bool common_stack = true, common_site = true, common_reason = true;
  LabelSet labels;
  StringId test = 0, background = 0;
  LeakTier tier = LeakTier::kNone;
  StringId tier_reason = 0;
  // The ids of the distinct parents, ascending.
  std::vector<uint64_t> parents;
};

// All goroutines of `snapshot`, or those of `indices`, biggest group first; of equal sizes the
// proved ones first, then by longest wait, then by least id. Linear but for the sort of the groups.
std::vector<Group> GroupGoroutines(const Snapshot& snapshot, GroupBy by);
std::vector<Group> GroupGoroutines(const Snapshot& snapshot, GroupBy by,
                                   const std::vector<uint32_t>& indices);

// A Snapshot of these goroutines only, with what they refer to.
Snapshot CopyGoroutines(const Snapshot& snapshot, const std::vector<uint32_t>& indices);

}  // namespace leash

#endif  // LEASH_ANALYZER_GROUP_H_
