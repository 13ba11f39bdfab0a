// The table of queue locks, and waking a whole queue.

#include "sync/wait_queue.h"

#include <cstddef>

namespace leash::rt {
namespace {

// Go's table has 251 entries for the same purpose; a power of two is cheaper to hash into. Each in
// a cache line of its own: neighbours in the table have nothing to do with each other.
constexpr int kLocksLog2 = 8;

struct alignas(64) PaddedLock {
  Lock lock{LockRank::kSync};
};
constinit PaddedLock queue_locks[1 << kLocksLog2];

}  // namespace

Lock& QueueLock(const void* object) {
  // Fibonacci hashing: the top bits of the product depend on every bit of the address.
  const uint64_t hash = reinterpret_cast<uintptr_t>(object) * 0x9e37'79b9'7f4a'7c15u;
  return queue_locks[hash >> (64 - kLocksLog2)].lock;
}

void ResetQueueLocksAfterFork() {
  for (PaddedLock& padded : queue_locks) padded.lock.ResetAfterFork();
}

void ReadyAll(SyncWaiter* tail) {
  if (tail == nullptr) return;
  SyncWaiter* w = tail->next;
  for (;;) {
    SyncWaiter* const next = w->next;
    const bool last = w == tail;
    Ready(w->g);
    if (last) return;
    w = next;
  }
}

}  // namespace leash::rt
