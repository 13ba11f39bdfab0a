// Writing events into rings: the slow half of the hooks in trace.h.

#include "sched/trace.h"

#include <sys/mman.h>

#include <bit>
#include <new>

#include "base/lock.h"
#include "base/race.h"
#include "sched/labels.h"
#include "sched/park.h"

namespace leash::rt {

constinit TraceSwitches trace_switches;

namespace {

// By P::index, and of whoever has no P. Acquire on reading pairs with the release in MakeRing: the
// ring is made.
constinit std::atomic<TraceRing<>*> rings[kMaxPs] = {};
constinit Lock shared_lock{LockRank::kLeaf};
constinit std::atomic<TraceRing<>*> shared{nullptr};

static_assert(sizeof(std::source_location) == sizeof(uint64_t));

uint32_t TidOf(const G* g) { return g->kind == GKind::kThread ? static_cast<uint32_t>(g->tid) : 0; }

TraceRing<>* OwnRing(const M* m) {
  if (m == nullptr || m->p == nullptr) return nullptr;
  return rings[m->p->index].load(std::memory_order_acquire);
}

// False: no memory.
bool MakeRing(std::atomic<TraceRing<>*>* ring) {
  if (ring->load(std::memory_order_relaxed) != nullptr) return true;
  void* memory = mmap(nullptr, sizeof(TraceRing<>), PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return false;
  // Default-initialised: the pages of its slots stay untouched.
  ring->store(::new (memory) TraceRing<>, std::memory_order_release);
  return true;
}

template <class... Text>
bool Emit(TraceRecord record, Text... text) {
  if (TraceRing<>* ring = OwnRing(GetThread()->m)) {
    record.time = TraceNow();
    return ring->Push(record, text...);
  }
  TraceRing<>* ring = shared.load(std::memory_order_acquire);
  LockHolder hold(shared_lock);
  record.time = TraceNow();  // under the lock: in the order of the ring
  return ring->Push(record, text...);
}

}  // namespace

void TraceSwitch(M* m, const G* next) {
  TraceRecord left{};
  const G* from = m->after_g;
  switch (m->after) {
    case After::kNothing:
      break;
    case After::kPark:
      left.kind = TraceKind::kPark;
      left.reason = static_cast<uint8_t>(from->reason.load(std::memory_order_relaxed));
      left.arg = reinterpret_cast<uint64_t>(from->wait_object.load(std::memory_order_relaxed));
      break;
    case After::kYield:
      left.kind = TraceKind::kYield;
      break;
    case After::kExit:
      left.kind = TraceKind::kExit;
      break;
  }
  if (left.kind != TraceKind::kNone) left.id = IdOf(from);
  TraceRecord run{};
  if (next != nullptr) {
    run.kind = TraceKind::kRun;
    run.id = IdOf(next);
  }
  TraceRing<>* ring = OwnRing(m);
  if (ring == nullptr) {
    if (left.kind != TraceKind::kNone) Emit(left);
    if (run.kind != TraceKind::kNone) Emit(run);
    return;
  }
  left.time = run.time = TraceNow();
  if (left.kind != TraceKind::kNone) ring->Push(left);
  if (run.kind != TraceKind::kNone) ring->Push(run);
}

void TraceReady(const G* g) {
  const G* waker = CurrentGOrNull();
  TraceRecord r{.id = IdOf(g), .tid = TidOf(g), .kind = TraceKind::kReady};
  if (waker != nullptr) {
    r.other = IdOf(waker);
    r.arg = TidOf(waker);
  }
  Emit(r);
}

void TraceSpawn(const G* g) {
  TraceRecord r{.id = IdOf(g), .arg = std::bit_cast<uint64_t>(g->site), .kind = TraceKind::kSpawn};
  if (const G* spawner = CurrentGOrNull()) {
    r.other = IdOf(spawner);
    r.tid = TidOf(spawner);
  }
  if (g->labels != nullptr) {
    for (const auto& [key, value] : g->labels->pairs) {
      if (key != "name") continue;
      const race::Ignore ignore;
      Emit(r, std::string_view(value));
      return;
    }
  }
  Emit(r);
}

void TraceSteal(const G* g, const P* victim) {
  Emit({.id = IdOf(g), .arg = static_cast<uint64_t>(victim->index), .kind = TraceKind::kSteal});
}

bool TraceSelf(const G* self, TraceKind kind, WaitReason reason, const void* object) {
  return Emit({.id = IdOf(self),
               .arg = reinterpret_cast<uint64_t>(object),
               .tid = TidOf(self),
               .kind = kind,
               .reason = static_cast<uint8_t>(reason)});
}

bool TraceText(const G* self, TraceKind kind, std::string_view text, uint64_t arg) {
  const race::Ignore ignore;
  return Emit({.id = IdOf(self), .arg = arg, .tid = TidOf(self), .kind = kind}, text);
}

bool MakeTraceRings() {
  if (!MakeRing(&shared)) return false;
  const int32_t n = sched.p_count.load(std::memory_order_acquire);
  for (int32_t i = 0; i < n; ++i) {
    if (!MakeRing(&rings[i])) break;
  }
  return true;
}

TraceRing<>* TraceRingOf(int32_t p) { return rings[p].load(std::memory_order_acquire); }
TraceRing<>* SharedTraceRing() { return shared.load(std::memory_order_acquire); }

void TraceAfterFork() {
  trace_switches.on.store(false, std::memory_order_relaxed);
  shared_lock.ResetAfterFork();
}

}  // namespace leash::rt
