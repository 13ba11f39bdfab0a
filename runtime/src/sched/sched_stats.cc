#include "sched/sched_stats.h"

#include "base/clock.h"
#include "sched/count_hooks.h"
#include "sched/park.h"
#include "sched/scheduler.h"

namespace leash::rt {

uint16_t StampGap::Next(int64_t now, uint32_t random) {
  // Doubled and halved, not computed: one pause must not turn a busy P into a slow one.
  const int64_t took = now - stamped_at;
  if (took < kInterval / 2 && mean < kMeanMax) {
    mean = static_cast<uint16_t>(mean * 2);
  } else if (took > kInterval * 2 && mean > kMeanMin) {
    mean = static_cast<uint16_t>(mean / 2);
  }
  stamped_at = now;
  drawn = static_cast<uint16_t>(1 + random % (2u * mean - 1));
  return drawn;
}

void PStats::Clear() {
  for (OwnCount& count : parks) count.Clear();
  steals.Clear();
  for (OwnCount& count : latencies) count.Clear();
  latencies_ns.Clear();
}

[[gnu::noinline]] void StampReady(uint16_t* countdown, StampGap* gap, G* g) {
  const int64_t now = MonotonicNow();
  g->rare |= kStamped;
  g->stamp_weight = gap->drawn;
  g->since.store(now, std::memory_order_relaxed);
  *countdown = gap->Next(now, CheapRandom());
}

void CountReadyOutside(Thread* thread, G* g) {
  if (--thread->stamp_countdown == 0) StampReady(&thread->stamp_countdown, &thread->stamp_gap, g);
}

[[gnu::noinline]] void RecordLatency(P* p, G* g) {
  int64_t ns = MonotonicNow() - g->since.load(std::memory_order_relaxed);
  if (ns < 0) ns = 0;
  p->stats.latencies[LatencyBucket(ns)].Add(g->stamp_weight);
  p->stats.latencies_ns.Add(static_cast<uint64_t>(ns) * g->stamp_weight);
}

SchedStats ReadSchedStats() {
  SchedStats sums;
  const int32_t n = sched.p_count.load(std::memory_order_acquire);
  for (int32_t i = 0; i < n; ++i) {
    const PStats& stats = sched.all_ps[i].load(std::memory_order_acquire)->stats;
    for (size_t reason = 0; reason < static_cast<size_t>(WaitReason::kCount); ++reason) {
      sums.parks[reason] += stats.parks[reason].Get();
    }
    sums.steals += stats.steals.Get();
    for (int bucket = 0; bucket <= kLatencyBounds; ++bucket) {
      sums.latencies[bucket] += stats.latencies[bucket].Get();
    }
    sums.latencies_ns += stats.latencies_ns.Get();
  }
  return sums;
}

}  // namespace leash::rt
