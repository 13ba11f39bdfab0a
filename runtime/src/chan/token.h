// Token: a name under which one goroutine's past is handed to another, as the race detector sees
// it. Empty unless LEASH_RACE.
//
// Unlike race::Release, Release() here forgets what was handed over under this name before: so a
// token serves one meeting after the other, and it joins exactly the two that meet. (It is an
// atomic store with release order, which ThreadSanitizer takes to mean just that.)

#ifndef LEASH_CHAN_TOKEN_H_
#define LEASH_CHAN_TOKEN_H_

#include <cstdint>

#include "base/race.h"

#if LEASH_RACE
extern "C" void __tsan_atomic32_store(volatile void* address, uint32_t value, int order);
#endif

namespace leash::rt {

struct Token {
#if LEASH_RACE
  void Acquire() const { race::Acquire(&word); }
  // Not watched: it may lie in the record of a thread that the caller is not ordered after.
  void Release() {
    const race::Ignore ignore;
    __tsan_atomic32_store(&word, 0, __ATOMIC_RELEASE);
  }
  uint32_t word;
#else
  void Acquire() const {}
  void Release() {}
#endif
};

}  // namespace leash::rt

#endif  // LEASH_CHAN_TOKEN_H_
