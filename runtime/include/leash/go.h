// Goroutines: functions that run at the same time as the rest of the program, many on few threads.
//
//     leash::go([&] { Serve(conn); });
//     leash::go(Copy, std::move(from), std::move(to));
//
// Shown in dumps as "goroutine N [state]:", with the stack and "created by F at FILE:LINE".
//
// The runtime starts by itself at first use. Every call here, and every blocking call of leash,
// works from goroutines and from plain OS threads.

#ifndef LEASH_GO_H_
#define LEASH_GO_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <new>
#include <source_location>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace leash {

namespace rt {
struct G;
}  // namespace rt

// GoOptions: what GoWith can choose.
struct GoOptions {
  // Usable stack, rounded up to a size class (64 KiB, 256 KiB, 1 MiB, 8 MiB, 64 MiB, 1 GiB). 0
  // takes LEASH_STACK_SIZE, else 256 KiB. Memory is used only as far as the stack is touched.
  size_t stack_bytes = 0;
  // The goroutine's label "name", shown in dumps. Copied.
  std::string_view name = {};
  // Not empty: meant to outlive its spawner, for this reason. See GoBackground(). Copied.
  std::string_view background = {};
};

namespace internal {

// How to run and destroy a closure that lies in a goroutine's record.
struct ClosureType {
  size_t size;
  size_t align;
  void (*run)(void* closure);      // calls it, then destroys it
  void (*destroy)(void* closure);  // destroys it without a call
};

// A goroutine that does not run yet: its record and the room for its closure.
struct Embryo {
  rt::G* g;
  void* closure;
};

// Throws std::bad_alloc when no record can be had; nothing has started then.
Embryo NewGoroutine(const ClosureType* type, const GoOptions* options);
// The closure has been constructed: makes it runnable. Never fails. True if the caller's dead
// frames should be wiped.
bool StartGoroutine(rt::G* g, std::source_location site);
// Pointers to the closure are left where the frames of the spawn were. Whoever asks who refers to
// it must not find them in the holes of later frames (debug/outside_memory.h). On threads only:
// there it costs little beside the spawn.
void WipeDeadFrames();
// The closure's constructor has thrown: gives the record back.
void AbandonGoroutine(rt::G* g) noexcept;

template <class F, class... Args>
struct Closure {
  F function;
  std::tuple<Args...> arguments;

  template <class G, class... As>
  explicit Closure(G&& g, As&&... as)
      : function(std::forward<G>(g)), arguments(std::forward<As>(as)...) {}

  static void Run(void* p) {
    // Destroyed when the call has ended, also when Goexit unwinds it.
    std::unique_ptr<Closure, void (*)(Closure*)> self(static_cast<Closure*>(p),
                                                      [](Closure* c) { c->~Closure(); });
    std::apply([&](Args&... as) { (void)std::invoke(std::move(self->function), std::move(as)...); },
               self->arguments);
  }
  static void Destroy(void* p) { static_cast<Closure*>(p)->~Closure(); }
};

template <class C>
inline constexpr ClosureType kClosureType = {sizeof(C), alignof(C), &C::Run, &C::Destroy};

// Not inlined, so that its frame is dead afterwards and can be wiped.
template <class F, class... Args>
[[gnu::noinline]] bool SpawnClosure(std::source_location site, const GoOptions* options,
                                    F&& function, Args&&... arguments) {
  using C = Closure<std::decay_t<F>, std::decay_t<Args>...>;
  const Embryo embryo = NewGoroutine(&kClosureType<C>, options);
  if constexpr (std::is_nothrow_constructible_v<C, F, Args...>) {
    ::new (embryo.closure) C(std::forward<F>(function), std::forward<Args>(arguments)...);
  } else {
    try {
      ::new (embryo.closure) C(std::forward<F>(function), std::forward<Args>(arguments)...);
    } catch (...) {
      AbandonGoroutine(embryo.g);
      throw;
    }
  }
  return StartGoroutine(embryo.g, site);
}

// Spawns `function(arguments...)` as of `site`.
template <class F, class... Args>
void Spawn(std::source_location site, const GoOptions* options, F&& function, Args&&... arguments) {
  if (SpawnClosure(site, options, std::forward<F>(function), std::forward<Args>(arguments)...)) {
    WipeDeadFrames();
  }
}

// What go() takes as its function: anything that can be called with Args. Its conversion takes the
// place of the call, so that no macro is needed.
template <class... Args>
class Callee {
 public:
  template <class F>
    requires(!std::is_same_v<std::remove_cvref_t<F>, Callee> &&
             std::is_invocable_v<std::decay_t<F>, std::decay_t<Args>...>)
  Callee(F&& f,  // NOLINT(google-explicit-constructor): it is a parameter's type only
         std::source_location site = std::source_location::current())
      // A C cast: of a const object or of a function, which no C++ cast turns into void* alike.
      : object_((void*)std::addressof(f)),  // NOLINT(google-readability-casting)
        spawn_([](void* object, std::source_location at, const GoOptions* options, Args&&... args) {
          Spawn(at, options,
                std::forward<F>(*reinterpret_cast<std::remove_reference_t<F>*>(object)),
                std::forward<Args>(args)...);
        }),
        site_(site) {}

