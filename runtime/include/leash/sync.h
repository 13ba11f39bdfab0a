// Locks, and waiting for others: Go's sync package, errgroup and semaphore.
//
//     leash::Mutex mu;
//     leash::WaitGroup wg;
//     for (const Url& url : urls) {
//       wg.Go([&] {
//         Page page = Fetch(url);
//         leash::MutexLock lock(&mu);
//         pages.push_back(std::move(page));
//       });
//     }
//     wg.Wait();
//
// Everything here works between goroutines, between threads and between the two, is constant-
// initialised and allocates nothing where nothing else is said (so globals need no order), and can
// be neither copied nor moved. An object may be destroyed as soon as no call on it can still be
// waiting or begin: the call that gave it up need not have returned.
//
// A misuse that Go answers with a panic throws PanicError with Go's text; one that Go answers with
// a fatal error ends the process with Go's text, every stack, and exit status 2.

#ifndef LEASH_SYNC_H_
#define LEASH_SYNC_H_

#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <new>
#include <optional>
#include <source_location>
#include <type_traits>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "leash/context.h"
#include "leash/go.h"
#include "leash/internal/sync_words.h"

namespace leash {

// Mutex
//
// Mutual exclusion. Shown in dumps as [sync.Mutex.Lock], with the goroutine that locked it.
//
//     leash::Mutex mu;
//     int hits ABSL_GUARDED_BY(mu) = 0;
//     { leash::MutexLock lock(&mu); ++hits; }
//
// It has no owner: another goroutine may unlock it. Not recursive. As in Go the newest caller may
// overtake those that wait, until one of them has waited for 1 ms: from then on the lock is handed
// over in order. std::lock_guard, std::unique_lock and std::scoped_lock take it too.
class ABSL_LOCKABLE Mutex {
 public:
  constexpr Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  // Mutex::Lock()
  //
  // Blocks until the mutex is the caller's.
  // Memory ordering: what precedes an Unlock is visible after every later Lock.
  void Lock() ABSL_EXCLUSIVE_LOCK_FUNCTION();

  // Mutex::TryLock()
  //
  // Takes the mutex if it is free now; true if so. Never blocks. A failure orders nothing.
  bool TryLock() ABSL_EXCLUSIVE_TRYLOCK_FUNCTION(true);

  // Mutex::Unlock()
  //
  // Gives it up. May yield to the goroutine that it hands the mutex to.
  // Fatal: "sync: unlock of unlocked mutex".
  void Unlock() ABSL_UNLOCK_FUNCTION();

  void lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() { Lock(); }
  bool try_lock() ABSL_EXCLUSIVE_TRYLOCK_FUNCTION(true) { return TryLock(); }
  void unlock() ABSL_UNLOCK_FUNCTION() { Unlock(); }

 private:
  internal::LockWord word_{internal::SyncTag::kMutex};
};

// ReadLocker
//
// The read side of an RWMutex as a lock of its own, for Cond and for std::lock_guard. A pointer:
// cheap to copy, and not to be used after the RWMutex is gone.
class RWMutex;
class ABSL_LOCKABLE ReadLocker {
 public:
  explicit ReadLocker(RWMutex* mu) : mu_(mu) {}
  void Lock() ABSL_EXCLUSIVE_LOCK_FUNCTION();
  void Unlock() ABSL_UNLOCK_FUNCTION();
  void lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() { Lock(); }
  void unlock() ABSL_UNLOCK_FUNCTION() { Unlock(); }

 private:
  friend class Cond;
  RWMutex* mu_;
};

// RWMutex
//
// Many readers or one writer. Readers show in dumps as [sync.RWMutex.RLock], a writer that waits
// for readers as [sync.RWMutex.Lock], one behind another writer as [sync.Mutex.Lock], as in Go.
//
//     leash::RWMutex mu;
//     { leash::ReadLock lock(&mu); Look(table); }
//     { leash::WriteLock lock(&mu); table.clear(); }
//
// A waiting writer stops new readers, so a goroutine that reads must not RLock again: it deadlocks
// when a writer comes between. When a writer leaves, the readers that wait go first.
// std::shared_lock and the others take it too.
class ABSL_LOCKABLE RWMutex {
 public:
  constexpr RWMutex() = default;
  RWMutex(const RWMutex&) = delete;
  RWMutex& operator=(const RWMutex&) = delete;

  // RWMutex::Lock()
  //
  // Blocks until the caller is the only one in.
  // Memory ordering: what precedes an Unlock or RUnlock is visible after every later Lock.
  void Lock() ABSL_EXCLUSIVE_LOCK_FUNCTION();
  // Never blocks; true if taken. A failure orders nothing.
  bool TryLock() ABSL_EXCLUSIVE_TRYLOCK_FUNCTION(true);
  // Lets in all readers that wait.
  // Fatal: "sync: Unlock of unlocked RWMutex".
  void Unlock() ABSL_UNLOCK_FUNCTION();

