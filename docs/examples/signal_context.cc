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

void Handle(void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  // On a stack of its own: a goroutine's may be nearly full.
  action.sa_flags = SA_RESTART | SA_ONSTACK;
  sigaction(SIGTERM, &action, nullptr);
  // Once: whoever presses Ctrl-C again does not want to wait. (SIGTERM comes twice from programs
  // such as timeout, which mean it once.)
  action.sa_flags |= static_cast<int>(SA_RESETHAND);
  sigaction(SIGINT, &action, nullptr);
}

}  // namespace

SignalContext::SignalContext() {
  std::tie(context_, cancel_) = leash::WithCancel(leash::Context::Background());
  received = 0;
  sem_init(&posted, 0, 0);
  Handle(NoteSignal);
  waiter_ = std::thread([cancel = cancel_] {
    while (sem_wait(&posted) != 0 && errno == EINTR) {
    }
    cancel();
  });
}

SignalContext::~SignalContext() {
  Handle(SIG_DFL);
  sem_post(&posted);
  waiter_.join();
  sem_destroy(&posted);
}

int SignalContext::signal() const { return received.load(std::memory_order_relaxed); }
