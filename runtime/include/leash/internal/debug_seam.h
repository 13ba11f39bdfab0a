// What leash::debug_server needs of the runtime. Not for programs.

#ifndef LEASH_INTERNAL_DEBUG_SEAM_H_
#define LEASH_INTERNAL_DEBUG_SEAM_H_

#include <cstdint>
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

// Figures that cost nothing to read.
struct RuntimeFigures {
  int64_t goroutines = 0;
  int64_t goroutines_started = 0;
  int32_t gomaxprocs = 0;
  int32_t idle_ps = 0;
  int32_t detached_ps = 0;  // Ps whose goroutine computes or sits in a system call
  int32_t threads = 0;      // Ms
  int32_t spinning = 0;
  int64_t timers = 0;
  int64_t descriptors = 0;
  uint64_t stacks = 0;
  uint64_t stacks_free = 0;
  uint64_t stacks_unguarded = 0;
};
RuntimeFigures ReadRuntimeFigures();

}  // namespace leash::internal

#endif  // LEASH_INTERNAL_DEBUG_SEAM_H_
