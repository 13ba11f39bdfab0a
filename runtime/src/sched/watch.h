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

#include "base/membarrier.h"

namespace leash::rt {

inline constexpr uint32_t kWatchArmed = 1;
inline constexpr uint32_t kWatchFencesHeavily = 2;  // no membarrier(2): set at the start or never
[[gnu::visibility("hidden")]] extern std::atomic<uint32_t> watch;
extern std::atomic<uint32_t> moves;  // a futex word

void ArmWatch();
void NoteMove();

// A goroutine has parked or ended, and its state says so.
inline void Moved() {
  // The light side of HeavyFence in ArmWatch.
  std::atomic_signal_fence(std::memory_order_seq_cst);
  if (__builtin_expect(watch.load(std::memory_order_relaxed) != 0, 0)) NoteMove();
}

}  // namespace leash::rt

#endif  // LEASH_SCHED_WATCH_H_
