// What the scheduler tells the execution trace. Each place asks TraceOn() first: one load of a word
// that nothing writes while the program runs, and a branch that is never taken.
//
// Laws: (1) an event is published before anybody can act on what it announces: a Ready before the
//   goroutine is in a queue, a Park before the lock is dropped that its waker takes. So what
//   follows from an event has a later time than it, whichever rings the two are in, and a reader
//   that merges the rings by time sees them in their order.  (2) Events that the writer cannot have
//   lost are not promised: a ring that is full drops.  (3) Rings are made by the writer only, and
//   never freed: a producer may have been interrupted in front of its last store.

#ifndef LEASH_SCHED_TRACE_H_
#define LEASH_SCHED_TRACE_H_

#include <time.h>

#include <atomic>
#include <cstdint>
#include <string_view>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

#include "sched/scheduler.h"
#include "sched/trace_ring.h"

namespace leash::rt {

// A line of its own: written when a trace begins and ends.
struct alignas(64) TraceSwitches {
  std::atomic<bool> on{false};
  // Written before `on`, constant while it is set.
  std::atomic<bool> use_tsc{false};
  std::atomic<uint64_t> generation{0};
};
// Hidden: read where it lies, without a look at where the linker put it.
extern TraceSwitches trace_switches __attribute__((visibility("hidden")));

inline bool TraceOn() {
  return __builtin_expect(trace_switches.on.load(std::memory_order_relaxed), 0);
}

// In ticks of the time stamp counter where the kernel itself trusts it (10 ns a reading; a clock
// of the kernel's costs 25), else in nanoseconds of CLOCK_BOOTTIME.
inline uint64_t BootNow() {
  timespec ts;
  clock_gettime(CLOCK_BOOTTIME, &ts);
  return static_cast<uint64_t>(ts.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(ts.tv_nsec);
}
inline uint64_t TraceNow() {
#if defined(__x86_64__)
  if (trace_switches.use_tsc.load(std::memory_order_relaxed)) return __rdtsc();
#endif
  return BootNow();
}

// The hooks. Only while TraceOn().
// m leaves its current goroutine as m->after says, for `next` (null: for its own stack).
void TraceSwitch(M* m, const G* next);
void TraceReady(const G* g);
void TraceSpawn(const G* g);  // by the caller
void TraceSteal(const G* g, const P* victim);
// What the caller does: a thread that waits or goes on, a system call. True: recorded.
bool TraceSelf(const G* self, TraceKind kind, WaitReason reason = WaitReason::kNone,
               const void* object = nullptr);
// The same with a text.
bool TraceText(const G* self, TraceKind kind, std::string_view text, uint64_t arg = 0);

// The writer's side, one thread at a time.
// Makes the rings that are missing. A P for which there is no memory uses the shared one; false:
// that one is missing too, and a trace cannot begin.
bool MakeTraceRings();
// The rings: of P i, null if it has none; and the one of whoever has no P.
TraceRing<>* TraceRingOf(int32_t p);
TraceRing<>* SharedTraceRing();
// In the child of a fork: what is recorded is the parent's.
void TraceAfterFork();

}  // namespace leash::rt

#endif  // LEASH_SCHED_TRACE_H_
