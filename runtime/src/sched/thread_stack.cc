#include "sched/thread_stack.h"

#include <pthread.h>

namespace leash::rt {

// Not inlined, since pthread_self() is this thread's: whoever parks must not find it in his frame.
[[gnu::noinline]] ThreadStack CurrentThreadStack() {
  ThreadStack stack;
  pthread_attr_t attr;
  if (pthread_getattr_np(pthread_self(), &attr) != 0) return stack;
  void* low = nullptr;
  size_t bytes = 0;
  if (pthread_attr_getstack(&attr, &low, &bytes) == 0) {
    stack.low = reinterpret_cast<uint64_t>(low);
    stack.top = stack.low + bytes;
  }
  pthread_attr_destroy(&attr);
  return stack;
}

}  // namespace leash::rt
