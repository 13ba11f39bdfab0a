// The scheduler's own state: M (an OS thread that runs goroutines), P (the right to run them, and
// what an M needs to do so without locks) and what they share. Go's model and vocabulary
// (runtime/proc.go, runtime/runtime2.go), with these differences:
//
// A goroutine that parks looks for the next one itself, on its own stack, and switches straight to
// it; the M's own stack is used only when there is nothing at hand. What must happen after the
// switch (drop the lock, put the old one on a queue) is left in M::after and done by whoever runs
// next.
//
// A P is never taken from an M. sysmon marks the P of a goroutine that computes or sits in a system
// call as detached and puts another into its place; the detached one keeps its M until the
// goroutine enters the scheduler again, and is then taken apart. Its queue can be stolen meanwhile.
//
// Laws: (1) a P belongs to one M, or is on the idle list, or is unused.  (2) attached Ps (idle or
//   running, not detached) number gomaxprocs, but for moments while it is changed.  (3) Whoever
//   makes something runnable sees to it that an M looks for work afterwards: it either is one, or
//   calls WakeP after publishing. An M that stops spinning looks everywhere once more before it
//   sleeps: the last look closes the window in which a waker saw it spinning and woke nobody.

#ifndef LEASH_SCHED_SCHEDULER_H_
#define LEASH_SCHED_SCHEDULER_H_

#include <pthread.h>
#include <signal.h>

#include <atomic>
#include <cstdint>

#include "base/lock.h"
#include "base/membarrier.h"
#include "sched/g.h"
#include "sched/registry.h"
#include "sched/run_queue.h"
#include "sched/sched_stats.h"
#include "stack/stack.h"

namespace leash::rt {

inline constexpr size_t kMStackBytes = size_t{256} << 10;
inline constexpr size_t kSignalStackBytes = size_t{64} << 10;
inline constexpr int kMaxMs = 10000;  // as Go's default
inline constexpr int kMaxPs = kMaxMs + 1024 + 64;

struct P;

// What is left to do when a switch is over. `g` is the one that was left.
enum class After : uint8_t { kNothing, kPark, kYield, kExit };

struct M {
  // What the switch touches; its thread's only.
  G* current = nullptr;  // the goroutine that runs, or &g0
  P* p = nullptr;
  EhGlobals* eh = nullptr;  // this thread's, from __cxa_get_globals()
  After after = After::kNothing;
  WaitReason after_reason = WaitReason::kNone;
  G* after_g = nullptr;
  Lock* after_unlock = nullptr;
  bool (*after_commit)(G*, void*) = nullptr;
  void* after_arg = nullptr;

  G* locked_g = nullptr;  // LockOSThread
  G* deferred = nullptr;  // picked, but locked to another M: for Schedule to deal with
  bool spinning = false;
  bool exits = false;  // its thread ends at the next chance
  uint32_t random = 1;
  std::atomic<int32_t> tid{0};         // 0: no thread; read by captures
  std::atomic<int32_t> in_syscall{0};  // read by sysmon

  // Parking. `wake` is 1 while a wake is pending; next_p is what the waker hands over.
  std::atomic<uint32_t> wake{0};
  P* next_p = nullptr;
  G* next_g = nullptr;     // for an M that waits for its locked goroutine
  M* idle_next = nullptr;  // sched.lock; of idle_ms or dead_ms
  M* all_next = nullptr;   // constant once listed

  void* signal_stack = nullptr;  // the record's, for whatever thread has it; constant once made

  // Where its first frame begins: nothing of the program's lies on its stack below that.
  std::atomic<const void*> first_frame{nullptr};
  // Its bounds, which sanitizers want. The thread_locals are within them.
  const void* native_stack = nullptr;
  size_t native_stack_bytes = 0;
  std::atomic<uint32_t> switching{0};  // between goroutines: leak_check.h
  pthread_t thread{};
  G g0;
};

struct alignas(64) P {
  RunQueue<G> queue;

  // Written by its M only; read by sysmon.
  std::atomic<uint32_t> tick{0};      // switches
  std::atomic<bool> detached{false};  // sched.lock to set
  uint16_t stamp_countdown = 1;       // its M's only: sched_stats.h
  std::atomic<M*> m{nullptr};

