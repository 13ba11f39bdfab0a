// The pages for people: the index of /debug/pprof/ and the groups of /debug/leash/.

#ifndef LEASH_INTEGRATION_DEBUG_SERVER_PAGE_H_
#define LEASH_INTEGRATION_DEBUG_SERVER_PAGE_H_

#include <string>

#include "leash/snapshot.h"

namespace leash::internal {

std::string PprofIndexPage();

// Groups, biggest first, each with its report; self-contained HTML, no script needed.
std::string GroupsPage(const Snapshot& snapshot);

}  // namespace leash::internal

#endif  // LEASH_INTEGRATION_DEBUG_SERVER_PAGE_H_
