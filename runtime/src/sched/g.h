// G: the record of one goroutine, or of one OS thread that uses leash.
//
// A goroutine is a record first and a stack second: the record exists from go() on, a stack is
// bound at its first run. Records lie densely in the arena (registry.h) and are never unmapped, so
// whoever enumerates them, here or from another process, needs no lock; a record is reused for
// another goroutine, with another id.
//
//          go()             Execute             Exit
//   kIdle ------> kRunnable ------> kRunning --------> kDead --(freed)--> kIdle
//                   ^   ^            |    |
//             Ready |   +---Yield----+    | Park
//                   +-------------------- kWaiting
//
// Who may touch a record: kIdle: the free list that holds it.  kRunnable: the queue that holds it.
//   kRunning: its M.  kWaiting: nobody, but for the waker that took it off what it waits for, which
//   calls Ready once.
// Laws: (1) g is in at most one queue.  (2) reason is not kNone iff kWaiting.  (3) seq is odd while
// it
//   runs (its context and facts change) and even while it does not: a reader copies [sp, top) and
//   reads seq before and after.  (4) A stack is bound iff it has run and has not ended.

#ifndef LEASH_SCHED_G_H_
#define LEASH_SCHED_G_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <source_location>

#include "base/check.h"
#include "base/sanitizers.h"
#include "leash/go.h"
#include "sched/wait_reason.h"
#include "stack/arena.h"
#include "stack/context.h"
#include "stack/stack.h"

namespace leash::rt {

struct M;
struct LabelSet;

enum class GStatus : uint8_t { kIdle, kRunnable, kRunning, kSyscall, kWaiting, kDead };
enum class GKind : uint8_t { kGoroutine, kThread, kScheduler /* an M's own, never listed */ };

// The exception state of the C++ ABI (__cxa_get_globals): swapped with the goroutine, else one that
// blocks inside a catch clause would rethrow another's exception.
struct EhGlobals {
  void* caught;
  unsigned int uncaught;
};

inline constexpr size_t kInlineClosureBytes = 64;
inline constexpr int kSpawnFramesMax = 8;

// What is rare in a record, as bits of G::rare: a spawn and an end look at this one byte and leave
// GRare alone where it is zero.
inline constexpr uint8_t kFarClosure = 1;  // the closure lies in the arena of closures
inline constexpr uint8_t kEhSaved = 2;     // GRare::eh holds something
inline constexpr uint8_t kBackground = 4;  // GRare::background is set
inline constexpr uint8_t kSpawnFrames =
    8;  // GRare::spawn_frames is there; stays for the record's life
inline constexpr uint8_t kExitException = 16;  // GRare::exit_exception is there
inline constexpr uint8_t kStamped = 32;  // runnable, `since` is by the precise clock: sched_stats.h

// Three cache lines: switch, facts, closure. They are all that a goroutine costs which is started,
// run and ended; a million that have been started and have not run yet are that much memory.
struct alignas(64) G {
  // What a switch touches.
  Context context;
  std::atomic<uint32_t> seq{0};  // (3)
  std::atomic<GStatus> status{GStatus::kIdle};
  std::atomic<WaitReason> reason{WaitReason::kNone};
  GKind kind = GKind::kGoroutine;
  uint8_t stack_class = 0;     // what it gets at its first run
  StackSlot stack = kNoStack;  // (4)
  uint32_t lock_count = 0;     // LockOSThread calls not undone; iff not 0, locked_m is set
  G* queue_next = nullptr;     // free lists, lists of readied ones
  M* m = nullptr;              // the M that runs it
  int32_t tid = 0;             // of a thread
  uint8_t rare = 0;            // owner only
  // Its closure is being constructed: it may hold handles already, although nobody sees it yet, and
  // who constructs it may wait meanwhile.
  std::atomic<bool> embryo{false};
  uint16_t stamp_weight = 0;  // kStamped: for how many its latency counts

  // Facts. Written at spawn, constant until it ends, but for the two of a wait.
  alignas(64) std::atomic<uint64_t> id{0};
  uint64_t parent_id = 0;
  std::source_location site;
  const char* test = nullptr;  // never freed: see labels.h
  LabelSet* labels = nullptr;  // counted; null: none
  const internal::ClosureType* closure_type = nullptr;
  std::atomic<const void*> wait_object{nullptr};
  std::atomic<int64_t> since{0};  // when this status began, by the coarse clock or kStamped

  // The closure, or (kFarClosure) a pointer to it.
  alignas(64) char inline_closure[kInlineClosureBytes];
#if LEASH_RACE
  void* fiber = nullptr;
  uint32_t wait_token = 0;  // Sudog::token()
#endif
#if LEASH_ASAN
  void* asan_fake_stack = nullptr;  // stays with the record: asan_fiber.h
#endif
};
#if !LEASH_RACE && !LEASH_ASAN
static_assert(sizeof(G) == 192);
#endif

// What few goroutines have, and threads. One for each record, apart from them (Arena::rares):
// memory only where a goroutine has something of it. Zero until then.
struct alignas(64) GRare {
  EhGlobals eh;
  M* locked_m;                        // the M that it is locked to
  const char* background;             // never freed
  uint64_t* spawn_frames;             // kSpawnFramesMax words behind their count
  void* exit_exception;               // what Goexit unwinds it with; from malloc
  char* thread_stack_top;             // a thread's
  std::atomic<uint32_t> thread_wake;  // where a thread parks
  uint32_t thread_stack_kib;          // a thread's: up to thread_stack_top; 0: not known
};
static_assert(sizeof(GRare) == 64 && sizeof(G) >= 3 * sizeof(GRare));  // ReserveArena's shares

// Not of an M's own record, which has none.
inline GRare* RareOf(const G* g) {
  LEASH_CHECK(InArena(g));
  return reinterpret_cast<GRare*>(arena.rares.begin) +
         (g - reinterpret_cast<const G*>(arena.records.begin));
}

// Those of who is in use, for readers: null where there is none.
inline const char* BackgroundOf(const G* g) {
  return (g->rare & kBackground) != 0 ? RareOf(g)->background : nullptr;
}
inline const uint64_t* SpawnFramesOf(const G* g) {
  return (g->rare & kSpawnFrames) != 0 ? RareOf(g)->spawn_frames : nullptr;
}
inline M* LockedM(const G* g) { return g->lock_count != 0 ? RareOf(g)->locked_m : nullptr; }

// Where its closure lies. A dump may ask for that of one that has just ended: see ForgetClosure.
LEASH_NO_ASAN inline void* ClosureOf(G* g) {
  using Word [[gnu::may_alias]] = void*;
  if ((g->rare & kFarClosure) == 0) return g->inline_closure;
  return *reinterpret_cast<const Word*>(g->inline_closure);
}

// The M's own record: what CurrentG() gives inside the scheduler, in timers' functions. Id 0.
inline bool IsGoroutine(const G* g) { return g->kind == GKind::kGoroutine; }

inline const char* StackTopOf(const G* g) {
  return g->kind == GKind::kThread ? RareOf(g)->thread_stack_top
         : g->stack == kNoStack    ? nullptr
                                   : StackTop(g->stack);
}

}  // namespace leash::rt

#endif  // LEASH_SCHED_G_H_