  // Its M's only.
  uint64_t next_id = 0;
  uint64_t id_end = 0;
  GCache free_gs;
  StackCache stacks;

  // Goroutines started and ended here: the difference over all Ps is how many there are. Each is
  // written by its owner only.
  std::atomic<int64_t> started{0};
  std::atomic<int64_t> ended{0};
  PStats stats;

  bool global_turn = false;  // of the global queue and the ring, whose turn it was last
  int32_t index = 0;
  int32_t timer_shard = 0;
  P* idle_next = nullptr;  // sched.lock

  // sysmon's only.
  uint32_t seen_tick = 0;
  int64_t seen_since = 0;
  M* seen_m = nullptr;

  uint32_t unused_in_trace = 0;  // schedtrace's only
};

struct Sched {
  Lock lock{LockRank::kSched};

  // Under `lock`.
  uint64_t queue_head = 0;  // the global queue: global_queue.cc
  uint64_t queue_tail = 0;
  uint64_t queue_capacity = 0;
  M* idle_ms = nullptr;
  M* dead_ms = nullptr;  // their threads have ended, or will touch them no more
  P* idle_ps = nullptr;
  P* unused_ps = nullptr;  // taken apart, ready to be put together again
  int32_t m_count = 0;
  int32_t idle_m_count = 0;
  int32_t gomaxprocs = 0;
  int32_t excess_ps = 0;  // attached Ps over gomaxprocs: the next ones to enter are taken apart

  // Written under `lock`, read anywhere.
  std::atomic<int32_t> queue_size{0};
  std::atomic<int32_t> idle_p_count{0};
  std::atomic<int32_t> detached_count{0};
  std::atomic<int32_t> p_count{0};    // entries of all_ps
  std::atomic<uint64_t> handoffs{0};  // Ps detached, ever
  std::atomic<M*> all_ms{nullptr};    // dead ones too
  std::atomic<P*> all_ps[kMaxPs] = {};

  std::atomic<int32_t> spinning_ms{0};
  // Something waits for an M at its next switch: due timers, a changed GOMAXPROCS.
  std::atomic<bool> attention{false};
  std::atomic<uint64_t> next_id{2};  // 1 is the main thread
  // When epoll was looked at last; 0 while an M sleeps in it, until `poll_until`.
  std::atomic<int64_t> last_poll{0};
  std::atomic<int64_t> poll_until{0};
  // Goroutines started and ended on threads without a P.
  std::atomic<int64_t> outside_started{0};
  // Grows with everything that could end a deadlock: see deadlock.cc.
  std::atomic<uint64_t> activity{0};
  std::atomic<int32_t> threads_parked{0};

