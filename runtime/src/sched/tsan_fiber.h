// Goroutines as ThreadSanitizer's fibers. Empty without it.

#ifndef LEASH_SCHED_TSAN_FIBER_H_
#define LEASH_SCHED_TSAN_FIBER_H_

#include "base/sanitizers.h"
#include "sched/g.h"

namespace leash::rt {

#if LEASH_RACE
// By the spawner, with its stack in place: it is what the report shows as "created at".
void CreateFiber(G* g);
// When it has ended. ThreadSanitizer forgets it some goroutines later.
void DestroyFiber(G* g);
// Whether the goroutine of this id has ended and its fiber is still there. Takes no lock.
bool IsKeptFiber(uint64_t goroutine);
// Makes ThreadSanitizer forget the accesses of the goroutine that had this stack.
void ForgetStack(StackSlot stack);
// The same of whole pages, which are empty then.
void ForgetPages(void* p, size_t bytes);
#elif LEASH_ASAN
inline void CreateFiber(G*) {}
inline void DestroyFiber(G*) {}
inline void ForgetPages(void*, size_t) {}
// The frames that never return leave their red zones behind.
inline void ForgetStack(StackSlot stack) {
  __asan_unpoison_memory_region(StackLow(stack) + 4096, kStackClassBytes[StackClass(stack)] - 4096);
}
#else
inline void CreateFiber(G*) {}
inline void DestroyFiber(G*) {}
inline void ForgetStack(StackSlot) {}
inline void ForgetPages(void*, size_t) {}
#endif

}  // namespace leash::rt

#endif  // LEASH_SCHED_TSAN_FIBER_H_
