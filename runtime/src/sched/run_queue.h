// RunQueue: the runnable goroutines of one P. A ring of 256, filled by its owner, emptied by its
// owner and by thieves, without locks. The algorithm is Go's (runtime/proc.go: runqput, runqget,
// runqgrab).
//
// Laws: (1) only the owner writes tail.  (2) head moves by compare-and-swap only, by whoever takes
//   what lies between.  (3) tail - head <= kCapacity.  (4) a slot between head and tail is not
//   written: the owner writes slot tail only while tail - head < kCapacity.
// Orders: the owner's release of tail publishes the slots before it and pairs with a thief's
// acquire
//   of tail. A taker's release of head says that it has read its slots and pairs with the owner's
//   acquire of head before it reuses them.
//
// `next` is a slot of its own in front of the ring: what was made runnable last runs next. Thieves
// may take it, but only when there is nothing else.
//
// A template over the atomic type and the room so that a test can put a machine of its own and a
// ring that is soon full in their place: tests/support/tso_machine.h.

#ifndef LEASH_SCHED_RUN_QUEUE_H_
#define LEASH_SCHED_RUN_QUEUE_H_

#include <atomic>
#include <cstdint>

#include "base/check.h"

namespace leash::rt {

template <class T, template <class> class Atomic = std::atomic, uint32_t kRoom = 256>
class RunQueue {
 public:
  static constexpr uint32_t kCapacity = kRoom;
  static_assert(kRoom >= 2 && (kRoom & (kRoom - 1)) == 0, "positions wrap with their type");

  // `position`: where head and tail begin, for tests.
  constexpr explicit RunQueue(uint32_t position = 0) : head_(position), tail_(position) {}

  // Owner only. False: full.
  bool PushBack(T* g) {
    const uint32_t h = head_.load(std::memory_order_acquire);
    const uint32_t t = tail_.load(std::memory_order_relaxed);
    if (t - h >= kCapacity) return false;                       // (3)
    slots_[t % kCapacity].store(g, std::memory_order_relaxed);  // (4)
    tail_.store(t + 1, std::memory_order_release);              // (1)
    return true;
  }

  // Owner only. Null: empty.
  T* PopFront() {
    for (;;) {
      uint32_t h = head_.load(std::memory_order_acquire);
      const uint32_t t = tail_.load(std::memory_order_relaxed);
      if (t == h) return nullptr;
      T* g = slots_[h % kCapacity].load(std::memory_order_relaxed);
      if (head_.compare_exchange_weak(h, h + 1, std::memory_order_release,
                                      std::memory_order_relaxed)) {  // (2)
        return g;
      }
    }
  }

  // Owner only: the one that PopFront would return after `n` others; null: there are fewer. Thieves
  // may have it by now: for prefetching only.
  T* Peek(uint32_t n) const {
    const uint32_t h = head_.load(std::memory_order_relaxed) + n;
    if (static_cast<int32_t>(tail_.load(std::memory_order_relaxed) - h) <= 0) return nullptr;
    return slots_[h % kCapacity].load(std::memory_order_relaxed);
  }

  // Owner only, when the ring is full: moves its older half into out[0 .. kCapacity/2) and returns
  // how many; 0 if thieves were faster and there is room now.
  uint32_t PopHalf(T** out) {
    uint32_t h = head_.load(std::memory_order_acquire);
    const uint32_t t = tail_.load(std::memory_order_relaxed);
    const uint32_t n = (t - h) / 2;
    if (n != kCapacity / 2) return 0;
    for (uint32_t i = 0; i < n; ++i) {
      out[i] = slots_[(h + i) % kCapacity].load(std::memory_order_relaxed);
    }
    return head_.compare_exchange_strong(h, h + n, std::memory_order_release,
                                         std::memory_order_relaxed)
               ? n
               : 0;
  }

  // Any other thread: moves half of this queue (the older) into `thief`, which the caller owns and
  // which is empty, but for one, which is returned to be run. Null: nothing to take.
  // `take_next`: with an otherwise empty queue, take what would run next.
  T* StealInto(RunQueue* thief, bool take_next) {
    const uint32_t thief_tail = thief->tail_.load(std::memory_order_relaxed);
    for (;;) {
      uint32_t h = head_.load(std::memory_order_acquire);
      const uint32_t t = tail_.load(std::memory_order_acquire);
      uint32_t n = t - h;
      n -= n / 2;
      if (n == 0) {
        if (!take_next) return nullptr;
        T* g = next_.load(std::memory_order_acquire);
        if (g == nullptr) return nullptr;
        if (next_.compare_exchange_strong(g, nullptr, std::memory_order_acq_rel,
                                          std::memory_order_relaxed)) {
          return g;
        }
        continue;
      }
      if (n > kCapacity / 2) continue;  // head and tail were read at different times
      for (uint32_t i = 0; i < n; ++i) {
        thief->slots_[(thief_tail + i) % kCapacity].store(
            slots_[(h + i) % kCapacity].load(std::memory_order_relaxed), std::memory_order_relaxed);
      }
      if (head_.compare_exchange_weak(h, h + n, std::memory_order_acq_rel,
                                      std::memory_order_relaxed)) {  // (2)
        T* g = thief->slots_[(thief_tail + n - 1) % kCapacity].load(std::memory_order_relaxed);
        if (n > 1) thief->tail_.store(thief_tail + n - 1, std::memory_order_release);
        return g;
      }
    }
  }

  // Owner only. Puts g into the slot that runs next; returns what was there.
  T* ExchangeNext(T* g) {
    T* old = next_.load(std::memory_order_relaxed);
    // Nobody but the owner puts anything in, and an empty slot has no thief: a plain store will do.
    if (old == nullptr) {
      // Release: pairs with the acquire in StealInto; publishes what was written to *g.
      next_.store(g, std::memory_order_release);
      return nullptr;
    }
    return next_.exchange(g, std::memory_order_acq_rel);
  }

  // Owner only.
  T* TakeNext() {
    if (next_.load(std::memory_order_relaxed) == nullptr) return nullptr;
    return next_.exchange(nullptr, std::memory_order_acquire);
  }

  // From any thread; a moment's truth.
  bool RingEmpty() const {
    return head_.load(std::memory_order_acquire) == tail_.load(std::memory_order_acquire);
  }
  bool Empty() const {
    // In Go's order: what sits in `next` may be kicked into the ring between two looks, never back.
    for (;;) {
      const uint32_t h = head_.load(std::memory_order_acquire);
      const uint32_t t = tail_.load(std::memory_order_acquire);
      T* next = next_.load(std::memory_order_acquire);
      if (t == tail_.load(std::memory_order_acquire)) return h == t && next == nullptr;
    }
  }
  uint32_t Size() const {
    // head first: it may move on meanwhile, but what it was is never beyond tail.
    const uint32_t h = head_.load(std::memory_order_acquire);
    const uint32_t t = tail_.load(std::memory_order_acquire);
    return t - h + (next_.load(std::memory_order_acquire) != nullptr ? 1 : 0);
  }

 private:
  Atomic<uint32_t> head_;
  Atomic<uint32_t> tail_;
  Atomic<T*> next_{nullptr};
  Atomic<T*> slots_[kCapacity] = {};
};

}  // namespace leash::rt

#endif  // LEASH_SCHED_RUN_QUEUE_H_
