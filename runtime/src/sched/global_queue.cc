// The global queue: what no P's own queue has room for, and what was readied without a P.
//
// A ring of pointers in the arena, first in, first out. Its capacity is a power of two and doubles
// when it is full. A list linked through the records would need no memory, but each push would
// write to a record and each take wait for one: with a million goroutines in the queue these are
// cold.
//
// Laws: (1) head <= tail, tail - head <= capacity; entry i is at i % capacity. (2) Under
// sched.lock.
//   (3) Pushing cannot fail: a goroutine is queued at most once, and the registry makes room here
//   for each record before the record is there.

#include "base/check.h"
#include "sched/scheduler.h"

namespace leash::rt {
namespace {

constexpr uint32_t kGlobalBatch = 128;

G** Ring() { return reinterpret_cast<G**>(arena.queue.begin); }

void PushLocked(G* g) {
  G** const ring = Ring();
  if (__builtin_expect(sched.queue_tail - sched.queue_head == sched.queue_capacity, 0)) {
    const uint64_t before = sched.queue_capacity;
    sched.queue_capacity = before == 0 ? kQueueRoomMin : 2 * before;
    LEASH_CHECK(arena.queue.begin + sched.queue_capacity * sizeof(G*) <= arena.queue.end);
    // Entries keep their number: half of them move up by the old capacity.
    for (uint64_t i = sched.queue_head; i != sched.queue_tail; ++i) {
      if ((i & before) != 0) ring[i & (2 * before - 1)] = ring[i & (before - 1)];
    }
  }
  ring[sched.queue_tail++ & (sched.queue_capacity - 1)] = g;
}

void AddToSize(uint64_t n) {
  // Release: pairs with the acquire in HasGlobalWork.
  sched.queue_size.fetch_add(static_cast<int32_t>(n), std::memory_order_release);
}

}  // namespace

G* TakeGlobalLocked(P* p, bool one) {
  const int32_t size = sched.queue_size.load(std::memory_order_relaxed);
  if (size == 0) return nullptr;
  int32_t n = one ? 1 : size / sched.gomaxprocs + 1;
  if (n > size) n = size;
  if (n > static_cast<int32_t>(kGlobalBatch)) n = kGlobalBatch;
  G** const ring = Ring();
  const uint64_t mask = sched.queue_capacity - 1;
  G* first = ring[sched.queue_head++ & mask];
  int32_t taken = 1;
  while (taken < n && p->queue.PushBack(ring[sched.queue_head & mask])) {
    ++sched.queue_head;
    ++taken;
  }
  sched.queue_size.store(size - taken, std::memory_order_relaxed);
  return first;
}

void PushGlobalList(G* first, G* last, int32_t n) {
  LockHolder hold(sched.lock);
  G* const end = last->queue_next;
  for (G* g = first; g != end;) {
    G* next = g->queue_next;
    g->queue_next = nullptr;
    PushLocked(g);
    g = next;
  }
  AddToSize(static_cast<uint64_t>(n));
}

void PushGlobal(G* g) {
  LockHolder hold(sched.lock);
  PushLocked(g);
  AddToSize(1);
}

[[gnu::noinline]] void RunqOverflow(P* p, G* g) {
  G* half[RunQueue<G>::kCapacity / 2];
  for (;;) {
    if (const uint32_t n = p->queue.PopHalf(half)) {
      LockHolder hold(sched.lock);
      for (uint32_t i = 0; i < n; ++i) PushLocked(half[i]);
      PushLocked(g);
      AddToSize(n + 1);
      return;
    }
    if (p->queue.PushBack(g)) return;  // thieves were faster
  }
}

}  // namespace leash::rt
