// The global queue: what no P's own queue has room for, and what was readied without a P.

#include "sched/scheduler.h"

namespace leash::rt {
namespace {

constexpr uint32_t kGlobalBatch = 128;

}  // namespace

G* TakeGlobalLocked(P* p, bool one) {
  const int32_t size = sched.queue_size.load(std::memory_order_relaxed);
  if (size == 0) return nullptr;
  int32_t n = one ? 1 : size / sched.gomaxprocs + 1;
  if (n > size) n = size;
  if (n > static_cast<int32_t>(kGlobalBatch)) n = kGlobalBatch;
  G* first = sched.queue_head;
  sched.queue_head = first->queue_next;
  first->queue_next = nullptr;
  int32_t taken = 1;
  while (taken < n) {
    G* g = sched.queue_head;
    if (!p->queue.PushBack(g)) break;
    ++taken;
    sched.queue_head = g->queue_next;
    g->queue_next = nullptr;
  }
  if (sched.queue_head == nullptr) sched.queue_tail = nullptr;
  sched.queue_size.store(size - taken, std::memory_order_relaxed);
  return first;
}

void PushGlobalList(G* first, G* last, int32_t n) {
  LockHolder hold(sched.lock);
  last->queue_next = nullptr;
  if (sched.queue_tail != nullptr) {
    sched.queue_tail->queue_next = first;
  } else {
    sched.queue_head = first;
  }
  sched.queue_tail = last;
  sched.queue_size.fetch_add(n, std::memory_order_release);
}

void PushGlobal(G* g) { PushGlobalList(g, g, 1); }

void RunqPut(P* p, G* g, bool next) {
  if (next) {
    g = p->queue.ExchangeNext(g);
    if (g == nullptr) return;
  }
  while (!p->queue.PushBack(g)) {
    G* half[RunQueue<G>::kCapacity / 2];
    const uint32_t n = p->queue.PopHalf(half);
    if (n == 0) continue;
    for (uint32_t i = 0; i + 1 < n; ++i) half[i]->queue_next = half[i + 1];
    half[n - 1]->queue_next = g;
    PushGlobalList(half[0], g, static_cast<int32_t>(n) + 1);
    return;
  }
}

}  // namespace leash::rt
