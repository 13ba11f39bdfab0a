// What a group waits for, in one line each.

#ifndef LEASH_ANALYZER_RENDER_OBJECT_TEXT_H_
#define LEASH_ANALYZER_RENDER_OBJECT_TEXT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "leash/analyzer/group.h"
#include "leash/snapshot.h"

namespace leash::internal {

// "cache.cc:41", or "" if it is not known.
std::string PlaceText(const Snapshot& s, SiteId site);

// "12", "12, 13", "12, 13, 14 and 97 more"
std::string ListIds(const std::vector<uint64_t>& ids);

// `waits for Chan<Key> "evictions" (cap 0) made at cache.cc:30; its last receiver went at
// cache.cc:95`, one for each different text among the group's waits, most frequent first, four at
// most and then how many more there are.
std::vector<std::string> WaitLines(const Snapshot& s, const Group& group);

}  // namespace leash::internal

#endif  // LEASH_ANALYZER_RENDER_OBJECT_TEXT_H_
