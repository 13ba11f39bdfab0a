// Reports for people: the blocks that the verifier and `leash dump` print.
//
//     3 goroutines [chan send] proved: no receiver is alive
//         Cache::Evict(Key)                       cache.cc:88
//         created by Cache::Start at cache.cc:41 in goroutine 1
//         waits for Chan<Key> "evictions" (cap 0) made at cache.cc:30; its last receiver went at
//         cache.cc:95 goroutines 12, 13, 14; waiting 3s

#ifndef LEASH_ANALYZER_RENDER_H_
#define LEASH_ANALYZER_RENDER_H_

#include <string>
#include <string_view>
#include <vector>

#include "leash/analyzer/group.h"
#include "leash/snapshot.h"

namespace leash {

struct RenderOptions {
  bool color = false;      // with terminal escapes
  bool tests = true;       // a line with the test that each goroutine began in
  bool see = true;         // the last line: see: leash explain "chan send"
  size_t groups_max = 0;   // 0: all; the rest is counted in one line
  size_t frames_max = 40;  // of one stack; the rest is counted in one line. 0: all
};

// The blocks, a blank line between them, and the "see:" line. Each line ends with a newline.
std::string RenderReport(const Snapshot& snapshot, const std::vector<Group>& groups,
                         const RenderOptions& options = {});

// One block, without a blank line.
std::string RenderGroup(const Snapshot& snapshot, const Group& group,
                        const RenderOptions& options = {});

// "leash: CacheTest.Evict leaked 3 goroutines in 1 group", without a newline.
std::string LeakHeadline(std::string_view who, const std::vector<Group>& groups);

// "962 goroutines in 14 groups", without a newline.
std::string CountLine(const std::vector<Group>& groups);

// Folded stacks, for flame graphs: "root;child;leaf COUNT", most first.
std::string RenderFolded(const Snapshot& snapshot, const std::vector<uint32_t>& indices);

// "250ms", "3s", "2m3s", "5h12m".
std::string FormatWait(int64_t ns);

}  // namespace leash

#endif  // LEASH_ANALYZER_RENDER_H_
