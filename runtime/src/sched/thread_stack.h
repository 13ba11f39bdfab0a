// Where the stack of an OS thread lies, as pthread made it or was told.

#ifndef LEASH_SCHED_THREAD_STACK_H_
#define LEASH_SCHED_THREAD_STACK_H_

#include <cstdint>

namespace leash::rt {

// [low, top), the thread's static TLS included, which lies above its first frame. Empty: not known.
struct ThreadStack {
  uint64_t low = 0, top = 0;
  bool Has(uint64_t address) const { return address >= low && address < top; }
};

// The calling thread's, also where a goroutine runs on it. Of the main thread as much as the limit
// of resources says: less of it may be mapped. Allocates.
ThreadStack CurrentThreadStack();

}  // namespace leash::rt

#endif  // LEASH_SCHED_THREAD_STACK_H_
