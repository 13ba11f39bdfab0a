// An asymmetric fence: nearly free on the side that is hot, dear on the side that is not.
//
// Two threads each write a word and then read the other's (Dekker). One of the reads must see the
// other's write, which on every processor wants a full fence between write and read, on both sides:
// 5 ns on x86. Where one side is rare it calls HeavyFence instead, which makes every running thread
// of the process pass a full fence (membarrier(2), PRIVATE_EXPEDITED, 0.4 us), and LightFence, on
// the hot side, only keeps the compiler from moving anything.
//
// Where the kernel has no such call both are full fences. A thread that reads `have_membarrier`
// early fences fully, which is always right; HeavyFence asks the kernel itself, so that no thread
// takes the light way while another still believes that there is no other.

#ifndef LEASH_BASE_MEMBARRIER_H_
#define LEASH_BASE_MEMBARRIER_H_

#include <atomic>

namespace leash::rt {

[[gnu::visibility("hidden")]] extern std::atomic<bool> have_membarrier;
void InitMembarrier();
void HeavyFence();

inline void LightFence() {
  if (__builtin_expect(have_membarrier.load(std::memory_order_relaxed), 1)) {
    std::atomic_signal_fence(std::memory_order_seq_cst);
  } else {
    std::atomic_thread_fence(std::memory_order_seq_cst);
  }
}

}  // namespace leash::rt

#endif  // LEASH_BASE_MEMBARRIER_H_
