// What leash::debug_server needs of the runtime. Not for programs.

#ifndef LEASH_INTERNAL_DEBUG_SEAM_H_
#define LEASH_INTERNAL_DEBUG_SEAM_H_

#include <ostream>
#include <string_view>

#include "leash/snapshot.h"

namespace leash::internal {

// Tells the runtime that the calling thread is part of it: it does not keep a deadlock silent, and
// no dump shows it. Undone by Leave.
void EnterRuntimeThread();
void LeaveRuntimeThread();

// One Snapshot in the format of debug=N, with the profile's name in it; and as JSON.
void WriteSnapshotProfile(const Snapshot& snapshot, int debug, std::string_view profile,
                          std::ostream& out);
void WriteSnapshotJson(const Snapshot& snapshot, std::ostream& out);

}  // namespace leash::internal

#endif  // LEASH_INTERNAL_DEBUG_SEAM_H_
