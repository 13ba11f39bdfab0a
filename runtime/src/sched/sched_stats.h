// What the scheduler counts of itself, for debug::Metrics() and for traces.
//
// Laws: (1) a count on a hot path is a plain addition by the one thread that may touch it: a P's by
//   its M, a Thread's by itself. Nothing shared is written.  (2) No clock is read there either, but
//   for one in so many: see below.  (3) What is read elsewhere is a moment's figure. Counts only
//   grow, and Ps are never freed, so that sums only grow, too.
//
// How long runnable goroutines wait is sampled. When something becomes runnable a countdown goes
// down by one; where it reaches zero the goroutine gets a stamp, and whoever runs it next records
// the time between. The gap to the next one is drawn at random, so that programs which do things in
// turn are not seen at the same place of their turn each time, and its mean follows the load: up to
// about a thousand stamps a second, one in 64 at the most and one in 4096 at least. A stamp counts
// for as many as its gap: counts are of all that became runnable, however the mean moved.

#ifndef LEASH_SCHED_SCHED_STATS_H_
#define LEASH_SCHED_SCHED_STATS_H_

#include <bit>
#include <cstddef>
#include <cstdint>

#include "sched/wait_reason.h"

namespace leash::rt {

struct G;
struct P;
struct Thread;

// Bucket i of the latencies holds those of at most LatencyBound(i) and more than the bound before;
// the last one has no bound.
inline constexpr int kLatencyBounds = 28;  // 64 ns to 8.6 s
inline constexpr int64_t LatencyBound(int i) { return int64_t{64} << i; }
inline int LatencyBucket(int64_t ns) {
  if (ns <= LatencyBound(0)) return 0;
  const int i = std::bit_width(static_cast<uint64_t>(ns - 1)) - 6;
  return i < kLatencyBounds ? i : kLatencyBounds;
}

// How far it is to the next stamp. Its owner's only.
struct StampGap {
  static constexpr uint32_t kMeanMin = 64;
  static constexpr uint32_t kMeanMax = 4096;
  static constexpr int64_t kInterval = 1'000'000;

  uint16_t drawn = 1;  // of the gap that ends with the next stamp
  uint16_t mean = kMeanMin;
  int64_t stamped_at = 0;

  // Called when the gap is over, at `now`: begins another one. Returns its length.
  uint16_t Next(int64_t now, uint32_t random);
};
static_assert(2 * StampGap::kMeanMax <= UINT16_MAX);

// Law (1)'s count: added to by its owner, read anywhere.
class OwnCount {
 public:
  // One instruction. Of a relaxed load, an addition and a relaxed store gcc makes three, which
  // `pingpong` notices.
  void Add(uint64_t n) { value_ += n; }
  uint64_t Get() const { return __atomic_load_n(&value_, __ATOMIC_RELAXED); }
  void Clear() { __atomic_store_n(&value_, 0, __ATOMIC_RELAXED); }

 private:
  uint64_t value_ = 0;
};

// A P's. Written by its M only.
struct PStats {
  OwnCount parks[static_cast<size_t>(WaitReason::kCount)];
  OwnCount steals;
  OwnCount latencies[kLatencyBounds + 1];
  OwnCount latencies_ns;  // their sum
  StampGap gap;

  // As new. Its M's only.
  void Clear();
};

// The slow ends of the hooks in count_hooks.h.
void StampReady(uint16_t* countdown, StampGap* gap, G* g);
void CountReadyOutside(Thread* thread, G* g);
// g, which is kStamped, begins to run on p. Leaves the bit to its caller.
void RecordLatency(P* p, G* g);

// The sums over all Ps.
struct SchedStats {
  uint64_t parks[static_cast<size_t>(WaitReason::kCount)] = {};
  uint64_t steals = 0;
  uint64_t latencies[kLatencyBounds + 1] = {};
  uint64_t latencies_ns = 0;
};
SchedStats ReadSchedStats();

}  // namespace leash::rt

#endif  // LEASH_SCHED_SCHED_STATS_H_
