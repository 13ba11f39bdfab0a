// Stack overflow: a fault in a stack's guard page. Go's report, from an alternate signal stack, and
// exit status 2. Any other fault goes to whoever handled it before.

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/check.h"
#include "base/raw_print.h"
#include "sched/scheduler.h"
#include "sched/start_hooks.h"

namespace leash::rt {
namespace {

struct sigaction previous_segv;
struct sigaction previous_bus;

void OnFault(int signal, siginfo_t* info, void* ucontext) {
  StackSlot slot = kNoStack;
  M* m = GetThread()->m;
  G* g = m != nullptr ? m->current : nullptr;
  // A large frame may jump over the guard of its own stack, into the one below: the slot that
  // counts is that of the goroutine that runs.
  const char* address = static_cast<const char*>(info->si_addr);
  const bool overflow =
      g != nullptr && g->stack != kNoStack && IsGuardPage(address, &slot) && slot == g->stack;
  if (overflow) {
    {
      RawPrinter out;
      out << "runtime: goroutine stack exceeds " << kStackClassBytes[StackClass(slot)]
          << "-byte limit\nfatal error: stack overflow\n\n";
    }
    PrintOverflowStack(g, ucontext);
    ExitProcess(2);
  }
  const struct sigaction& previous = signal == SIGSEGV ? previous_segv : previous_bus;
  if ((previous.sa_flags & SA_SIGINFO) != 0 && previous.sa_sigaction != nullptr) {
    previous.sa_sigaction(signal, info, ucontext);
    return;
  }
  if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN) {
    previous.sa_handler(signal);
    return;
  }
  // The default: fault again without us.
  sigaction(signal, &previous, nullptr);
}

}  // namespace

void InstallOverflowHandler() {
  struct sigaction action{};
  action.sa_sigaction = &OnFault;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(SIGSEGV, &action, &previous_segv);
  sigaction(SIGBUS, &action, &previous_bus);
}

void InstallSignalStack(M* m) {
  stack_t old;
  if (sigaltstack(nullptr, &old) == 0 && (old.ss_flags & SS_DISABLE) == 0) return;
  if (m->signal_stack == nullptr) {
    void* p = mmap(nullptr, kSignalStackBytes, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED) return;  // an overflow then ends the process without a report
    m->signal_stack = p;
  }
  stack_t stack{};
  stack.ss_sp = m->signal_stack;
  stack.ss_size = kSignalStackBytes;
  sigaltstack(&stack, nullptr);
}

void RemoveSignalStack(M* m) {
  stack_t now;
  // Another one is a sanitizer's, which takes it away itself.
  if (m->signal_stack == nullptr || sigaltstack(nullptr, &now) != 0 ||
      now.ss_sp != m->signal_stack) {
    return;
  }
  stack_t none{};
  none.ss_flags = SS_DISABLE;
  sigaltstack(&none, nullptr);
}

}  // namespace leash::rt
