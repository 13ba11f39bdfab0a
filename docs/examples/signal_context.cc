// A handler may do next to nothing, so it notes the signal and posts a semaphore; a thread that
// waits for that ends the context.

#include "signal_context.h"

#include <semaphore.h>
#include <signal.h>

#include <atomic>
#include <cerrno>
#include <tuple>

namespace {

std::atomic<int> received = 0;
sem_t posted;

extern "C" void NoteSignal(int signal) {
  const int saved = errno;
  received.store(signal, std::memory_order_relaxed);
  sem_post(&posted);
  errno = saved;
}

sigset_t BothSignals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}

void Handle(void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  sigaction(SIGTERM, &action, nullptr);
  // Once: whoever presses Ctrl-C again does not want to wait. (SIGTERM comes twice from programs
  // such as timeout, which mean it once.)
  action.sa_flags |= static_cast<int>(SA_RESETHAND);
  sigaction(SIGINT, &action, nullptr);
}

}  // namespace

SignalContext::SignalContext() {
  // First: threads that are started from now on, the runtime's too, block what this one blocks.
  const sigset_t both = BothSignals();
  pthread_sigmask(SIG_BLOCK, &both, &mask_before_);
  std::tie(context_, cancel_) = leash::WithCancel(leash::Context::Background());
  received = 0;
  sem_init(&posted, 0, 0);
  Handle(NoteSignal);
  waiter_ = std::thread([this] {
    const sigset_t mine = BothSignals();
    pthread_sigmask(SIG_UNBLOCK, &mine, nullptr);
    while (true) {
      while (sem_wait(&posted) != 0 && errno == EINTR) {
      }
      if (ending_) return;
      cancel_();
    }
  });
}

SignalContext::~SignalContext() {
  Handle(SIG_DFL);
  ending_ = true;
  sem_post(&posted);
  waiter_.join();
  sem_destroy(&posted);
  pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr);
}

int SignalContext::signal() const { return received.load(std::memory_order_relaxed); }
