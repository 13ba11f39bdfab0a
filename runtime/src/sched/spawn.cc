// The go statement: a record from this P's own list, an id from its block, the closure moved in,
// facts by plain stores. No lock, no locked instruction and no page touched where the P has a warm
// record.

#include <cstdlib>
#include <cstring>
#include <new>
#include <stdexcept>

#include "base/check.h"
#include "base/clock.h"
#include "base/race.h"
#include "leash/go.h"
#include "sched/asan_fiber.h"
#include "sched/closure_arena.h"
#include "sched/count_hooks.h"
#include "sched/labels.h"
#include "sched/park.h"
#include "sched/scheduler.h"
#include "sched/trace.h"
#include "sched/tsan_fiber.h"
#include "stack/unwind.h"

namespace leash::rt {
namespace {

constinit std::atomic<int> spawn_frames_wanted{0};

// Innermost first, without the runtime's own. The array stays with the record for its life, so that
// readers may look at it at any time.
[[gnu::noinline]] void RecordSpawnStack(G* g, int frames) {
  uint64_t*& words = RareOf(g)->spawn_frames;
  if (frames == 0) {
    words[0] = 0;
    return;
  }
  if (words == nullptr) {
    words = static_cast<uint64_t*>(std::calloc(kSpawnFramesMax + 1, sizeof(uint64_t)));
    if (words == nullptr) return;
    g->rare |= kSpawnFrames;
  }
  // RecordSpawnStack, StartGoroutine. (SpawnClosure may have gone, by a tail call.)
  words[0] = static_cast<uint64_t>(UnwindSelf(words + 1, frames, 2));
}

}  // namespace

void SetSpawnFrames(int frames) {
  LEASH_CHECK(frames >= 0 && frames <= kSpawnFramesMax);
  spawn_frames_wanted.store(frames, std::memory_order_relaxed);
}

}  // namespace leash::rt

