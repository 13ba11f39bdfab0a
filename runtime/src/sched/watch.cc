#include "sched/watch.h"

#include "base/futex.h"

namespace leash::rt {

constinit std::atomic<uint32_t> watch{0};
constinit std::atomic<uint32_t> moves{0};

void ArmWatch() {
  watch.fetch_or(kWatchArmed, std::memory_order_seq_cst);
  HeavyFence();
}

[[gnu::noinline]] void NoteMove() {
  if ((watch.load(std::memory_order_relaxed) & kWatchFencesHeavily) != 0) {
    std::atomic_thread_fence(std::memory_order_seq_cst);
  }
  // Acquire and release: whoever sees the new `moves` sees the state that this move led to.
  if ((watch.fetch_and(~kWatchArmed, std::memory_order_acq_rel) & kWatchArmed) == 0) return;
  moves.fetch_add(1, std::memory_order_release);
  FutexWake(&moves, 1 << 30);
}

}  // namespace leash::rt
