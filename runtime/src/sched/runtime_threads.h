// The threads that the runtime starts for itself and that run no goroutines: sysmon, the writers of
// traces, the debug server's. None of the program's code runs on one, and none wakes anybody.

#ifndef LEASH_SCHED_RUNTIME_THREADS_H_
#define LEASH_SCHED_RUNTIME_THREADS_H_

#include <cstdint>

#include "sched/thread_stack.h"

namespace leash::rt {

// By the thread itself, as the first and the last thing that it does.
void RegisterRuntimeThread();
void UnregisterRuntimeThread();
// In the child of a fork.
void ForgetRuntimeThreads();

// How many there are, never too many; and the thread that ThreadSanitizer has.
int CountRuntimeThreads();

// Whether the thread is known to be one of them. One that is may be unknown, if there are very
// many. `stack`: where its stack lies; empty: not known.
bool IsRuntimeThread(int32_t tid, ThreadStack* stack = nullptr);

}  // namespace leash::rt

#endif  // LEASH_SCHED_RUNTIME_THREADS_H_
