// Goroutine stacks: slots of a few size classes in the arena, each with a guard page at its low
// end.
//
// A stack is bound to a goroutine when it first runs and goes back when the goroutine ends; the
// last one back is the next one out, so that short goroutines run on warm pages. Memory is not
// released when a goroutine ends, but by TrimStacks when it has not been needed for a while.
//
// Laws: (1) a slot is in one place: bound to a goroutine, in one cache, or on its class's free
// list.
//   (2) A slot's guard is in place before it is first handed out, or counted as unguarded.
//   (3) Free slots are linked through the side table, never through the slots: looking for one
//       touches no cold page.

#ifndef LEASH_STACK_STACK_H_
#define LEASH_STACK_STACK_H_

#include <cstddef>
#include <cstdint>

#include "stack/arena.h"

namespace leash::rt {

// A slot: class in the low 3 bits, index above. kNoStack is none.
using StackSlot = uint32_t;
inline constexpr StackSlot kNoStack = ~uint32_t{0};

inline int StackClass(StackSlot slot) { return static_cast<int>(slot & 7); }
inline char* StackLow(StackSlot slot) {
  return arena.stacks[StackClass(slot)].begin + kStackClassBytes[StackClass(slot)] * (slot >> 3);
}
inline char* StackTop(StackSlot slot) {
  return StackLow(slot) + kStackClassBytes[StackClass(slot)];
}

// The smallest class with `bytes` usable, or -1 if that is more than the largest has.
int StackClassFor(size_t bytes);

// The slots that a P keeps to itself, of the default class. Its owner's only.
struct StackCache {
  static constexpr int kCapacity = 64;
  StackSlot slots[kCapacity];
  int count = 0;
};

// The class of LEASH_STACK_SIZE.
[[gnu::visibility("hidden")]] extern int default_stack_class;

// A free slot, from the cache where it has one of this class; kNoStack: no memory.
StackSlot AllocStackShared(StackCache* cache, int stack_class);
inline StackSlot AllocStack(StackCache* cache, int stack_class) {
  if (stack_class != default_stack_class || cache == nullptr || cache->count == 0) {
    return AllocStackShared(cache, stack_class);
  }
  return cache->slots[--cache->count];
}
void FreeStackShared(StackCache* cache, StackSlot slot);
inline void FreeStack(StackCache* cache, StackSlot slot) {
  if (StackClass(slot) != default_stack_class || cache == nullptr ||
      cache->count == StackCache::kCapacity) {
    FreeStackShared(cache, slot);
  } else {
    cache->slots[cache->count++] = slot;
  }
}
void DrainStackCache(StackCache* cache);

// Gives the pages of slots that have been free since the call before last back to the system.
// Called by sysmon every few seconds. Returns how many were trimmed.
int TrimStacks();

struct StackStats {
  uint64_t committed_bytes;  // of slots ever made: address space, memory only where it was touched
  uint64_t unguarded_bytes;  // of these, without a guard page
};
StackStats GetStackStats();

// True if `address` lies in a guard page; then *slot is whose.
bool IsGuardPage(const void* address, StackSlot* slot);

// True if a kernel call for guards works here (probed once).
bool HaveMadviseGuards();

void InitStacks();
void StacksAfterFork();

}  // namespace leash::rt

#endif  // LEASH_STACK_STACK_H_