  // RWMutex::RLock()
  //
  // Blocks while a writer is in or waits.
  // Memory ordering: what precedes an Unlock is visible after every later RLock. Readers order
  // nothing among themselves.
  void RLock() ABSL_SHARED_LOCK_FUNCTION();
  // Never blocks; true if taken. A failure orders nothing.
  bool TryRLock() ABSL_SHARED_TRYLOCK_FUNCTION(true);
  // The last reader lets in the writer that waits.
  // Fatal: "sync: RUnlock of unlocked RWMutex".
  void RUnlock() ABSL_UNLOCK_FUNCTION();

  // RWMutex::RLocker()
  //
  // The read side as a lock of its own.
  ReadLocker RLocker() { return ReadLocker(this); }

  void lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() { Lock(); }
  bool try_lock() ABSL_EXCLUSIVE_TRYLOCK_FUNCTION(true) { return TryLock(); }
  void unlock() ABSL_UNLOCK_FUNCTION() { Unlock(); }
  void lock_shared() ABSL_SHARED_LOCK_FUNCTION() { RLock(); }
  bool try_lock_shared() ABSL_SHARED_TRYLOCK_FUNCTION(true) { return TryRLock(); }
  void unlock_shared() ABSL_UNLOCK_FUNCTION() { RUnlock(); }

 private:
  internal::RWMutexWords words_;
};

// MutexLock, ReadLock, WriteLock
//
// Hold a lock for the length of a scope.
class ABSL_SCOPED_LOCKABLE MutexLock {
 public:
  explicit MutexLock(Mutex* mu) ABSL_EXCLUSIVE_LOCK_FUNCTION(mu) : mu_(mu) { mu_->Lock(); }
  ~MutexLock() ABSL_UNLOCK_FUNCTION() { mu_->Unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex* const mu_;
};

class ABSL_SCOPED_LOCKABLE ReadLock {
 public:
  explicit ReadLock(RWMutex* mu) ABSL_SHARED_LOCK_FUNCTION(mu) : mu_(mu) { mu_->RLock(); }
  ~ReadLock() ABSL_UNLOCK_FUNCTION() { mu_->RUnlock(); }
  ReadLock(const ReadLock&) = delete;
  ReadLock& operator=(const ReadLock&) = delete;

 private:
  RWMutex* const mu_;
};

class ABSL_SCOPED_LOCKABLE WriteLock {
 public:
  explicit WriteLock(RWMutex* mu) ABSL_EXCLUSIVE_LOCK_FUNCTION(mu) : mu_(mu) { mu_->Lock(); }
  ~WriteLock() ABSL_UNLOCK_FUNCTION() { mu_->Unlock(); }
  WriteLock(const WriteLock&) = delete;
  WriteLock& operator=(const WriteLock&) = delete;

 private:
  RWMutex* const mu_;
};

// WaitGroup
//
// Waits for a set of goroutines to finish. Shown in dumps as [sync.WaitGroup.Wait].
//
//     leash::WaitGroup wg;
//     for (const Url& url : urls) wg.Go([&url] { Fetch(url); });
//     wg.Wait();
//
// Reusable: once every Wait has returned, the next round may begin.
class WaitGroup {
 public:
  constexpr WaitGroup() = default;
  WaitGroup(const WaitGroup&) = delete;
  WaitGroup& operator=(const WaitGroup&) = delete;

  // WaitGroup::Add()
  //
  // Adds `delta`, which may be negative, to the counter. Never blocks.
  // REQUIRES: an Add that leaves zero happens before the Wait that shall see it: call it before the
  // goroutine starts, not inside it.
  // Panics: "sync: negative WaitGroup counter" (the counter stays negative, as in Go);
  // "sync: WaitGroup misuse: Add called concurrently with Wait".
  void Add(int delta);

  // WaitGroup::Done()
  //
  // Add(-1).
  void Done() { Add(-1); }

  // WaitGroup::Wait()
  //
  // Blocks until the counter is zero.
  // Panics: "sync: WaitGroup is reused before previous Wait has returned".
  // Memory ordering: what precedes a Done is visible after the Wait it releases.
  void Wait();

  // WaitGroup::Go()
  //
  // Add(1), and a goroutine that calls `fn`, destroys it, and then calls Done; also when `fn` ends
  // with Goexit. `fn` must not panic: an exception that leaves it ends the process, as with go().
  // Fails: throws std::bad_alloc when no goroutine can be had; the counter is as before.
  template <class F>
    requires std::is_invocable_v<F&>
  void Go(F fn, std::source_location site = std::source_location::current());

