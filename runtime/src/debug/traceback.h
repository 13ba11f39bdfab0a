// Whole dumps as text, for the reports that end the process and for Stack().

#ifndef LEASH_DEBUG_TRACEBACK_H_
#define LEASH_DEBUG_TRACEBACK_H_

#include <string>

#include "leash/debug.h"
#include "leash/snapshot.h"

namespace leash::rt {

Snapshot CaptureAll(const debug::CaptureOptions& options);
// The caller only.
Snapshot CaptureSelf();

// Go's text of everything, the caller first, then by id. `elide`: as Go's tracebacks, 50 frames
// from each end of a deep stack.
std::string AllStacks(bool elide);

// SIGQUIT: see environment.md, LEASH_SIGQUIT.
void InstallQuitHandler();
// By sysmon: the dump that SIGQUIT asked for.
void DumpForQuit();

}  // namespace leash::rt

#endif  // LEASH_DEBUG_TRACEBACK_H_
