// A queue of tasks and the threads that work it off.

#include "task_queue.h"

#include <signal.h>

#include <utility>

#include "leash/internal/debug_seam.h"

namespace leash::internal {

std::thread StartRuntimeThread(std::function<void()> body) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread thread([body = std::move(body)] {
    EnterRuntimeThread();
    body();
    LeaveRuntimeThread();
  });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return thread;
}

TaskQueue::TaskQueue(int threads) {
  for (int i = 0; i < threads; ++i) {
    threads_.push_back(StartRuntimeThread([this] { Work(); }));
  }
}

void TaskQueue::enqueue(std::function<void()> task) {
  {
    std::lock_guard hold(mu_);
    tasks_.push_back(std::move(task));
  }
  changed_.notify_one();
}

void TaskQueue::shutdown() {
  {
    std::lock_guard hold(mu_);
    stop_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void TaskQueue::Work() {
  for (;;) {
    std::function<void()> task;
    {
      std::unique_lock hold(mu_);
      changed_.wait(hold, [this] { return stop_ || !tasks_.empty(); });
      if (tasks_.empty()) return;
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    task();
  }
}

}  // namespace leash::internal
