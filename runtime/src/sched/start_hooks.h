// What the parts above the scheduler do when the runtime starts. Called once, by the thread that
// starts it; may be before main. Implemented in debug/.

#ifndef LEASH_SCHED_START_HOOKS_H_
#define LEASH_SCHED_START_HOOKS_H_

#include <cstdint>

namespace leash::rt {

struct G;

// Installs SIGQUIT's handler, the printing of stacks for fatal errors, LEASH_DEBUG_ADDR.
void OnRuntimeStart();

// In the child of a fork, where no other thread exists.
void OnFork();

// Called by sysmon on its own thread, before it does anything else.
void OnSysmonStart();

// Prints the stack of `g` as Go does after a panic: header, frames, "created by", to standard
// error. `g` is the caller; `frames_to_skip` of its innermost frames are the runtime's own.
void PrintPanicStacks(G* g, bool all);

// A goroutine has run off its stack: the report, from the interrupted context (a ucontext_t).
void PrintOverflowStack(G* g, const void* ucontext);

}  // namespace leash::rt

#endif  // LEASH_SCHED_START_HOOKS_H_
