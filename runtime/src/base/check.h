// What must hold, and how the process ends when it does not.
//
// LEASH_CHECK stays on in release builds: cheap laws, both sides of a hand-over. LEASH_DCHECK is
// for the dear ones and is compiled only without NDEBUG.

#ifndef LEASH_BASE_CHECK_H_
#define LEASH_BASE_CHECK_H_

#include <cstdint>
#include <string_view>

namespace leash::rt {

// Prints "fatal error: <text>", then every goroutine's stack, to standard error, and exits with
// status 2. For Go's own fatal errors. Never returns, never throws, cannot be caught.
[[noreturn]] void Fatal(std::string_view text);
// Ends the process at once, as _exit does. (ThreadSanitizer puts a look at every thread, and a
// status of its own, in front of _exit.)
[[noreturn]] void ExitProcess(int status);

// Prints "leash: internal error: <text>", then every stack; exit status 2.
[[noreturn]] void InternalError(std::string_view text);
[[noreturn]] void CheckFailed(const char* condition, const char* file, int line);

// What Fatal calls to print the stacks, once the debug part is linked and running; null before.
// Must not return into user code; may be called on any stack and from any thread.
using TracebackFn = void (*)(bool all);
void SetTraceback(TracebackFn fn);

// What ExitProcess calls first; null: nothing. On any stack and from any thread, perhaps in a
// process that is not to be trusted any more: it allocates nothing and takes no lock.
void SetExitHook(void (*fn)());

}  // namespace leash::rt

#define LEASH_CHECK(condition)                  \
  (__builtin_expect(!!(condition), 1) ? (void)0 \
                                      : ::leash::rt::CheckFailed(#condition, __FILE__, __LINE__))

#ifdef NDEBUG
#define LEASH_DCHECK(condition) ((void)sizeof(!(condition)))
#else
#define LEASH_DCHECK(condition) LEASH_CHECK(condition)
#endif

#endif  // LEASH_BASE_CHECK_H_
