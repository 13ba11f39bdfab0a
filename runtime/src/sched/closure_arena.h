// Room for closures that do not fit into a G record: blocks of a few sizes in the arena, so that
// what they hold counts as held by a goroutine. Lists by size, one lock; large closures are rare.

#ifndef LEASH_SCHED_CLOSURE_ARENA_H_
#define LEASH_SCHED_CLOSURE_ARENA_H_

#include <cstddef>

namespace leash::rt {

// Aligned for every type up to the block's size. Null: no memory, or more than 1 MiB was asked for.
void* AllocClosure(size_t bytes, size_t align);
void FreeClosure(void* p, size_t bytes, size_t align);
void ClosureArenaAfterFork();

}  // namespace leash::rt

#endif  // LEASH_SCHED_CLOSURE_ARENA_H_
