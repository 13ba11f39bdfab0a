// A thread's stack for what needs more than a goroutine has.

#ifndef LEASH_DEBUG_SYMBOLIZE_OWN_STACK_H_
#define LEASH_DEBUG_SYMBOLIZE_OWN_STACK_H_

#include <pthread.h>
#include <signal.h>

#include <system_error>
#include <thread>

namespace leash::rt {

// Set while the calling thread is already on a stack that is large enough, and may start no thread.
inline constinit thread_local bool on_own_stack = false;

// Runs `work` on a thread of its own, where no signal is handled, and waits for it. About 20 us.
// False if no thread can be had: nothing has run.
template <class Work>
bool RunOnOwnStack(const Work& work) {
  if (on_own_stack) {
    work();
    return true;
  }
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  bool ran = true;
  try {
    std::thread([&work] { work(); }).join();
  } catch (const std::system_error&) {
    ran = false;
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return ran;
}

}  // namespace leash::rt

#endif  // LEASH_DEBUG_SYMBOLIZE_OWN_STACK_H_