 private:
  internal::WaitGroupWords words_;
};

// Once
//
// Runs one function, once. Those that come while it runs wait for its end, and show in dumps as
// [sync.Mutex.Lock].
//
//     static leash::Once once;
//     once.Do([] { LoadTables(); });
class Once {
 public:
  constexpr Once() = default;
  Once(const Once&) = delete;
  Once& operator=(const Once&) = delete;

  // Once::Do()
  //
  // Calls `fn` if this is the first call of Do on this object, whatever the function; returns once
  // the first call's function has ended. If that throws or ends with Goexit, it counts as done all
  // the same, and the exception reaches its own caller only. A call from inside `fn` deadlocks.
  // Memory ordering: what `fn` did is visible after every Do.
  template <class F>
  void Do(F&& fn) {
    if (IsDone() || !Begin()) return;
    struct Finisher {
      Once* once;
      ~Finisher() { once->Finish(); }
    } finisher{this};
    std::forward<F>(fn)();
  }

 private:
#if LEASH_RACE
  bool IsDone() const;  // states the edge, which an inlined load cannot
#else
  bool IsDone() const {
    // Acquire: pairs with the release in Finish(); publishes what the function did.
    return words_.state.load(std::memory_order_acquire) == internal::kOnceDone;
  }
#endif
  // True: the caller runs the function, then calls Finish. False: it has been run.
  bool Begin();
  void Finish();

  internal::OnceWords words_;
};

// Cond
//
// A condition variable. Shown in dumps as [sync.Cond.Wait].
//
//     leash::MutexLock lock(&mu);
//     while (queue.empty()) cond.Wait();
//
// Waiters are woken in the order in which they came. There are no spurious wake-ups; the condition
// must be looked at again all the same, since another goroutine may have had the lock first.
class Cond {
 public:
  // The lock that Wait gives up and takes again: a Mutex, the write side of an RWMutex, or the read
  // side of one (Cond c(mu.RLocker())).
  constexpr explicit Cond(Mutex* mu) : locker_(mu), side_(Side::kMutex) {}
  constexpr explicit Cond(RWMutex* mu) : locker_(mu), side_(Side::kWrite) {}
  explicit Cond(ReadLocker reader) : locker_(reader.mu_), side_(Side::kRead) {}
  Cond(const Cond&) = delete;
  Cond& operator=(const Cond&) = delete;

  // Cond::Wait()
  //
  // Unlocks, blocks until a Signal or Broadcast that begins after the unlock, locks again.
  // REQUIRES: the caller holds the lock.
  // Memory ordering: what precedes the Signal or Broadcast is visible after the Wait that it wakes.
  void Wait();

  // Cond::Signal()
  //
  // Wakes the one that has waited longest, if there is one. Never blocks; the lock need not be
  // held.
  void Signal();

  // Cond::Broadcast()
  //
  // Wakes all that wait.
  void Broadcast();

 private:
  enum class Side : uint8_t { kMutex, kWrite, kRead };
  void LockAgain();
  void UnlockForWait();

  internal::SyncHeader header_{internal::SyncTag::kCond};
  void* const locker_;
  const Side side_;
};

// Semaphore
//
// A number of units, taken and given back in any amounts. Shown in dumps as [semacquire].
//
//     leash::Semaphore tokens(8);
//     if (absl::Status s = tokens.Acquire(ctx); !s.ok()) return s;
//     ...
//     tokens.Release();
//
// First come, first served: one that asks for much is not passed by those that ask for little.
class Semaphore {
 public:
  explicit constexpr Semaphore(int64_t n) : words_(n) {}
  Semaphore(const Semaphore&) = delete;
  Semaphore& operator=(const Semaphore&) = delete;

  // Semaphore::Acquire()
  //
  // Takes `n` units; blocks until there are as many or `ctx` is done, whose error it then returns
  // with nothing taken. When both are the case, `ctx` wins. More than the semaphore has at all:
  // blocks until `ctx` is done, and holds up nobody else. Memory ordering: what precedes a Release
  // is visible after the Acquire that it satisfies.
  absl::Status Acquire(const Context& ctx, int64_t n = 1);

  // Semaphore::TryAcquire()
  //
  // Takes `n` units if they are free and nobody waits; true if so. Never blocks.
  bool TryAcquire(int64_t n = 1);

  // Semaphore::Release()
  //
  // Gives back `n` units. Never blocks.
  // Panics: "semaphore: released more than held", and nothing has changed.
  void Release(int64_t n = 1);

