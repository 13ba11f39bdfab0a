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

#include "base/sanitizers.h"
#include "leash/go.h"
#include "sched/wait_reason.h"
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

// What is rare in a record, as bits of G::rare: a spawn and an end look at this one word and leave
// the cold line alone where it is zero.
inline constexpr uint8_t kFarClosure = 1;   // the closure lies in the arena of closures
inline constexpr uint8_t kEhSaved = 2;      // `eh` holds something
inline constexpr uint8_t kBackground = 4;   // `background` is set
inline constexpr uint8_t kSpawnFrames = 8;  // `spawn_frames` is there; stays for the record's life
inline constexpr uint8_t kExitException = 16;  // `exit_exception` is there
inline constexpr uint8_t kStamped = 32;        // runnable, and that is timed: sched_stats.h

// Four cache lines: switch, facts, closure, and what is rare. The first three are all that a
// goroutine costs which is started, run and ended; a million that have been started and have not
// run yet are that much memory.
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
  std::atomic<int64_t> since{0};  // when this status began, by the coarse clock

  // The closure, or (kFarClosure) a pointer to it.
  alignas(64) char inline_closure[kInlineClosureBytes];

  // Rare.
  EhGlobals eh{};
  M* locked_m = nullptr;             // the M that it is locked to
  const char* background = nullptr;  // never freed
  uint64_t* spawn_frames = nullptr;  // kSpawnFramesMax words behind their count
  void* exit_exception = nullptr;    // what Goexit unwinds it with; from malloc
  union {
    char* thread_stack_top = nullptr;  // a thread's
    int64_t stamped_at;                // a goroutine's, if kStamped: when it became runnable
  };
  std::atomic<uint32_t> thread_wake{0};  // where a thread parks
  uint32_t thread_stack_kib = 0;         // a thread's: up to thread_stack_top; 0: not known
#if LEASH_RACE
  void* fiber = nullptr;
  uint32_t wait_token = 0;  // Sudog::token()
#endif
#if LEASH_ASAN
  void* asan_fake_stack = nullptr;  // stays with the record: asan_fiber.h
#endif
};
#if !LEASH_RACE && !LEASH_ASAN
static_assert(sizeof(G) == 256);
#endif

// Where its closure lies. A dump may ask for that of one that has just ended: see ForgetClosure.
LEASH_NO_ASAN inline void* ClosureOf(G* g) {
  using Word [[gnu::may_alias]] = void*;
  if ((g->rare & kFarClosure) == 0) return g->inline_closure;
  return *reinterpret_cast<const Word*>(g->inline_closure);
}

// The M's own record: what CurrentG() gives inside the scheduler, in timers' functions. Id 0.
inline bool IsGoroutine(const G* g) { return g->kind == GKind::kGoroutine; }

inline const char* StackTopOf(const G* g) {
  return g->kind == GKind::kThread ? g->thread_stack_top
         : g->stack == kNoStack    ? nullptr
                                   : StackTop(g->stack);
}

}  // namespace leash::rt

#endif  // LEASH_SCHED_G_H_
