// Telling a verifier that goroutines move, at no cost while nobody asks.
//
// The protocol. The verifier reads `moves`, arms `watch` and makes every thread pass a fence; then
// it looks at the goroutines, and sleeps while `moves` is what it read. A goroutine that has parked
// or ended reads `watch`, one load of a word that nobody writes; the first one that finds it armed
// disarms it, so a look costs the program one system call, however many goroutines move.
//
// The fence is the verifier's (HeavyFence), not the goroutines': without it a goroutine could write
// its state and read `watch` unarmed, while the verifier arms and reads the old state: a lost
// wake-up.

#ifndef LEASH_SCHED_WATCH_H_
#define LEASH_SCHED_WATCH_H_

#include <atomic>
#include <cstdint>

#include "sched/membarrier.h"

namespace leash::rt {

extern std::atomic<uint32_t> watch;  // 1: armed
extern std::atomic<uint32_t> moves;  // a futex word

void NoteMove();

// A goroutine has parked or ended, and its state says so.
inline void Moved() {
  LightFence();
  if (__builtin_expect(watch.load(std::memory_order_relaxed) != 0, 0)) NoteMove();
}

}  // namespace leash::rt

#endif  // LEASH_SCHED_WATCH_H_
