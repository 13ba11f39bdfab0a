// A context that ends at the first Ctrl-C or SIGTERM: Go's signal.NotifyContext.
//
//     int main() {
//       SignalContext signals;
//       return Run(signals.context());
//     }

#ifndef LEASH_DOCS_EXAMPLES_SIGNAL_CONTEXT_H_
#define LEASH_DOCS_EXAMPLES_SIGNAL_CONTEXT_H_

#include <signal.h>

#include <atomic>
#include <thread>

#include "leash/context.h"

// One at a time in a process, made before its first goroutine.
class SignalContext {
 public:
  // Takes over SIGINT and SIGTERM. A second Ctrl-C ends the process as if nobody had.
  SignalContext();
  SignalContext(const SignalContext&) = delete;
  SignalContext& operator=(const SignalContext&) = delete;
  // Gives them back.
  ~SignalContext();

  const leash::Context& context() const { return context_; }
  // The one that has come, or 0.
  int signal() const;

 private:
  leash::Context context_;
  leash::CancelFunc cancel_;
  sigset_t mask_before_;
  std::atomic<bool> ending_ = false;
  std::thread waiter_;
};

#endif  // LEASH_DOCS_EXAMPLES_SIGNAL_CONTEXT_H_
