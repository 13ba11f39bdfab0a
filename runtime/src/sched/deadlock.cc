// "all goroutines are asleep - deadlock!": said when it is true, and no thread outside the runtime
// could wake anyone.
//
// True means: every P is idle and nothing is queued; nobody waits for a descriptor; no timer is
// armed whose function could wake somebody (a ticker that nobody receives from cannot); somebody
// waits (else the program is merely idle); and every thread of the process is the runtime's own or
// waits in leash itself. A thread that has never used leash could do anything, so one is enough for
// silence.
//
// The state is read piece by piece while the program might still move. `activity` grows whenever a
// P leaves the idle list and whenever a thread parks or is readied: equal before and after, with
// everything idle both times, means that nothing moved in between.

#include <algorithm>
#include <iterator>

#include "base/check.h"
#include "base/lock.h"
#include "base/race.h"
#include "sched/netpoll_poll.h"
#include "sched/process_threads.h"
#include "sched/scheduler.h"
#include "sched/timer_heap.h"

namespace leash::rt {
namespace {

constinit std::atomic<int32_t> runtime_threads{0};
// Who they are, as far as there is room; 0: free.
constexpr int kKnownMax = 256;
constinit std::atomic<int32_t> known_threads[kKnownMax] = {};

// ThreadSanitizer keeps a thread of its own, which a child after fork() may be without.
constinit std::atomic<int32_t> sanitizer_threads{race::kEnabled ? 1 : 0};

}  // namespace

void RegisterRuntimeThread() {
  runtime_threads.fetch_add(1, std::memory_order_seq_cst);
  for (std::atomic<int32_t>& known : known_threads) {
    int32_t nobody = 0;
    if (known.compare_exchange_strong(nobody, CurrentTid(), std::memory_order_relaxed)) return;
  }
}

void UnregisterRuntimeThread() {
  runtime_threads.fetch_sub(1, std::memory_order_seq_cst);
  for (std::atomic<int32_t>& known : known_threads) {
    int32_t self = CurrentTid();
    if (known.compare_exchange_strong(self, 0, std::memory_order_relaxed)) return;
  }
}

void ForgetRuntimeThreads() {
  runtime_threads.store(0, std::memory_order_seq_cst);
  sanitizer_threads.store(0, std::memory_order_relaxed);
  for (std::atomic<int32_t>& known : known_threads) known.store(0, std::memory_order_relaxed);
}

bool IsRuntimeThread(int32_t tid) {
  return std::any_of(std::begin(known_threads), std::end(known_threads), [tid](const auto& known) {
    return known.load(std::memory_order_relaxed) == tid;
  });
}

void CheckDeadlock() {
  const uint64_t activity = sched.activity.load(std::memory_order_seq_cst);
  if (!AllIdle() || NetPollWaiters() > 0) return;
  const int32_t parked = sched.threads_parked.load(std::memory_order_seq_cst);
  const int64_t goroutines = CountGoroutines();
  if (goroutines == 0 && parked == 0) return;
  if (AnyTimerMayWake()) return;
  int32_t ms;
  {
    LockHolder hold(sched.lock);
    ms = sched.m_count;
  }
  // At most: one counted too many would hide a thread that could wake somebody.
  const int own = ms + runtime_threads.load(std::memory_order_seq_cst) + parked +
                  sanitizer_threads.load(std::memory_order_relaxed);
  const int threads = CountProcessThreads();
  if (threads < 0 || threads > own) return;
  if (!AllIdle() || sched.activity.load(std::memory_order_seq_cst) != activity) return;
  Fatal("all goroutines are asleep - deadlock!");
}

}  // namespace leash::rt
