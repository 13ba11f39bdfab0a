// SIGQUIT: Go's full text on standard error, then exit status 2. Only where the disposition was the
// default when the runtime started: a program that handles it keeps it.
//
// The handler only leaves word with sysmon, which makes the dump on its own thread: the signal may
// have come in the middle of anything, malloc included.

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/check.h"
#include "base/env.h"
#include "base/raw_print.h"
#include "debug/traceback.h"
#include "sched/scheduler.h"

namespace leash::rt {
namespace {

void OnQuit(int) { RequestFromSysmon(&DumpForQuit); }

#if LEASH_RACE
// ThreadSanitizer keeps a signal until the thread that got it calls something that it intercepts,
// and one that waits in the scheduler never does. OnQuit needs no such care: it takes the place of
// ThreadSanitizer's handler in the kernel.
void HandleAtOnce() {
  struct {
    void (*handler)(int);
    unsigned long flags;
    void (*restorer)();
    unsigned long mask;
  } action;
  if (syscall(SYS_rt_sigaction, SIGQUIT, nullptr, &action, sizeof(action.mask)) != 0) return;
  action.handler = &OnQuit;
  action.flags &= ~static_cast<unsigned long>(SA_SIGINFO);
  syscall(SYS_rt_sigaction, SIGQUIT, &action, nullptr, sizeof(action.mask));
}
#endif

}  // namespace

void InstallQuitHandler() {
  if (GetSettings().sigquit == SigQuit::kOff) return;
  struct sigaction old{};
  if (sigaction(SIGQUIT, nullptr, &old) != 0 || (old.sa_flags & SA_SIGINFO) != 0 ||
      old.sa_handler != SIG_DFL) {
    return;
  }
  StartSysmon();
  struct sigaction action{};
  action.sa_handler = &OnQuit;
  action.sa_flags = SA_RESTART | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  sigaction(SIGQUIT, &action, nullptr);
#if LEASH_RACE
  HandleAtOnce();
#endif
}

void DumpForQuit() {
  RawPrinter() << "SIGQUIT: quit\n\n" << AllStacks(/*elide=*/false);
  if (GetSettings().sigquit == SigQuit::kExit) ExitProcess(2);
}

}  // namespace leash::rt
