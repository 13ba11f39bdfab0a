// From one goroutine to the next.
//
// The order of a switch: what the old one waits for is written into its record (it still runs, seq
// is odd); the context is exchanged; then, on the new one's stack, AfterSwitch makes the old one's
// new state visible and only then drops the lock, or queues it: from there on another M may run it.

#include <sched.h>

#include <cstdlib>

#include "base/check.h"
#include "base/clock.h"
#include "base/membarrier.h"
#include "base/race.h"
#include "base/sanitizers.h"
#include "sched/asan_fiber.h"
#include "sched/closure_arena.h"
#include "sched/count_hooks.h"
#include "sched/labels.h"
#include "sched/leak_check.h"
#include "sched/park.h"
#include "sched/scheduler.h"
#include "sched/trace.h"
#include "sched/tsan_fiber.h"
#include "sched/watch.h"
#include "stack/context.h"

namespace leash::rt {
namespace {

// Every 61st switch goes the long way round, so that a pair of goroutines that keep readying each
// other starves neither the global queue nor the ring nor timers. The figure is Go's.
constexpr uint32_t kLongWay = 61;

void SetWaiting(G* g) {
  g->status.store(GStatus::kWaiting, std::memory_order_relaxed);
  // Release: pairs with a snapshot's acquire; what was written while running comes before.
  g->seq.store(g->seq.load(std::memory_order_relaxed) + 1, std::memory_order_release);
}

void SetRunnable(G* g) {
  g->status.store(GStatus::kRunnable, std::memory_order_relaxed);
  g->seq.store(g->seq.load(std::memory_order_relaxed) + 1, std::memory_order_release);
}

void SetRunning(M* m, G* g) {
  g->seq.store(g->seq.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  // The facts below change only after seq is odd in every reader's eyes.
  std::atomic_thread_fence(std::memory_order_release);
  g->status.store(GStatus::kRunning, std::memory_order_relaxed);
  g->reason.store(WaitReason::kNone, std::memory_order_relaxed);
  g->m = m;
}

[[gnu::noinline]] void BuryRare(G* g) {
  if ((g->rare & kFarClosure) != 0) {
    FreeClosure(ClosureOf(g), g->closure_type->size, g->closure_type->align);
  }
  if ((g->rare & kExitException) != 0) {
    std::free(RareOf(g)->exit_exception);
    RareOf(g)->exit_exception = nullptr;
  }
  g->rare &= kSpawnFrames;
}

// A record whose goroutine has ended, and whose stack nobody is on any more.
inline void Bury(M* m, G* g) {
  P* p = m->p;
  DestroyFiber(g);
  if (__builtin_expect(g->rare != 0, 0)) BuryRare(g);
  ForgetClosure(g->inline_closure, kInlineClosureBytes);
  LabelSet* labels = g->labels;
  g->labels = nullptr;
  const StackSlot stack = g->stack;
  g->stack = kNoStack;  // (4)
  g->wait_object.store(nullptr, std::memory_order_relaxed);
  g->status.store(GStatus::kIdle, std::memory_order_relaxed);
  g->seq.store(g->seq.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  if (stack != kNoStack) {
    ForgetStack(stack);
    FreeStack(&p->stacks, stack);
  }
  FreeG(&p->free_gs, g);
  p->ended.store(p->ended.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  if (labels != nullptr) ReleaseLabels(labels);
}

void StartFiberSwitch(M* m, G* from, G* to) {
#if LEASH_ASAN
  const char* low = to == &m->g0 ? static_cast<const char*>(m->native_stack) : StackLow(to->stack);
  const size_t bytes =
      to == &m->g0 ? m->native_stack_bytes : kStackClassBytes[StackClass(to->stack)];
  // Saved also by one that ends: the fake stack stays with the record.
  __sanitizer_start_switch_fiber(&from->asan_fake_stack, low, bytes);
#endif
#if LEASH_RACE
  __tsan_switch_to_fiber(to->fiber, kTsanNoSync);
#endif
  (void)m;
  (void)from;
  (void)to;
}

void FinishFiberSwitch([[maybe_unused]] G* self) {
#if LEASH_ASAN
  __sanitizer_finish_switch_fiber(self->asan_fake_stack, nullptr, nullptr);
#endif
}

// A long queue is cold: the records of those who come soon are fetched now, and, of those whose
// record is there by then, what they will touch first: their stack.
inline void PrefetchBehind(P* p) {
  const G* later = p->queue.Peek(4);
  if (__builtin_expect(later == nullptr, 1)) return;
  __builtin_prefetch(later, 1);
  __builtin_prefetch(&later->id, 1);
  __builtin_prefetch(later->inline_closure, 1);
  const G* soon = p->queue.Peek(1);
  if (soon == nullptr) return;  // thieves were faster
  __builtin_prefetch(reinterpret_cast<const void*>(soon->context.sp), 1);
}

// Whether this switch is one of those that look further than at p's own queue.
inline bool GoesLongWay(const M* m, const P* p) {
  return m->locked_g != nullptr || p->tick.load(std::memory_order_relaxed) % kLongWay == 0 ||
         p->detached.load(std::memory_order_relaxed) ||
         sched.attention.load(std::memory_order_relaxed);
}

// Finds something to run on p without leaving it; null: nothing at hand.
[[gnu::always_inline]] inline G* PickLocal(M* m, P* p) {
  p->tick.store(p->tick.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  if (__builtin_expect(GoesLongWay(m, p), 0)) return nullptr;
  G* g = p->queue.TakeNext();
  if (g == nullptr) {
    g = p->queue.PopFront();
    if (g == nullptr) return nullptr;
    PrefetchBehind(p);
  }
  if (__builtin_expect(g->lock_count != 0, 0)) {
    m->deferred = g;
    return nullptr;
  }
  if (g->stack == kNoStack && !BindStack(p, g)) {
    m->deferred = g;
    return nullptr;
  }
  return g;
}

// The rest of the switch that led here.
inline void AfterSwitch() {
  M* m = GetThread()->m;
  const After after = m->after;
  G* g = m->after_g;
  m->after = After::kNothing;
  switch (after) {
    case After::kPark: {
      Lock* unlock = m->after_unlock;
      ParkCommit commit = m->after_commit;
      void* arg = m->after_arg;
      // It points into g's stack: not to be found by who looks for references to that.
      if (commit != nullptr) m->after_arg = nullptr;
      SetWaiting(g);
      if (__builtin_expect(unlock != nullptr, 1)) {
        unlock->unlock();
      } else if (commit != nullptr && !commit(g, arg)) {
        // Not ReadyDirect: whoever runs now may compute for long.
        Ready(g);
      }
      Moved();
      return;
    }
    case After::kNothing:
      return;
    case After::kYield:
      SetRunnable(g);
      CountReady(m->p, g);
      RunqPut(m->p, g);
      return;
    case After::kExit:
      Bury(m, g);
      Moved();
      return;
  }
}

[[gnu::always_inline]] inline void Switch(M* m, G* next) {
  EnterSwitch(m);
  G* from = m->current;
  G* to = next != nullptr ? next : &m->g0;
  LEASH_DCHECK(to != from);
  if (next != nullptr) SetRunning(m, next);
  // Nearly always there is nothing to swap.
  if (__builtin_expect(m->eh->caught != nullptr || m->eh->uncaught != 0, 0)) {
    RareOf(from)->eh = *m->eh;
    from->rare |= kEhSaved;
    *m->eh = {};
  }
  if (__builtin_expect((to->rare & (kEhSaved | kStamped)) != 0, 0)) {
    if ((to->rare & kEhSaved) != 0) *m->eh = RareOf(to)->eh;
    if ((to->rare & kStamped) != 0) RecordLatency(m->p, to);
    to->rare &= static_cast<uint8_t>(~(kEhSaved | kStamped));
  }
  m->current = to;
  StartFiberSwitch(m, from, to);
  SwitchContext(&from->context, &to->context);
  // Another M may have brought us here: `m` is not to be used any more.
  FinishFiberSwitch(from);
  AfterSwitch();
  LeaveSwitch(GetThread()->m);
}

// Apart: a call in front of the switch would have it save more registers, traced or not.
[[gnu::noinline, gnu::cold]] void SwitchTraced(M* m, G* next) {
  TraceSwitch(m, next);
  Switch(m, next);
}

// Leaves the current goroutine for `next` (or, if null, for the M's own stack). Into functions that
// cannot be inlined: there a parked goroutine's stack begins.
[[gnu::always_inline]] inline void SwitchAway(M* m, G* next) {
  if (TraceOn()) {
    SwitchTraced(m, next);
  } else {
    Switch(m, next);
  }
}

}  // namespace

bool BindStack(P* p, G* g) {
  g->stack = AllocStack(&p->stacks, g->stack_class);
  if (g->stack == kNoStack) return false;
  g->context = FreshContext(StackTop(g->stack) - 16);
  return true;
}

[[gnu::noinline]] void SwitchToGoroutine(M* m, G* next) { SwitchAway(m, next); }

void ParkThread(G* g, WaitReason reason, const void* object, Lock* unlock, ParkCommit commit,
                void* arg);
void ReadyThread(G* g);

namespace {

[[gnu::always_inline]] inline void ParkAny(WaitReason reason, const void* object, Lock* unlock,
                                           ParkCommit commit, void* arg) {
  M* m = GetThread()->m;
  if (__builtin_expect(m == nullptr, 0)) {
    ParkThread(CurrentG(), reason, object, unlock, commit, arg);
    return;
  }
  G* g = m->current;
  LEASH_CHECK(g != &m->g0);  // timers must not park
  LEASH_DCHECK(g->status.load(std::memory_order_relaxed) == GStatus::kRunning);
#if LEASH_RECORD
  g->wait_object.store(object, std::memory_order_relaxed);
  g->since.store(coarse_now.load(std::memory_order_relaxed), std::memory_order_relaxed);
#else
  (void)object;
#endif
  g->reason.store(reason, std::memory_order_relaxed);
  P* p = m->p;
  CountPark(p, reason);
  m->after = After::kPark;
  m->after_g = g;
  m->after_unlock = unlock;
  m->after_commit = commit;
  m->after_arg = arg;
  SwitchAway(m, PickLocal(m, p));
}

}  // namespace

[[gnu::noinline]] void Park(WaitReason reason, const void* object, Lock* unlock) {
  ParkAny(reason, object, unlock, nullptr, nullptr);
}

[[gnu::noinline]] void Park(WaitReason reason, const void* object, ParkCommit commit, void* arg) {
  ParkAny(reason, object, nullptr, commit, arg);
}

namespace {

inline void ReadyGoroutine(G* g) {
  if (const GStatus status = g->status.load(std::memory_order_relaxed);
      __builtin_expect(status != GStatus::kWaiting, 0)) {
    // In the child of a fork timers and queues still name those who were left behind.
    LEASH_CHECK(status == GStatus::kDead && forked);
    return;
  }
  if (TraceOn()) TraceReady(g);
  M* m = GetThread()->m;
  g->status.store(GStatus::kRunnable, std::memory_order_relaxed);
#if LEASH_RECORD
  g->since.store(coarse_now.load(std::memory_order_relaxed), std::memory_order_relaxed);
#endif
  if (__builtin_expect(m != nullptr && m->p != nullptr, 1)) {
    CountReady(m->p, g);
    RunqPutNext(m->p, g);
  } else {
    CountReadyAnywhere(g);
    PushGlobal(g);
    WakeP();
  }
}

}  // namespace

void ReadyDirect(G* g) {
  if (g->kind == GKind::kThread) {
    ReadyThread(g);
  } else {
    ReadyGoroutine(g);
  }
}

void Ready(G* g) {
  if (__builtin_expect(g->kind == GKind::kThread, 0)) {
    ReadyThread(g);
    return;
  }
  ReadyGoroutine(g);
  WakeP();
}

[[gnu::noinline]] void Yield() {
  M* m = GetThread()->m;
  if (m == nullptr) {
    sched_yield();
    return;
  }
  G* g = m->current;
  LEASH_CHECK(g != &m->g0);
  P* p = m->p;
  G* next = PickLocal(m, p);
  if (__builtin_expect(next == nullptr, 0) && !GoesLongWay(m, p) && m->deferred == nullptr &&
      !HasGlobalWork()) {
    return;  // nobody else wants to run
  }
#if LEASH_RECORD
  g->since.store(coarse_now.load(std::memory_order_relaxed), std::memory_order_relaxed);
#endif
  m->after = After::kYield;
  m->after_g = g;
  SwitchAway(m, next);
}

namespace {

// This, and ExitGoroutine, without frames in the fake stack: they would never be given back.
[[gnu::noinline]] LEASH_NO_ASAN void LeaveForEver(M* m, G* next) { SwitchAway(m, next); }

}  // namespace

LEASH_NO_ASAN void ExitGoroutine() {
  M* m = GetThread()->m;
  G* g = m->current;
  if (m->locked_g == g) {
    // It ends while it is locked: its thread goes with it.
    m->locked_g = nullptr;
    RareOf(g)->locked_m = nullptr;
    g->lock_count = 0;
    m->exits = true;
  }
  g->status.store(GStatus::kDead, std::memory_order_relaxed);
  m->after = After::kExit;
  m->after_g = g;
  LeaveForEver(m, m->exits ? nullptr : PickLocal(m, m->p));
  InternalError("a goroutine that has ended was run");
}

}  // namespace leash::rt

// The first frame of every goroutine, called by leash_goroutine_entry.
extern "C" LEASH_NO_ASAN void leash_goroutine_main() {
  using namespace leash::rt;  // NOLINT(google-build-using-namespace): the face of rt
  G* g = GetThread()->m->current;
  FinishFiberSwitch(g);
  AdoptFakeStack(g);
  AfterSwitch();
  LeaveSwitch(GetThread()->m);
  race::Acquire(g);  // race-anchors, edge 1: the go statement
  g->closure_type->run(ClosureOf(g));
  ExitGoroutine();
}
