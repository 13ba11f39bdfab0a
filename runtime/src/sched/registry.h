// The registry: all G records, in one dense slab. Enumerating every goroutine is one walk over it.
//
// Laws: (1) a record once made stays mapped and stays a G.  (2) A free record is kIdle and in one
// free
//   list.  (3) `count` grows only, and by release: a reader that sees n may read the first n
//   records.

#ifndef LEASH_SCHED_REGISTRY_H_
#define LEASH_SCHED_REGISTRY_H_

#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "sched/g.h"

namespace leash::rt {

// A P's own free records, linked by queue_next, last in, first out. Its owner's only.
struct GCache {
  static constexpr int kMax = 64;
  G* head = nullptr;
  int count = 0;
};

// The first capacity of the global queue, in records: a page.
inline constexpr size_t kQueueRoomMin = 512;

// A free record, or null: no memory. `cache` may be null.
G* AllocGShared(GCache* cache);
inline G* AllocG(GCache* cache) {
  if (cache == nullptr || cache->head == nullptr) return AllocGShared(cache);
  G* g = cache->head;
  cache->head = g->queue_next;
  --cache->count;
  return g;
}
void FreeGShared(GCache* cache, G* g);
inline void FreeG(GCache* cache, G* g) {
  LEASH_DCHECK(g->status.load(std::memory_order_relaxed) == GStatus::kIdle);  // (2)
  if (cache == nullptr || cache->count == GCache::kMax) {
    FreeGShared(cache, g);
    return;
  }
  g->queue_next = cache->head;
  cache->head = g;
  ++cache->count;
}
void DrainGCache(GCache* cache);

// Records made so far: G* GAt(0) ... GAt(GCount() - 1).
size_t GCount();
inline G* GAt(size_t index) { return reinterpret_cast<G*>(arena.records.begin) + index; }

void RegistryAfterFork();

}  // namespace leash::rt

#endif  // LEASH_SCHED_REGISTRY_H_