 private:
  internal::SemaphoreWords words_;
};

namespace internal {
class GroupState;
}  // namespace internal

// Group
//
// Goroutines that work on parts of one task: Go's errgroup. Wait shows in dumps as
// [sync.WaitGroup.Wait], a Go that waits for its turn under a limit as [semacquire].
//
//     leash::Group group(ctx);
//     for (const Url& url : urls) {
//       group.Go([&url, ctx = group.context()] { return Fetch(ctx, url); });
//     }
//     return group.Wait();
//
// The first function to return an error cancels the group's context, and its error is what Wait
// returns. Not constant-initialised; allocates.
class Group {
 public:
  // A group with a context of its own, child of the background or of `parent`.
  Group();
  explicit Group(const Context& parent);
  // Waits for every function to end.
  ~Group();
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;

  // Group::context()
  //
  // Done as soon as a function returns an error, or Wait returns.
  Context context() const;

  // Group::SetLimit()
  //
  // At most `n` functions at a time from now on; negative: no limit; 0: none can start.
  // Panics: "errgroup: modify limit while N goroutines in the group are still active".
  void SetLimit(int n);

  // Group::Go()
  //
  // Calls `fn` in a goroutine and then destroys it. Blocks while the limit is reached. `fn` returns
  // absl::Status or nothing.
  // Fails: throws std::bad_alloc when no goroutine can be had, and nothing has started.
  template <class F>
    requires std::is_invocable_v<F&>
  void Go(F fn, std::source_location site = std::source_location::current());

  // Group::TryGo()
  //
  // As Go(), but false instead of blocking.
  template <class F>
    requires std::is_invocable_v<F&>
  bool TryGo(F fn, std::source_location site = std::source_location::current());

  // Group::Wait()
  //
  // Blocks until every function has ended, cancels the context, returns the first error.
  // Memory ordering: what a function did is visible after Wait.
  absl::Status Wait();

 private:
  template <class F>
  void Start(F&& fn, std::source_location site);

  internal::GroupState* const state_;
};

// Implementation only from here on.

namespace internal {

// A function in a goroutine that something counts. `Counter` is left when the function is over and
// destroyed: also on Goexit, and not when an exception leaves it, for that ends the process, and
// whoever waited must not get ahead of the report.
template <class Counter, class F>
class CountedTask {
 public:
  CountedTask(Counter counter, F&& fn) : counter_(counter), fn_(std::move(fn)) {}

  void operator()() {
    struct Leaver {
      CountedTask* task;
      // Runs when the function returns and when Goexit unwinds it. An exception that leaves it does
      // not come here: nothing catches it, so it ends the process without unwinding.
      ~Leaver() noexcept(false) {  // Done panics when the function has called it too
        task->fn_.reset();
        task->counter_.Leave();
      }
    } leaver{this};
    if constexpr (std::is_same_v<std::invoke_result_t<F&>, absl::Status>) {
      counter_.Report((*fn_)());
    } else {
      (void)(*fn_)();
    }
  }

 private:
  Counter counter_;
  std::optional<F> fn_;
};

struct WaitGroupCounter {
  WaitGroup* wg;
  void Leave() { wg->Done(); }
  void Report(const absl::Status&) {}
};

struct GroupCounter {
  GroupState* group;
  void Leave();
  void Report(absl::Status status);
};

// One more goroutine in the group. Enter blocks at the limit.
void GroupEnter(GroupState* group);
bool GroupTryEnter(GroupState* group);

}  // namespace internal

template <class F>
  requires std::is_invocable_v<F&>
void WaitGroup::Go(F fn, std::source_location site) {
  Add(1);
  try {
    internal::Spawn(site, nullptr,
                    internal::CountedTask<internal::WaitGroupCounter, F>({this}, std::move(fn)));
  } catch (...) {
    Done();
    throw;
  }
}

template <class F>
void Group::Start(F&& fn, std::source_location site) {
  static_assert(std::is_void_v<std::invoke_result_t<F&>> ||
                    std::is_same_v<std::invoke_result_t<F&>, absl::Status>,
                "a Group's function returns absl::Status or nothing");
  try {
    internal::Spawn(
        site, nullptr,
        internal::CountedTask<internal::GroupCounter, F>({state_}, std::forward<F>(fn)));
  } catch (...) {
    internal::GroupCounter{state_}.Leave();
    throw;
  }
}

template <class F>
  requires std::is_invocable_v<F&>
void Group::Go(F fn, std::source_location site) {
  internal::GroupEnter(state_);
  Start(std::move(fn), site);
}

template <class F>
  requires std::is_invocable_v<F&>
bool Group::TryGo(F fn, std::source_location site) {
  if (!internal::GroupTryEnter(state_)) return false;
  Start(std::move(fn), site);
  return true;
}

}  // namespace leash

#endif  // LEASH_SYNC_H_
