#include "sched/registry.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <new>

#include "base/check.h"
#include "base/lock.h"

namespace leash::rt {
namespace {

constexpr size_t kBlock = 64;             // records made at a time
constexpr size_t kCommitBytes = 2 << 20;  // arena made usable at a time: a huge page

struct Registry {
  Lock lock{LockRank::kRegistry};
  G* free = nullptr;                // linked by queue_next
  char* committed = nullptr;        // end of the usable part
  char* rares_committed = nullptr;  // the same of what is rare
  size_t queue_room = 0;            // of the global queue, in records
  std::atomic<size_t> count{0};
};
constinit Registry registry;

// Makes kBlock new records and puts them on the shared free list. False: no memory.
bool GrowLocked() {
  Registry& r = registry;
  // Each by itself: a fork may fall between them.
  if (r.committed == nullptr) r.committed = arena.records.begin;
  if (r.rares_committed == nullptr) r.rares_committed = arena.rares.begin;
  const size_t count = r.count.load(std::memory_order_relaxed);
  char* begin = arena.records.begin + count * sizeof(G);
  char* end = begin + kBlock * sizeof(G);
  if (end > arena.records.end) return false;
  while (r.committed < end) {
    if (!CommitArena(r.committed, kCommitBytes)) return false;
    // A program with a few goroutines keeps its small pages; one with many takes a fault for every
    // 8,192 records instead of one for every 16.
    if (r.committed != arena.records.begin) UseHugePages(r.committed, kCommitBytes);
    r.committed += kCommitBytes;
  }
  while (r.rares_committed < arena.rares.begin + (count + kBlock) * sizeof(GRare)) {
    if (!CommitArena(r.rares_committed, kCommitBytes)) return false;
    r.rares_committed += kCommitBytes;
  }
  // So that queueing a goroutine never needs memory.
  if (r.queue_room < count + kBlock) {
    const size_t room = std::bit_ceil(std::max<size_t>(count + kBlock, kQueueRoomMin));
    if (!CommitArena(arena.queue.begin, room * sizeof(G*))) return false;
    r.queue_room = room;
  }
  for (size_t i = kBlock; i-- > 0;) {
    G* g = ::new (begin + i * sizeof(G)) G();
    g->queue_next = r.free;
    r.free = g;
  }
  // Release (3): the records are made before they are counted.
  r.count.store(count + kBlock, std::memory_order_release);
  return true;
}

}  // namespace

G* AllocGShared(GCache* cache) {
  LockHolder hold(registry.lock);
  if (registry.free == nullptr && !GrowLocked()) return nullptr;
  G* g = registry.free;
  registry.free = g->queue_next;
  // A batch for the next ones.
  while (cache != nullptr && cache->count < GCache::kMax / 2 && registry.free != nullptr) {
    G* more = registry.free;
    registry.free = more->queue_next;
    more->queue_next = cache->head;
    cache->head = more;
    ++cache->count;
  }
  return g;
}

void FreeGShared(GCache* cache, G* g) {
  LockHolder hold(registry.lock);
  g->queue_next = registry.free;
  registry.free = g;
  while (cache != nullptr && cache->count > GCache::kMax / 2) {
    G* more = cache->head;
    cache->head = more->queue_next;
    --cache->count;
    more->queue_next = registry.free;
    registry.free = more;
  }
}

void DrainGCache(GCache* cache) {
  LockHolder hold(registry.lock);
  while (cache->head != nullptr) {
    G* g = cache->head;
    cache->head = g->queue_next;
    g->queue_next = registry.free;
    registry.free = g;
  }
  cache->count = 0;
}

size_t GCount() { return registry.count.load(std::memory_order_acquire); }

void RegistryAfterFork() {
  // Somebody was changing the list, or had put records on it that are not counted yet: better lost
  // than made twice.
  if (registry.lock.IsHeld()) registry.free = nullptr;
  registry.lock.ResetAfterFork();
}

}  // namespace leash::rt