  // sysmon. `sysmon_sleeps` is 1 while it waits for something to do.
  std::atomic<uint32_t> sysmon_sleeps{0};
  std::atomic<bool> sysmon_started{false};
};
[[gnu::visibility("hidden")]] extern Sched sched;

// What belongs to a thread. Reached through GetThread() only: an address of thread-local storage
// that the compiler keeps across a switch would be another thread's. So the compiler is not told
// what it is: a volatile asm is done anew each time, and not moved over the switch, which is one.
struct Thread {
  M* m = nullptr;         // null: not one of ours
  G* thread_g = nullptr;  // of a plain thread
  uint32_t random = 0;
  uint16_t stamp_countdown = 1;  // as a P's
  StampGap stamp_gap;
  bool starts_runtime = false;
};
#if defined(__x86_64__)
// %fs:0 holds the thread pointer (System V ABI, x86-64 TLS); the linker makes the second a constant
// in a program, and leaves the load in a shared object.
inline Thread* GetThread() {
  Thread* thread;
  asm volatile(
      "movq %%fs:0, %0\n\t"
      "addq leash_this_thread@gottpoff(%%rip), %0"
      : "=r"(thread)
      :
      : "cc");
  return thread;
}
#else
Thread* GetThread();
#endif

// Makes the runtime ready, once. Cheap when it is.
void EnsureStarted();
extern sigset_t start_signal_mask;             // of the thread that started the runtime: every M's
extern std::atomic<uint32_t> runtime_started;  // 0 no, 1 starting, 2 yes
// Held for the whole of the start, and across a fork. Unlike any other lock of the runtime: what
// the start does may allocate, and take locks of every rank.
extern Lock start_lock;

// switch.cc
// Leaves the M's own stack for `next`.
void SwitchToGoroutine(M* m, G* next);
[[noreturn]] void ExitGoroutine();
// Binds a stack to a goroutine that has none. False: there is none to be had now.
bool BindStack(P* p, G* g);

// find_runnable.cc
// The M's loop, on its own stack.
[[noreturn]] void Schedule(M* m);

// m.cc
// Work has been published: has an M look for it, if a P is idle and nobody looks.
void WakeP();
void WakeIdleP();
// Runs or wakes an M for p. sched.lock not held.
void StartM(P* p, bool spinning);
void StopM(M* m);
void StopSpinning(M* m);
[[noreturn]] void ExitM(M* m);

// global_queue.cc
void PushGlobal(G* g);
void PushGlobalList(G* first, G* last, int32_t n);
// One from the global queue (null: empty) and, unless `one`, its share of the others into p's.
// sched.lock held.
G* TakeGlobalLocked(P* p, bool one);
// Half of p's full queue, and g, go to the global one.
void RunqOverflow(P* p, G* g);

// p.cc. sched.lock held where the name ends in Locked.
P* AcquireIdlePLocked();
void ReleaseIdlePLocked(P* p);
// Makes or reuses a P, not on any list. Null: no more can be made.
P* NewPLocked();
// p, whose M is in the scheduler, is one too many and is to be taken apart.
bool MustRetireLocked(P* p);
// Takes m's detached or surplus P apart.
void RetireP(M* m);
// Gives p to an M, for a goroutine locked to it, and similar.
void HandOffP(P* p);
// Something is in a queue, global or a P's. A moment's truth.
bool AnyQueued();

// sysmon.cc
void StartSysmon();
void WakeSysmon();
// Has sysmon call `fn` soon. Async-signal-safe. One request at a time; a second one is dropped.
void RequestFromSysmon(void (*fn)());
// Every P is idle, none is detached and nothing is queued for all. A moment's truth.
bool AllIdle();

// schedtrace.cc
// Starts what prints LEASH_DEBUG=schedtrace, if that is set. Called by StartSysmon.
void StartSchedTrace();

// deadlock.cc
// Ends the program if nothing can ever happen again. Called by sysmon when everything is idle.
void CheckDeadlock();

// fork.cc
extern bool forked;  // this process is the child of one whose goroutines it has lost
void InstallForkHandlers();

// thread.cc
void InitThreads();

// panic.cc
void InstallTerminateHandler();
// overflow.cc
void InstallOverflowHandler();
// For the calling M, whose record keeps the memory. Removed before the thread gives the record
// back.
void InstallSignalStack(M* m);
void RemoveSignalStack(M* m);

// spawn.cc
// Records this many return addresses at each spawn from now on (0 to kSpawnFramesMax).
void SetSpawnFrames(int frames);

// Counts.
int64_t CountGoroutines();
inline constexpr uint64_t kIdBlock = 64;
inline uint64_t NewId(P* p) {
  if (__builtin_expect(p == nullptr, 0)) {
    return sched.next_id.fetch_add(1, std::memory_order_relaxed);
  }
  if (__builtin_expect(p->next_id == p->id_end, 0)) {
    p->next_id = sched.next_id.fetch_add(kIdBlock, std::memory_order_relaxed);
    p->id_end = p->next_id + kIdBlock;
  }
  return p->next_id++;
}
int32_t CurrentTid();

// Puts g at the end of p's queue, or in front of it: what was there before goes to the end.
inline void RunqPut(P* p, G* g) {
  if (__builtin_expect(!p->queue.PushBack(g), 0)) RunqOverflow(p, g);
}
inline void RunqPutNext(P* p, G* g) {
  if (G* before = p->queue.ExchangeNext(g)) RunqPut(p, before);
}

inline void WakeP() {
  // (3), with HeavyFence in FindRunnable: the work is published before the counts are read.
  LightFence();
  if (__builtin_expect(sched.idle_p_count.load(std::memory_order_relaxed) != 0, 0)) WakeIdleP();
}

inline bool HasGlobalWork() { return sched.queue_size.load(std::memory_order_acquire) > 0; }

}  // namespace leash::rt

#endif  // LEASH_SCHED_SCHEDULER_H_
