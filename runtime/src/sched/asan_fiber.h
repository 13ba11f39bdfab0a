// Goroutines as AddressSanitizer's fibers: fake stacks, and closures that are gone. Empty without
// it.
//
// With detect_stack_use_after_return, which clang has on by default, a local whose address is taken
// does not lie on the stack: each function takes a frame for such locals out of a "fake stack", and
// keeps on the real one only where that frame is. A returned function's frame is poisoned and not
// given out again for a while, which is how a goroutine is caught that uses the locals of whoever
// started it. There is one fake stack to a goroutine, and three things follow:
//
// (1) What a goroutine holds, it may hold in a fake frame. Whoever looks through its stack looks
//     through the frames that are named there as well (FakeFrameOf), and what lies in one is in the
//     memory of goroutines (InFakeFrame).
// (2) A fake stack is made when a goroutine first runs, before any of its code does, so that no
//     handle is counted before its place is known to be a goroutine's.
// (3) It stays with the record when the goroutine ends and is never unmapped. So InFakeFrame needs
//     no lock; the frames of the one that ended stay poisoned and a late use of them is reported
//     as what it is; and none is made and unmade, at 20 us and more, for each goroutine.

#ifndef LEASH_SCHED_ASAN_FIBER_H_
#define LEASH_SCHED_ASAN_FIBER_H_

#include <cstddef>
#include <cstdint>

#include "base/sanitizers.h"
#include "sched/g.h"

namespace leash::rt {

#if LEASH_ASAN
// Once, when the runtime starts.
void InitFakeStacks();
// The caller is g, on its own stack, and has called nothing yet: (2).
void AdoptFakeStack(G* g);
// True if `p` lies in a fake frame of a goroutine, in use. Takes no lock.
bool InFakeFrame(const void* p);
// The fake frame of g that the word of its stack points into, if it does. g does not run.
bool FakeFrameOf(const G* g, uint64_t word, const char** begin, const char** end);
// Each that is named in [begin, end) of its stack, a multiple of 8: fn(begin, end). Some more than
// once.
template <class F>
LEASH_NO_ASAN void ForEachFakeFrame(const G* g, const char* begin, const char* end, F fn) {
  const char* last = nullptr;
  for (const char* p = begin; p + sizeof(uint64_t) <= end; p += sizeof(uint64_t)) {
    const char* low;
    const char* high;
    if (!FakeFrameOf(g, *reinterpret_cast<const volatile uint64_t*>(p), &low, &high)) continue;
    if (low != last) fn(low, high);
    last = low;
  }
}

// A closure's memory: nothing may touch it from ForgetClosure on until it is given out again, and
// no pointer stays there that would hide a leak.
void ForgetClosure(void* p, size_t bytes);
inline void ExpectClosure(void* p, size_t bytes) { __asan_unpoison_memory_region(p, bytes); }
#else
inline void InitFakeStacks() {}
inline void AdoptFakeStack(G*) {}
inline bool InFakeFrame(const void*) { return false; }
template <class F>
void ForEachFakeFrame(const G*, const char*, const char*, F) {}
inline void ForgetClosure(void*, size_t) {}
inline void ExpectClosure(void*, size_t) {}
#endif

}  // namespace leash::rt

#endif  // LEASH_SCHED_ASAN_FIBER_H_
