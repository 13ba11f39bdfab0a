// What the scheduler asks of this part: see sched/start_hooks.h.

#include "base/check.h"
#include "base/raw_print.h"
#include "sched/park.h"
#include "sched/scheduler.h"
#include "sched/start_hooks.h"

namespace leash::rt {

void OnRuntimeStart() {}
void OnFork() {}
void PrintPanicStacks(G* g, bool) {
  RawPrinter() << "\ngoroutine " << IdOf(g) << " [running]:\n";
}
void PrintOverflowStack(G* g, const void*) {
  RawPrinter() << "goroutine " << IdOf(g) << " [running]:\n";
}

}  // namespace leash::rt
