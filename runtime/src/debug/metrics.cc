// debug::Metrics: sums over the Ps and one look at each goroutine's record. Takes the scheduler's
// lock for two loads, and no lock that a stuck program could hold.

#include <cmath>
#include <cstddef>

#include "absl/time/time.h"
#include "leash/debug.h"
#include "sched/netpoll_poll.h"
#include "sched/registry.h"
#include "sched/sched_stats.h"
#include "sched/scheduler.h"
#include "sched/timer_heap.h"
#include "sched/wait_reason.h"
#include "stack/stack.h"

namespace leash::debug {
namespace {

using rt::G;
using rt::GStatus;
using rt::sched;
using rt::WaitReason;

constexpr auto kReasons = static_cast<size_t>(WaitReason::kCount);

// By the Ps; what needs a walk over the goroutines is left alone.
void ReadPs(RuntimeMetrics* out) {
  const int32_t n = sched.p_count.load(std::memory_order_acquire);
  // Ends first, as in CountGoroutines.
  for (int32_t i = 0; i < n; ++i) {
    const rt::P* p = sched.all_ps[i].load(std::memory_order_acquire);
    out->goroutines_ended += p->ended.load(std::memory_order_acquire);
  }
  for (int32_t i = 0; i < n; ++i) {
    const rt::P* p = sched.all_ps[i].load(std::memory_order_acquire);
    out->goroutines_created += p->started.load(std::memory_order_acquire);
    out->local_queues += p->queue.Size();
  }
  out->goroutines_created += sched.outside_started.load(std::memory_order_relaxed);
  out->goroutines = out->goroutines_created - out->goroutines_ended;
}

void ReadGs(RuntimeMetrics* out) {
  int64_t waiting[kReasons] = {};
  const size_t n = rt::GCount();
  for (size_t i = 0; i < n; ++i) {
    const G* g = rt::GAt(i);
    // Acquire: pairs with the release in StartGoroutine.
    const GStatus status = g->status.load(std::memory_order_acquire);
    if (status == GStatus::kIdle || status == GStatus::kDead) continue;
    if (!rt::IsGoroutine(g)) {
      ++out->threads;
      continue;
    }
    if (const rt::StackSlot slot = __atomic_load_n(&g->stack, __ATOMIC_RELAXED);
        slot != rt::kNoStack) {
      out->stack_in_use_bytes += rt::kStackClassBytes[rt::StackClass(slot)];
    }
    const WaitReason reason = g->reason.load(std::memory_order_relaxed);
    if (status == GStatus::kRunnable) {
      ++out->runnable;
    } else if (status == GStatus::kWaiting && reason != WaitReason::kNone) {
      ++waiting[static_cast<size_t>(reason)];
    } else {
      // Also where it has gone on between the two loads.
      const rt::M* m = __atomic_load_n(&g->m, __ATOMIC_RELAXED);
      if (m != nullptr && m->in_syscall.load(std::memory_order_relaxed) != 0) {
        ++out->in_syscall;
      } else {
        ++out->running;
      }
    }
  }
  for (size_t i = 1; i < kReasons; ++i) {
    out->waits.push_back({rt::WaitReasonText(static_cast<WaitReason>(i)), waiting[i], 0});
  }
}

}  // namespace

uint64_t DurationHistogram::Count() const {
  uint64_t sum = 0;
  for (uint64_t count : counts) sum += count;
  return sum;
}

absl::Duration DurationHistogram::Quantile(double q) const {
  const auto wanted = static_cast<uint64_t>(std::ceil(q * static_cast<double>(Count())));
  uint64_t below = 0;
  for (size_t i = 0; i < bounds.size(); ++i) {
    below += counts[i];
    if (below > 0 && below >= wanted) return bounds[i];
  }
  return below == Count() ? absl::ZeroDuration() : bounds.back();
}

RuntimeMetrics Metrics() {
  rt::EnsureStarted();
  RuntimeMetrics out;
  ReadPs(&out);
  out.waits.reserve(kReasons - 1);
  ReadGs(&out);
  const rt::SchedStats stats = rt::ReadSchedStats();
  for (size_t i = 1; i < kReasons; ++i) out.waits[i - 1].parks = stats.parks[i];
  out.steals = stats.steals;
  DurationHistogram& latency = out.scheduler_latency;
  for (int i = 0; i < rt::kLatencyBounds; ++i) {
    latency.bounds.push_back(absl::Nanoseconds(rt::LatencyBound(i)));
  }
  latency.counts.assign(stats.latencies, stats.latencies + rt::kLatencyBounds + 1);
  latency.sum = absl::Nanoseconds(static_cast<int64_t>(stats.latencies_ns));
  {
    rt::LockHolder hold(sched.lock);
    out.gomaxprocs = sched.gomaxprocs;
    out.ms = sched.m_count;
    out.idle_ms = sched.idle_m_count;
  }
  out.idle_ps = sched.idle_p_count.load(std::memory_order_relaxed);
  out.detached_ps = sched.detached_count.load(std::memory_order_relaxed);
  out.handoffs = sched.handoffs.load(std::memory_order_relaxed);
  out.global_queue = sched.queue_size.load(std::memory_order_relaxed);
  out.spinning_ms = sched.spinning_ms.load(std::memory_order_relaxed);
  out.timers_armed = rt::TimerCount();
  out.timers_fired = rt::TimersFired();
  const rt::StackStats stacks = rt::GetStackStats();
  out.stack_committed_bytes = stacks.committed_bytes;
  out.stack_unguarded_bytes = stacks.unguarded_bytes;
  // Stacks may have been bound since the walk, and let go.
  if (out.stack_in_use_bytes > out.stack_committed_bytes) {
    out.stack_in_use_bytes = out.stack_committed_bytes;
  }
  out.stack_free_bytes = out.stack_committed_bytes - out.stack_in_use_bytes;
  out.netpoll_waiters = rt::NetPollWaiters();
  out.netpoll_descriptors = rt::NetPollDescriptors();
  return out;
}

}  // namespace leash::debug
