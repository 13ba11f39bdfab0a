// Who may include whom.
//
//   model <- runtime <- integration -> analyzer -> model,  tools -> analyzer
//
// and inside runtime/src, each folder only those to its left, and model:
//
//   base < stack < sched < chan < time < context < sync < net < debug < explore
//
// The clang-tidy module knows leash by its names only; examples see what a user sees.

#ifndef LEASH_TESTS_TIDY_LAYERING_H_
#define LEASH_TESTS_TIDY_LAYERING_H_

#include <vector>

#include "tidy/tree.h"

namespace leash::tidy {

// LayeringFindings()
//
// The includes among `files` that follow no arrow, and those of leash's own that lead to no file.
Findings LayeringFindings(const std::vector<SourceFile>& files);

}  // namespace leash::tidy

#endif  // LEASH_TESTS_TIDY_LAYERING_H_
