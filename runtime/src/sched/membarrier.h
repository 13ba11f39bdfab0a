// The costly half of an asymmetric fence. Wakers publish work with plain stores and then look
// whether anybody sleeps; an M that is about to sleep announces it, calls HeavyFence, and looks for
// work once more. HeavyFence makes every running thread of the process pass a full fence
// (membarrier(2), PRIVATE_EXPEDITED, 0.4 us), so that the wakers' side, which is hot, needs none.

#ifndef LEASH_SCHED_MEMBARRIER_H_
#define LEASH_SCHED_MEMBARRIER_H_

#include <atomic>

namespace leash::rt {

extern bool have_membarrier;
void InitMembarrier();
void HeavyFence();

inline void LightFence() {
  if (__builtin_expect(have_membarrier, 1)) {
    std::atomic_signal_fence(std::memory_order_seq_cst);
  } else {
    std::atomic_thread_fence(std::memory_order_seq_cst);
  }
}

}  // namespace leash::rt

#endif  // LEASH_SCHED_MEMBARRIER_H_
