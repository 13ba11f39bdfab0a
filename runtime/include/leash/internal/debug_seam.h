// What leash::debug_server needs of the runtime. Not for programs.

#ifndef LEASH_INTERNAL_DEBUG_SEAM_H_
#define LEASH_INTERNAL_DEBUG_SEAM_H_

#include <ostream>
#include <string_view>

#include "leash/snapshot.h"

namespace leash::internal {

// Starts the runtime, if it has not been. On a thread of the program's: the signals that are
// blocked there are those that every M has blocked.
void StartRuntime();

// Tells the runtime that the calling thread is part of it: it does not keep a deadlock silent, no
// dump shows it, and what lies on its stack is nobody's. So none of the program's code may run on
// it until Leave, which undoes this.
void EnterRuntimeThread();
void LeaveRuntimeThread();

// One Snapshot in the format of debug=N, with the profile's name in it; and as JSON.
void WriteSnapshotProfile(const Snapshot& snapshot, int debug, std::string_view profile,
                          std::ostream& out);
void WriteSnapshotJson(const Snapshot& snapshot, std::ostream& out);

}  // namespace leash::internal

#endif  // LEASH_INTERNAL_DEBUG_SEAM_H_
