// The go statement: a record from this P's own list, an id from its block, the closure moved in,
// facts by plain stores. No lock, no locked instruction and no page touched where the P has a warm
// record.

#include <cstdlib>
#include <new>
#include <stdexcept>

#include "base/check.h"
#include "base/clock.h"
#include "base/race.h"
#include "leash/go.h"
#include "sched/closure_arena.h"
#include "sched/labels.h"
#include "sched/park.h"
#include "sched/scheduler.h"
#include "sched/tsan_fiber.h"
#include "stack/unwind.h"

namespace leash::rt {
namespace {

constinit std::atomic<int> spawn_frames_wanted{0};

// Innermost first, without the runtime's own. The array stays with the record for its life, so that
// readers may look at it at any time.
[[gnu::noinline]] void RecordSpawnStack(G* g, int frames) {
  if (g->spawn_frames == nullptr) {
    g->spawn_frames = static_cast<uint64_t*>(std::calloc(kSpawnFramesMax + 1, sizeof(uint64_t)));
    if (g->spawn_frames == nullptr) return;
  }
  // RecordSpawnStack, StartGoroutine.
  g->spawn_frames[0] = static_cast<uint64_t>(UnwindSelf(g->spawn_frames + 1, frames, 2));
}

}  // namespace

void SetSpawnFrames(int frames) {
  LEASH_CHECK(frames >= 0 && frames <= kSpawnFramesMax);
  spawn_frames_wanted.store(frames, std::memory_order_relaxed);
}

}  // namespace leash::rt

namespace leash::internal {

using namespace rt;

Embryo NewGoroutine(const ClosureType* type, const GoOptions* options) {
  Thread* thread = GetThread();
  if (__builtin_expect(thread->m == nullptr, 0)) EnsureStarted();
  P* p = thread->m != nullptr ? thread->m->p : nullptr;
  int stack_class = default_stack_class;
  if (options != nullptr && options->stack_bytes != 0) {
    stack_class = StackClassFor(options->stack_bytes);
    if (stack_class < 0) throw std::invalid_argument("leash: a stack of more than 1 GiB");
  }
  G* g = AllocG(p != nullptr ? &p->free_gs : nullptr);
  if (g == nullptr) throw std::bad_alloc();
  g->kind = GKind::kGoroutine;
  g->stack_class = static_cast<uint8_t>(stack_class);
  g->closure_type = type;
  // Under ThreadSanitizer the closure's memory must be forgotten with it: see closure_arena.cc.
  if (!race::kEnabled && type->size <= kInlineClosureBytes && type->align <= 16) {
    g->closure = g->inline_closure;
  } else {
    g->closure = AllocClosure(type->size, type->align);
    if (g->closure == nullptr) {
      FreeG(p != nullptr ? &p->free_gs : nullptr, g);
      throw std::bad_alloc();
    }
  }
  g->labels = nullptr;
  g->background = nullptr;
  if (options != nullptr) {
    try {
      if (!options->name.empty()) {
        g->labels = WithLabels(CurrentG()->labels, {{"name", options->name}});
      }
      if (!options->background.empty()) g->background = InternText(options->background);
    } catch (...) {
      AbandonGoroutine(g);
      throw;
    }
  }
  return {g, g->closure};
}

void AbandonGoroutine(G* g) noexcept {
  M* m = GetThread()->m;
  if (g->closure != g->inline_closure) {
    FreeClosure(g->closure, g->closure_type->size, g->closure_type->align);
  }
  rt::LabelSet* labels = g->labels;
  g->labels = nullptr;
  ReleaseLabels(labels);
  FreeG(m != nullptr ? &m->p->free_gs : nullptr, g);
}

// Not inlined: RecordSpawnStack counts its frame.
[[gnu::noinline]] void StartGoroutine(G* g, std::source_location site) {
  const race::Entry entry;
  M* m = GetThread()->m;
  P* p = m != nullptr ? m->p : nullptr;
  G* parent = CurrentG();
  g->id.store(NewId(p), std::memory_order_relaxed);
#if LEASH_RECORD
  g->site = site;
  g->parent_id = IdOf(parent);
  g->test = parent->test;
  if (p == nullptr && g->test == nullptr) g->test = running_test.load(std::memory_order_relaxed);
  g->since.store(coarse_now.load(std::memory_order_relaxed), std::memory_order_relaxed);
  const int frames = spawn_frames_wanted.load(std::memory_order_relaxed);
  if (__builtin_expect(frames != 0, 0)) {
    RecordSpawnStack(g, frames);
  } else if (g->spawn_frames != nullptr) {
    g->spawn_frames[0] = 0;
  }
#else
  (void)site;
#endif
  // A new record's labels are its name's; without a name it shares its spawner's.
  if (g->labels == nullptr) g->labels = RetainLabels(parent->labels);
  CreateFiber(g);
  g->reason.store(WaitReason::kNone, std::memory_order_relaxed);
  g->lock_count = 0;
  g->locked_m = nullptr;
  g->eh = {};
  g->context = {};
  // Release: whoever sees a record in use, before its new seq, sees these facts and not the last
  // one's.
  g->status.store(GStatus::kRunnable, std::memory_order_release);
  // Even: it does not run. A reader that saw the record's last owner sees another number.
  g->seq.store((g->seq.load(std::memory_order_relaxed) | 1) + 1, std::memory_order_release);
  if (p != nullptr) {
    p->started.store(p->started.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    RunqPut(p, g, /*next=*/true);
    WakeP();
  } else {
    sched.outside_started.fetch_add(1, std::memory_order_relaxed);
    PushGlobal(g);
    WakeP();
  }
}

}  // namespace leash::internal