namespace leash::internal {

using namespace rt;  // NOLINT(google-build-using-namespace): the face of rt

namespace {

// Where it lies in the arena. Null: no memory.
void* PlaceFar(G* g, const ClosureType* type) {
  void* far = AllocClosure(type->size, type->align);
  if (far == nullptr) return nullptr;
  g->rare |= kFarClosure;
  std::memcpy(g->inline_closure, &far, sizeof(far));
  return far;
}

void FreeFar(G* g) {
  if ((g->rare & kFarClosure) == 0) return;
  FreeClosure(ClosureOf(g), g->closure_type->size, g->closure_type->align);
  g->rare &= static_cast<uint8_t>(~kFarClosure);
}

bool FitsInline(const ClosureType* type) {
  // Under ThreadSanitizer the closure's memory must be forgotten with it: see closure_arena.cc.
  return !race::kEnabled && type->size <= kInlineClosureBytes && type->align <= 16;
}

[[gnu::noinline]] Embryo NewGoroutineSlow(const ClosureType* type, const GoOptions* options) {
  Thread* thread = GetThread();
  if (thread->m == nullptr) EnsureStarted();
  P* p = thread->m != nullptr ? thread->m->p : nullptr;
  int stack_class = default_stack_class;
  if (options != nullptr && options->stack_bytes != 0) {
    stack_class = StackClassFor(options->stack_bytes);
    if (stack_class < 0) throw std::invalid_argument("leash: a stack of more than 1 GiB");
  }
  G* g = AllocG(p != nullptr ? &p->free_gs : nullptr);
  if (g == nullptr) throw std::bad_alloc();
  g->embryo.store(true, std::memory_order_relaxed);
  g->kind = GKind::kGoroutine;
  g->stack_class = static_cast<uint8_t>(stack_class);
  g->closure_type = type;
  ExpectClosure(g->inline_closure, kInlineClosureBytes);
  if (!FitsInline(type) && PlaceFar(g, type) == nullptr) {
    g->embryo.store(false, std::memory_order_relaxed);
    FreeG(p != nullptr ? &p->free_gs : nullptr, g);
    throw std::bad_alloc();
  }
  if (options != nullptr) {
    try {
      if (!options->name.empty()) {
        g->labels = WithLabels(CurrentG()->labels, {{"name", options->name}});
      }
      if (!options->background.empty()) {
        RareOf(g)->background = InternText(options->background);
        g->rare |= kBackground;
      }
    } catch (...) {
      AbandonGoroutine(g);
      throw;
    }
  }
  // Release: whoever sees a handle counted in the closure, which is constructed now, sees the
  // embryo (debug/mentions.cc).
  std::atomic_thread_fence(std::memory_order_release);
  return {g, ClosureOf(g)};
}

}  // namespace

Embryo NewGoroutine(const ClosureType* type, const GoOptions* options) {
  M* m = GetThread()->m;
  if (__builtin_expect(m == nullptr || options != nullptr || !FitsInline(type), 0)) {
    return NewGoroutineSlow(type, options);
  }
  G* g = AllocG(&m->p->free_gs);
  if (__builtin_expect(g == nullptr, 0)) throw std::bad_alloc();
  g->kind = GKind::kGoroutine;
  g->stack_class = static_cast<uint8_t>(default_stack_class);
  g->closure_type = type;
  g->embryo.store(true, std::memory_order_relaxed);
  ExpectClosure(g->inline_closure, kInlineClosureBytes);
  std::atomic_thread_fence(std::memory_order_release);  // as above
  return {g, g->inline_closure};
}

void AbandonGoroutine(G* g) noexcept {
  M* m = GetThread()->m;
  FreeFar(g);
  ForgetClosure(g->inline_closure, kInlineClosureBytes);
  g->rare &= kSpawnFrames;
  rt::LabelSet* labels = g->labels;
  g->labels = nullptr;
  ReleaseLabels(labels);
  // Another number: a reader that saw it before the closure was begun knows that something was.
  g->seq.store((g->seq.load(std::memory_order_relaxed) | 1) + 1, std::memory_order_release);
  g->embryo.store(false, std::memory_order_release);
  FreeG(m != nullptr ? &m->p->free_gs : nullptr, g);
}

// Not inlined: RecordSpawnStack counts its frame.
[[gnu::noinline]] bool StartGoroutine(G* g, std::source_location site) {
  const race::Entry entry;
  M* m = GetThread()->m;
  P* p = m != nullptr ? m->p : nullptr;
  G* parent = m != nullptr ? m->current : CurrentG();
  g->id.store(NewId(p), std::memory_order_relaxed);
#if LEASH_RECORD
  g->site = site;
  g->parent_id = parent->id.load(std::memory_order_relaxed);
  g->test = parent->test;
  if (p == nullptr && g->test == nullptr) g->test = running_test.load(std::memory_order_relaxed);
  g->since.store(coarse_now.load(std::memory_order_relaxed), std::memory_order_relaxed);
  const int frames = spawn_frames_wanted.load(std::memory_order_relaxed);
  if (__builtin_expect((frames | (g->rare & kSpawnFrames)) != 0, 0)) RecordSpawnStack(g, frames);
#else
  (void)site;
#endif
  // A new record's labels are its name's; without a name it shares its spawner's.
  if (g->labels == nullptr && parent->labels != nullptr) g->labels = RetainLabels(parent->labels);
  CreateFiber(g);
  // Release: whoever sees a record in use, before its new seq, sees these facts and not the last
  // one's.
  g->status.store(GStatus::kRunnable, std::memory_order_release);
  // Even: it does not run. A reader that saw the record's last owner sees another number.
  g->seq.store((g->seq.load(std::memory_order_relaxed) | 1) + 1, std::memory_order_release);
  g->embryo.store(false, std::memory_order_release);
  if (TraceOn()) TraceSpawn(g);
  if (__builtin_expect(p != nullptr, 1)) {
    p->started.store(p->started.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    CountReady(p, g);
    RunqPutNext(p, g);
  } else {
    sched.outside_started.fetch_add(1, std::memory_order_relaxed);
    CountReadyAnywhere(g);
    PushGlobal(g);
  }
  WakeP();
  return LEASH_RECORD && p == nullptr;
}

[[gnu::noinline]] void WipeDeadFrames() {
  char dead[2048];
  explicit_bzero(dead, sizeof(dead));
}

}  // namespace leash::internal
