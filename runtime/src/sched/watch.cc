#include "sched/watch.h"

#include "base/futex.h"

namespace leash::rt {

constinit std::atomic<uint32_t> watch{0};
constinit std::atomic<uint32_t> moves{0};

[[gnu::noinline]] void NoteMove() {
  // Acquire and release: whoever sees the new `moves` sees the state that this move led to.
  if (watch.exchange(0, std::memory_order_acq_rel) == 0) return;
  moves.fetch_add(1, std::memory_order_release);
  FutexWake(&moves, 1 << 30);
}

}  // namespace leash::rt
