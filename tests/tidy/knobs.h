// The knobs of leash: environment variables LEASH_*, the keys of LEASH_DEBUG, and CMake's LEASH_*
// options. Each stands in docs/reference/environment.md, as the first cell of a table's row: |
// `LEASH_MAXPROCS` | ...

#ifndef LEASH_TESTS_TIDY_KNOBS_H_
#define LEASH_TESTS_TIDY_KNOBS_H_

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tidy/tree.h"

namespace leash::tidy {

// The name of each knob, and a place where it is read: "runtime/src/base/env.cc:97".
using Knobs = std::map<std::string, std::string>;

// In sources: string literals that are exactly a LEASH_* name, and `key == "..."` where LEASH_DEBUG
// is read, as "LEASH_DEBUG=guards". In CMake files: option(LEASH_* and set(LEASH_* ... CACHE.
Knobs KnobsIn(const std::vector<SourceFile>& files);

// In a page: the first cells of its tables.
Knobs KnobsDocumentedIn(const SourceFile& page);

// What one has and the other has not.
Findings KnobFindings(const Knobs& read, const Knobs& documented);

}  // namespace leash::tidy

#endif  // LEASH_TESTS_TIDY_KNOBS_H_
