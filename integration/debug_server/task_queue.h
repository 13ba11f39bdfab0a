// The threads that answer: our own, so that they are known to the runtime as its own.

#ifndef LEASH_INTEGRATION_DEBUG_SERVER_TASK_QUEUE_H_
#define LEASH_INTEGRATION_DEBUG_SERVER_TASK_QUEUE_H_

#include <httplib.h>

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace leash::internal {

// Starts a thread of the runtime's: no signal of the program's is delivered to it.
std::thread StartRuntimeThread(std::function<void()> body);

class TaskQueue : public httplib::TaskQueue {
 public:
  explicit TaskQueue(int threads);
  void enqueue(std::function<void()> task) override;
  void shutdown() override;

 private:
  void Work();

  std::mutex mu_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> tasks_;
  bool stop_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace leash::internal

#endif  // LEASH_INTEGRATION_DEBUG_SERVER_TASK_QUEUE_H_
