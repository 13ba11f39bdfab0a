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

#include "base/check.h"
#include "base/lock.h"
#include "sched/netpoll_poll.h"
#include "sched/process_threads.h"
#include "sched/runtime_threads.h"
#include "sched/scheduler.h"
#include "sched/timer_heap.h"

namespace leash::rt {

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
  const int own = ms + CountRuntimeThreads() + parked;
  const int threads = CountProcessThreads();
  if (threads < 0 || threads > own) return;
  if (!AllIdle() || sched.activity.load(std::memory_order_seq_cst) != activity) return;
  Fatal("all goroutines are asleep - deadlock!");
}

}  // namespace leash::rt
