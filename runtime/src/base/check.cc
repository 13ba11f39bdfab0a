#include "base/check.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>

#include "base/futex.h"
#include "base/raw_print.h"

namespace leash::rt {
namespace {

std::atomic<TracebackFn> traceback{nullptr};
std::atomic<void (*)()> exit_hook{nullptr};
std::atomic<uint32_t> dying{0};

// Only the first report is printed. A second fatal error on the same thread happened while printing
// it: what there is has been said. Other threads wait for the end.
thread_local bool this_thread_dies __attribute__((tls_model("initial-exec"))) = false;

[[noreturn]] void Die(std::string_view prefix, std::string_view text, std::string_view more,
                      int line) {
  if (this_thread_dies) ExitProcess(2);
  if (dying.exchange(1) != 0) {
    for (;;) FutexWait(&dying, 1);
  }
  this_thread_dies = true;
  {
    RawPrinter out;
    out << prefix << text;
    if (!more.empty()) out << ": " << more << ":" << line;
    out << "\n";
  }
  if (TracebackFn fn = traceback.load(std::memory_order_acquire)) fn(/*all=*/true);
  ExitProcess(2);
}

}  // namespace

void ExitProcess(int status) {
  // Once: what fails in it, or meanwhile, ends the process.
  if (auto* fn = exit_hook.exchange(nullptr, std::memory_order_acq_rel)) fn();
#if LEASH_RACE
  for (;;) syscall(SYS_exit_group, status);
#else
  _exit(status);
#endif
}

void SetTraceback(TracebackFn fn) { traceback.store(fn, std::memory_order_release); }
void SetExitHook(void (*fn)()) { exit_hook.store(fn, std::memory_order_release); }

void Fatal(std::string_view text) { Die("fatal error: ", text, "", 0); }
void InternalError(std::string_view text) { Die("leash: internal error: ", text, "", 0); }
void CheckFailed(const char* condition, const char* file, int line) {
  Die("leash: internal error: check failed: ", condition, file, line);
}

}  // namespace leash::rt
