// The timer heaps. 4-ary, as Go's: half the depth of a binary one, and the four children that are
// compared share a cache line.
//
// Laws: (1) A timer belongs to one shard from its first StartTimer to its end, so whoever stops it
//   knows which lock to take. (Go moves timers between its heaps and pays with a retry loop and a
//   state machine in each.)  (2) timer->index is its place in its shard's heap, or -1: only under
//   the shard's lock.  (3) A shard's `earliest` is the first entry's time, or 0: stored under the
//   lock, read anywhere.  (4) Functions are called with nothing locked; while one runs, a node on
//   its caller's stack names it in `running`. After a call nothing of a timer that is not armed is
//   touched: its function may have freed it.  (5) Nothing is allocated or freed under a shard's
//   lock.
// A new earliest timer must reach an M that sleeps: see sched_hooks.h for both sides.

#include "sched/timer.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "base/check.h"
#include "base/futex.h"
#include "base/lock.h"
#include "base/race.h"
#include "sched/sched_hooks.h"
#include "sched/timer_heap.h"

namespace leash::rt {
namespace {

// The time is here too: a comparison touches no timer.
struct Entry {
  int64_t when_ns;
  RtTimer* timer;
};

struct Running {
  RtTimer* timer;
  Running* next;
};

constexpr size_t kFirstCapacity = 64;

struct alignas(64) Shard {
  std::atomic<int64_t> earliest{0};  // (3)
  std::atomic<size_t> size{0};       // written under `lock`
  std::atomic<uint64_t> fired{0};    // the same: calls of functions, ever
  Lock lock{LockRank::kTimers};
  Entry* entries ABSL_GUARDED_BY(lock) = nullptr;
  size_t capacity ABSL_GUARDED_BY(lock) = 0;
  Running* running ABSL_GUARDED_BY(lock) = nullptr;  // (4)
};

constinit Shard shards[kTimerShards];

void PlaceLocked(Shard& s, size_t i, Entry entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(s.lock) {
  s.entries[i] = entry;
  entry.timer->index = static_cast<int32_t>(i);
}

void SiftUpLocked(Shard& s, size_t i) ABSL_EXCLUSIVE_LOCKS_REQUIRED(s.lock) {
  const Entry entry = s.entries[i];
  while (i > 0) {
    const size_t parent = (i - 1) / 4;
    if (s.entries[parent].when_ns <= entry.when_ns) break;
    PlaceLocked(s, i, s.entries[parent]);
    i = parent;
  }
  PlaceLocked(s, i, entry);
}

void SiftDownLocked(Shard& s, size_t i) ABSL_EXCLUSIVE_LOCKS_REQUIRED(s.lock) {
  const Entry entry = s.entries[i];
  const size_t size = s.size.load(std::memory_order_relaxed);
  while (true) {
    const size_t first_child = 4 * i + 1;
    if (first_child >= size) break;
    size_t child = first_child;
    for (size_t c = first_child + 1; c < std::min(first_child + 4, size); ++c) {
      if (s.entries[c].when_ns < s.entries[child].when_ns) child = c;
    }
    if (entry.when_ns <= s.entries[child].when_ns) break;
    PlaceLocked(s, i, s.entries[child]);
    i = child;
  }
  PlaceLocked(s, i, entry);
}

void PublishEarliestLocked(Shard& s) ABSL_EXCLUSIVE_LOCKS_REQUIRED(s.lock) {
  const bool empty = s.size.load(std::memory_order_relaxed) == 0;
  // seq_cst: either an M that is about to sleep reads it, or our WakeNetPoller sees that M.
  s.earliest.store(empty ? 0 : s.entries[0].when_ns, std::memory_order_seq_cst);
}

void RemoveLocked(Shard& s, RtTimer* timer) ABSL_EXCLUSIVE_LOCKS_REQUIRED(s.lock) {
  const size_t i = static_cast<size_t>(timer->index);
  const size_t last = s.size.load(std::memory_order_relaxed) - 1;
  s.size.store(last, std::memory_order_relaxed);
  timer->index = -1;
  if (i == last) return;
  PlaceLocked(s, i, s.entries[last]);
  SiftDownLocked(s, i);
  SiftUpLocked(s, i);
}

// Arms the timer, which may be armed already; returns whether it was.
bool Arm(RtTimer* timer, int64_t when_ns, int64_t period_ns) {
  LEASH_CHECK(timer->fn != nullptr);
  LEASH_CHECK(period_ns >= 0);
  when_ns = std::max<int64_t>(when_ns, 1);  // 0 says "none" in `earliest`
  if (timer->heap < 0) {
    timer->heap = static_cast<int32_t>(static_cast<uint32_t>(CurrentTimerShard()) % kTimerShards);
  }
  Shard& s = shards[timer->heap];
  std::unique_ptr<Entry[]> spare;  // (5): a bigger array before, the old one after
  size_t spare_capacity = 0;
  s.lock.lock();
  while (timer->index < 0 && s.size.load(std::memory_order_relaxed) == s.capacity) {
    const size_t wanted = std::max(kFirstCapacity, 2 * s.capacity);
    if (spare_capacity < wanted) {
      s.lock.unlock();
      spare.reset();
      spare.reset(new Entry[wanted]);
      spare_capacity = wanted;
      s.lock.lock();
      continue;
    }
    if (s.entries != nullptr) race::Acquire(s.entries);
    std::copy_n(s.entries, s.capacity, spare.get());
    Entry* const old = s.entries;
    race::Release(spare.get());  // for the one who grows it next, and frees it
    s.entries = spare.release();
    spare.reset(old);
    s.capacity = spare_capacity;
    break;
  }
  const bool was_armed = timer->index >= 0;
  timer->when_ns = when_ns;
  timer->period_ns = period_ns;
  if (was_armed) {
    const size_t i = static_cast<size_t>(timer->index);
    s.entries[i].when_ns = when_ns;
    SiftDownLocked(s, i);
    SiftUpLocked(s, i);
  } else {
    const size_t i = s.size.load(std::memory_order_relaxed);
    s.size.store(i + 1, std::memory_order_relaxed);
    PlaceLocked(s, i, {when_ns, timer});
    SiftUpLocked(s, i);
  }
  const bool first = timer->index == 0;
  PublishEarliestLocked(s);
  s.lock.unlock();
  // The timer is not touched any more: it may have fired, and its owner gone.
  if (first) WakeNetPoller(when_ns);
  return was_armed;
}

}  // namespace

void StartTimer(RtTimer* timer, int64_t when_ns, int64_t period_ns) {
  LEASH_CHECK(!Arm(timer, when_ns, period_ns));
}

bool ResetTimer(RtTimer* timer, int64_t when_ns, int64_t period_ns) {
  return Arm(timer, when_ns, period_ns);
}

bool StopTimer(RtTimer* timer) {
  if (timer->heap < 0) return false;  // never armed
  Shard& s = shards[timer->heap];
  LockHolder lock(s.lock);
  if (timer->index < 0) return false;
  RemoveLocked(s, timer);
  PublishEarliestLocked(s);
  return true;
}

void FinishTimer(RtTimer* timer) {
  if (timer->heap < 0) return;
  Shard& s = shards[timer->heap];
  for (int spins = 0;; ++spins) {
    {
      LockHolder lock(s.lock);
      const Running* r = s.running;
      while (r != nullptr && r->timer != timer) r = r->next;
      if (r == nullptr) return;
    }
    if (spins < 64) {
      CpuRelax();
    } else {
      sched_yield();
    }
  }
}

int64_t RunTimers(int shard, int64_t now_ns, bool* ran) {
  Shard& s = shards[static_cast<uint32_t>(shard) % kTimerShards];
  // Relaxed: decides only whether to look; what is looked at is read under the lock.
  const int64_t earliest = s.earliest.load(std::memory_order_relaxed);
  if (earliest == 0 || earliest > now_ns) return earliest;
  s.lock.lock();
  while (s.size.load(std::memory_order_relaxed) > 0 && s.entries[0].when_ns <= now_ns) {
    RtTimer* const timer = s.entries[0].timer;
    const auto fn = timer->fn;
    if (timer->period_ns > 0) {
      // The next tick that is still to come: missed ones are skipped.
      const int64_t behind = now_ns - timer->when_ns;
      int64_t next;
      if (__builtin_mul_overflow(timer->period_ns, 1 + behind / timer->period_ns, &next) ||
          __builtin_add_overflow(timer->when_ns, next, &next)) {
        next = std::numeric_limits<int64_t>::max();
      }
      timer->when_ns = next;
      s.entries[0].when_ns = next;
      SiftDownLocked(s, 0);
    } else {
      RemoveLocked(s, timer);
    }
    s.fired.store(s.fired.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    Running self{timer, s.running};
    s.running = &self;
    PublishEarliestLocked(s);
    s.lock.unlock();
    fn(timer, now_ns);
    *ran = true;
    s.lock.lock();
    Running** r = &s.running;
    while (*r != &self) r = &(*r)->next;
    *r = self.next;
  }
  const int64_t next = s.earliest.load(std::memory_order_relaxed);
  s.lock.unlock();
  return next;
}

int64_t NextTimer(int shard) {
  return shards[static_cast<uint32_t>(shard) % kTimerShards].earliest.load(
      std::memory_order_seq_cst);
}

int64_t NextTimer() {
  int64_t next = 0;
  for (const Shard& s : shards) {
    const int64_t when = s.earliest.load(std::memory_order_seq_cst);
    if (when != 0 && (next == 0 || when < next)) next = when;
  }
  return next;
}

bool AnyTimerMayWake() {
  for (Shard& s : shards) {
    LockHolder lock(s.lock);
    if (s.running != nullptr) return true;
    const size_t size = s.size.load(std::memory_order_relaxed);
    for (size_t i = 0; i < size; ++i) {
      RtTimer* const timer = s.entries[i].timer;
      if (timer->wakes_somebody == nullptr || timer->wakes_somebody(timer)) return true;
    }
  }
  return false;
}

int64_t TimerCount(int shard) {
  return static_cast<int64_t>(
      shards[static_cast<uint32_t>(shard) % kTimerShards].size.load(std::memory_order_relaxed));
}

uint64_t TimersFired() {
  uint64_t fired = 0;
  for (const Shard& s : shards) fired += s.fired.load(std::memory_order_relaxed);
  return fired;
}

int64_t TimerCount() {
  size_t count = 0;
  for (const Shard& s : shards) count += s.size.load(std::memory_order_relaxed);
  return static_cast<int64_t>(count);
}

void TimersAfterFork() ABSL_NO_THREAD_SAFETY_ANALYSIS {
  for (Shard& s : shards) {
    const bool torn = s.lock.IsHeld();
    s.lock.ResetAfterFork();
    s.running = nullptr;  // their threads are not here
    s.fired.store(0, std::memory_order_relaxed);
    if (!torn) continue;
    const size_t size = s.size.load(std::memory_order_relaxed);
    for (size_t i = 0; i < size; ++i) s.entries[i].timer->index = -1;
    s.size.store(0, std::memory_order_relaxed);
    s.earliest.store(0, std::memory_order_relaxed);
  }
}

}  // namespace leash::rt
