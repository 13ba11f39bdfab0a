// Where the scheduler counts: see sched_stats.h.

#ifndef LEASH_SCHED_COUNT_HOOKS_H_
#define LEASH_SCHED_COUNT_HOOKS_H_

#include "sched/g.h"
#include "sched/sched_stats.h"
#include "sched/scheduler.h"

namespace leash::rt {

// g has become runnable, by what runs on p. Before it is queued: from then on another may run it.
inline void CountReady([[maybe_unused]] P* p, [[maybe_unused]] G* g) {
#if LEASH_RECORD
  if (__builtin_expect(--p->stamp_countdown == 0, 0)) {
    StampReady(&p->stamp_countdown, &p->stats.gap, g);
  }
#endif
}

// The same, by the calling thread, which may have a P or not.
inline void CountReadyAnywhere([[maybe_unused]] G* g) {
#if LEASH_RECORD
  Thread* thread = GetThread();
  if (thread->m != nullptr && thread->m->p != nullptr) {
    CountReady(thread->m->p, g);
  } else {
    CountReadyOutside(thread, g);
  }
#endif
}

// The goroutine on p parks.
inline void CountPark([[maybe_unused]] P* p, [[maybe_unused]] WaitReason reason) {
#if LEASH_RECORD
  p->stats.parks[static_cast<size_t>(reason)].Add(1);
#endif
}

// p has taken from another.
inline void CountSteal(P* p) { p->stats.steals.Add(1); }

}  // namespace leash::rt

#endif  // LEASH_SCHED_COUNT_HOOKS_H_
