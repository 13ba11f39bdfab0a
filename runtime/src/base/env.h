// The LEASH_* environment, read once when the runtime starts. Every name and key is documented in
// docs/reference/environment.md. A value that cannot be read is an error, not silence: one line on
// standard error and exit status 2.

#ifndef LEASH_BASE_ENV_H_
#define LEASH_BASE_ENV_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace leash::rt {

enum class Traceback : uint8_t { kNone, kSingle, kAll };
enum class SigQuit : uint8_t { kExit, kDump, kOff };
// How stacks are guarded: by MADV_GUARD_INSTALL where the kernel has it, else by mprotect; one of
// them by force; or not at all (gcore loses stacks beside MADV_GUARD_INSTALL).
enum class Guards : uint8_t { kAuto, kNone, kMprotect, kMadvise };

struct Settings {
  int max_procs = 0;                         // LEASH_MAXPROCS; 0: not set
  size_t stack_bytes = 0;                    // LEASH_STACK_SIZE; 0: not set
  Traceback traceback = Traceback::kSingle;  // LEASH_TRACEBACK
  SigQuit sigquit = SigQuit::kExit;          // LEASH_SIGQUIT
  const char* trace = nullptr;               // LEASH_TRACE; null: not set
  // LEASH_DEBUG=key=value,...
  Guards guards = Guards::kAuto;
  bool lock_rank = false;
  int spawn_stack = 0;         // frames recorded at each spawn, at most kSpawnFramesMax
  int64_t sched_trace_ms = 0;  // 0: no trace
  bool sched_detail = false;
};

const Settings& GetSettings();

// Reads the environment. Called once, by the start of the runtime; from then on GetSettings() is
// constant.
void ReadSettings();

}  // namespace leash::rt

#endif  // LEASH_BASE_ENV_H_
