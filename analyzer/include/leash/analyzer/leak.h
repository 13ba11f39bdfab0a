// Proofs that a goroutine is leaked: nothing alive can ever wake it.
//
// Proved are a wait on a nil channel, a select without a case that can ever be ready, and a wait on
// a channel whose other side is gone: for a send, nobody that could still run can receive; for a
// receive, nobody can send or close. "Could still run" is everything that is not itself such a
// stuck goroutine, so goroutines that hold only each other's channels are found too.
//
// A claim is never made where something is not known: an uncounted channel, a goroutine whose stack
// could not be looked through, a handle that no goroutine accounts for, one that somebody may use
// by reference. A stale word on a stack can hide a leak and never invent one.

#ifndef LEASH_ANALYZER_LEAK_H_
#define LEASH_ANALYZER_LEAK_H_

#include <cstddef>

#include "leash/snapshot.h"

namespace leash {

// Sets tier and tier_reason ("no receiver is alive") of each goroutine that is proved leaked, and
// returns how many there are. Others keep the tier that they have. Linear.
size_t ProveLeaks(Snapshot& snapshot);

// Proved, and not meant to stay (GoBackground), nor the runtime's own.
bool IsProvedLeak(const Goroutine& g);

}  // namespace leash

#endif  // LEASH_ANALYZER_LEAK_H_
