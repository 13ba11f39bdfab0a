// The runtime's side of the verifier: see leash/internal/verify_seam.h.

#include "leash/internal/verify_seam.h"

#include <atomic>

#include "base/futex.h"
#include "sched/labels.h"
#include "sched/park.h"
#include "sched/registry.h"
#include "sched/scheduler.h"
#include "sched/watch.h"

namespace leash::internal {

using namespace rt;  // NOLINT(google-build-using-namespace): the face of rt

const char* InternTestName(std::string_view name) { return InternText(name); }

void SetRunningTest(const char* test) { running_test.store(test, std::memory_order_relaxed); }

const char* TestOfCaller() {
  const G* g = CurrentGOrNull();
  if (g != nullptr && (g->test != nullptr || IsGoroutine(g))) return g->test;
  return running_test.load(std::memory_order_relaxed);
}

void RecordSpawnStacks() {
  EnsureStarted();
  SetSpawnFrames(kSpawnFramesMax);
}

bool NoGoroutines() {
  return runtime_started.load(std::memory_order_acquire) != 2 || CountGoroutines() == 0;
}

std::vector<Glimpse> GlanceAtGoroutines() {
  std::vector<Glimpse> glimpses;
  if (runtime_started.load(std::memory_order_acquire) != 2) return glimpses;
  const G* self = CurrentGOrNull();
  const size_t n = GCount();
  for (size_t i = 0; i < n; ++i) {
    const G* g = GAt(i);
    for (;;) {
      // Acquire: pairs with the release of whoever changed its state.
      const uint32_t seq = g->seq.load(std::memory_order_acquire);
      const GStatus status = g->status.load(std::memory_order_relaxed);
      if (status == GStatus::kIdle || status == GStatus::kDead || !IsGoroutine(g) || g == self) {
        break;
      }
      const Glimpse glimpse = {g->id.load(std::memory_order_relaxed), seq,
                               status == GStatus::kRunnable || status == GStatus::kRunning,
                               BackgroundOf(g) != nullptr, g->test};
      std::atomic_thread_fence(std::memory_order_acquire);
      if (g->seq.load(std::memory_order_relaxed) != seq) continue;
      glimpses.push_back(glimpse);
      break;
    }
  }
  return glimpses;
}

uint32_t WatchMoves() {
  const uint32_t ticket = moves.load(std::memory_order_acquire);
  ArmWatch();
  return ticket;
}

void WaitForMove(uint32_t ticket, int64_t timeout_ns) {
  EnterSyscall();
  FutexWait(&moves, ticket, timeout_ns);
  ExitSyscall();
}

}  // namespace leash::internal
