// What LeakSanitizer must know of goroutines. Empty without AddressSanitizer.
//
// It looks for pointers on the stacks of threads: of a thread that runs a goroutine, on that
// goroutine's. What a waiting goroutine holds it would report as leaked. Nor can the arena simply
// be named to it: it would read guard pages, and the fake frames (asan_fiber.h) lie elsewhere. So
// when it begins to look, the runtime hands it every word on the stacks of waiting goroutines, and
// on those of Ms that run a goroutine, that could be a pointer. Records and closures it reads
// itself.
//
// Laws: (1) from then until the look has ended no goroutine begins or ends to run: a switch that
//   would begin waits for the end, and so does the way back from a system call. (2) An M in the
//   middle of a switch is waited for. (3) An M that runs a goroutine is waited for until it comes
//   to a switch, waits in a system call for 100 ms, or has computed for 20 ms: what it writes
//   afterwards into the frame of one that waits is not seen. One that only computes is no danger;
//   nor is a thread that hands nothing over just then.

#ifndef LEASH_SCHED_LEAK_CHECK_H_
#define LEASH_SCHED_LEAK_CHECK_H_

#include <atomic>
#include <cstdint>

#include "base/sanitizers.h"
#include "sched/scheduler.h"

namespace leash::rt {

#if LEASH_ASAN
// Looks begun, and the last one known to have ended.
extern std::atomic<uint64_t> leak_checks;
extern std::atomic<uint64_t> leak_checks_ended;

// Once, when the runtime starts and the arena is there.
void InitLeakCheck();
void WaitForLeakCheck();

// M::switching.
inline constexpr uint32_t kSwitching = 1;
inline constexpr uint32_t kStopped = 2;

// At the two ends of each switch.
inline void EnterSwitch(M* m) {
  for (;;) {
    // Seq_cst, both: pairs with the hand-over, which counts itself and then reads `switching`. One
    // of the two sees the other.
    m->switching.store(kSwitching, std::memory_order_seq_cst);
    if (__builtin_expect(leak_checks.load(std::memory_order_seq_cst) ==
                             leak_checks_ended.load(std::memory_order_relaxed),
                         1)) {
      return;
    }
    // Release: pairs with the hand-over's load. What the goroutine did is seen.
    m->switching.store(kStopped, std::memory_order_release);
    WaitForLeakCheck();
  }
}
// Release: pairs with the hand-over's acquire; where everything is, is seen.
inline void LeaveSwitch(M* m) { m->switching.store(0, std::memory_order_release); }
#else
inline void InitLeakCheck() {}
inline void EnterSwitch(M*) {}
inline void LeaveSwitch(M*) {}
#endif

}  // namespace leash::rt

#endif  // LEASH_SCHED_LEAK_CHECK_H_
