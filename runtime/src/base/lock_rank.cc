#include "base/lock_rank.h"

#include <cstddef>

#include "base/check.h"
#include "base/lock.h"

namespace leash::rt {

namespace {

struct Held {
  LockRank ranks[64];
  size_t count;
};
// A lock is never held across a switch, so this belongs to the thread, not to the goroutine.
thread_local Held held __attribute__((tls_model("initial-exec")));

// Several of these may be held at once, ascending by address: the caller sees to that.
bool MayRepeat(LockRank rank) { return rank == LockRank::kChan || rank == LockRank::kContext; }

}  // namespace

void CheckLockRanks(bool on) {
  if (on) {
    lock_attention.fetch_or(kLockRanksChecked, std::memory_order_relaxed);
  } else {
    lock_attention.fetch_and(~kLockRanksChecked, std::memory_order_relaxed);
  }
}

[[gnu::noinline]] void LockRankAcquire(LockRank rank) {
  if (rank != LockRank::kUnranked) {
    for (size_t i = 0; i < held.count; ++i) {
      if (held.ranks[i] > rank || (held.ranks[i] == rank && !MayRepeat(rank))) {
        CheckLockRanks(false);  // the report itself takes locks
        InternalError("lock rank: a lock is taken out of the order of base/lock_rank.h");
      }
    }
  }
  if (held.count < 64) held.ranks[held.count] = rank;
  ++held.count;
}

[[gnu::noinline]] void LockRankRelease(LockRank rank) {
  for (size_t i = held.count < 64 ? held.count : 64; i-- > 0;) {
    if (held.ranks[i] != rank) continue;
    for (size_t j = i + 1; j < held.count && j < 64; ++j) held.ranks[j - 1] = held.ranks[j];
    --held.count;
    return;
  }
}

}  // namespace leash::rt