  void Start(const GoOptions* options, Args&&... args) const {
    spawn_(object_, site_, options, std::forward<Args>(args)...);
  }

 private:
  void* object_;
  void (*spawn_)(void*, std::source_location, const GoOptions*, Args&&...);
  std::source_location site_;
};

}  // namespace internal

// go()
//
// Starts `fn(args...)` as a goroutine and returns at once. Callable and arguments are copied or
// moved into it, as with std::thread; by reference with std::ref. Records the place of the call,
// the spawner and its labels. Never blocks. Fails: throws std::bad_alloc when no goroutine record
// can be had, and nothing has started. What a copy of the callable throws reaches the caller, and
// nothing has started. An exception that leaves `fn` ends the process: "panic: <what>", the
// goroutine's stack, exit status 2. Memory ordering: what precedes the call is visible in the
// goroutine; its end orders nothing.
template <class... Args>
void go(std::type_identity_t<internal::Callee<Args...>> fn, Args&&... args) {
  fn.Start(nullptr, std::forward<Args>(args)...);
}

// GoBackground()
//
// As go(), for a goroutine that is meant to outlive its spawner, for a `reason` in words: the
// verifier and the fire-and-forget check leave it alone; dumps show "background: <reason>".
template <class... Args>
void GoBackground(std::string_view reason, std::type_identity_t<internal::Callee<Args...>> fn,
                  Args&&... args) {
  GoOptions options;
  options.background = reason;
  fn.Start(&options, std::forward<Args>(args)...);
}

// GoWith()
//
// As go(), with options. Throws std::invalid_argument for a stack of more than 1 GiB.
template <class... Args>
void GoWith(const GoOptions& options, std::type_identity_t<internal::Callee<Args...>> fn,
            Args&&... args) {
  fn.Start(&options, std::forward<Args>(args)...);
}

// Gosched()
//
// Lets other goroutines run; the caller goes on when its turn comes. On a thread: sched_yield().
void Gosched();

// Goexit()
//
// Ends the calling goroutine after running the destructors of its frames, and no other. A
// `catch (...)` on its way that does not rethrow is a fatal error.
// Panics: "Goexit on a thread" on a plain OS thread.
[[noreturn]] void Goexit();

// NumGoroutine()
//
// How many goroutines exist now; threads are not counted. A moment's figure.
int64_t NumGoroutine();

// GOMAXPROCS()
//
// Sets how many OS threads run goroutines at the same time when n >= 1, and returns the previous
// value. The default is LEASH_MAXPROCS, else the smaller of the affinity mask and the cgroup CPU
// quota, rounded up (a quota counts as 2 at least).
int GOMAXPROCS(int n);

// NumCPU()
//
// The processors that this process may use: its affinity mask when the runtime started.
int NumCPU();

// GoroutineId()
//
// The caller's id: 1 is the main thread. 0 on a thread that has never used leash.
uint64_t GoroutineId();

// LockOSThread(), UnlockOSThread()
//
// Between the two the calling goroutine runs on one OS thread, and nothing else runs there. Calls
// nest. A goroutine that ends while locked ends its thread. On a thread: no effect.
void LockOSThread();
void UnlockOSThread();

// PanicError
//
// What a misuse that Go answers with a panic throws; what() is Go's text: "send on closed channel".
struct PanicError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Panic()
//
// Throws PanicError(message).
[[noreturn]] void Panic(std::string_view message);

}  // namespace leash

#endif  // LEASH_GO_H_
