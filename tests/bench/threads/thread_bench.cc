// What threads do of the same: std::thread, std::mutex and std::condition_variable, under the names
// of leash's workloads and with their units. A thread costs a hundred times a goroutine, so there
// are fewer of them and fewer operations; the figures are those of one.
//
// Procs are processors here: the process is bound to so many of them.

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "bench/peer_main.h"

namespace leash::bench {
namespace {

void BindTo(int procs) {
  cpu_set_t all;
  CPU_ZERO(&all);
  Require(sched_getaffinity(0, sizeof all, &all) == 0, "sched_getaffinity failed");
  cpu_set_t some;
  CPU_ZERO(&some);
  for (int cpu = 0, bound = 0; cpu < CPU_SETSIZE && bound < procs; ++cpu) {
    if (!CPU_ISSET(cpu, &all)) continue;
    CPU_SET(cpu, &some);
    ++bound;
  }
  Require(sched_setaffinity(0, sizeof some, &some) == 0, "sched_setaffinity failed");
}

void Join(std::vector<std::thread>& threads) {
  for (std::thread& thread : threads) thread.join();
  threads.clear();
}

// A channel as one writes it with the standard library.
class Queue {
 public:
  explicit Queue(size_t capacity) : capacity_(capacity) {}

  void Send(int64_t v) {
    std::unique_lock lock(mu_);
    not_full_.wait(lock, [this] { return queue_.size() < capacity_; });
    queue_.push_back(v);
    lock.unlock();
    not_empty_.notify_one();
  }
  std::optional<int64_t> Recv() {
    std::unique_lock lock(mu_);
    not_empty_.wait(lock, [this] { return !queue_.empty() || closed_; });
    if (queue_.empty()) return std::nullopt;
    const int64_t v = queue_.front();
    queue_.pop_front();
    lock.unlock();
    not_full_.notify_one();
    return v;
  }
  void Close() {
    const std::lock_guard lock(mu_);
    closed_ = true;
    not_empty_.notify_all();
  }

 private:
  const size_t capacity_;
  std::mutex mu_;
  std::condition_variable not_full_;
  std::condition_variable not_empty_;
  std::deque<int64_t> queue_;
  bool closed_ = false;
};

void SpawnJoin(Run& run) {
  const int64_t n = run.Scaled(10'000);
  std::vector<std::thread> threads;
  threads.reserve(static_cast<size_t>(n));
  const Lap lap;
  for (int64_t i = 0; i < n; ++i) threads.emplace_back([] {});
  Join(threads);
  run.ReportPerOp("spawn_join", lap.Read(), n, "goroutine");
}

void SpawnJoinBatch100(Run& run) {
  constexpr int kWave = 100;
  const int64_t waves = std::max<int64_t>(1, run.Scaled(10'000) / kWave);
  std::vector<std::thread> threads;
  threads.reserve(kWave);
  const Lap lap;
  for (int64_t w = 0; w < waves; ++w) {
    for (int i = 0; i < kWave; ++i) threads.emplace_back([] {});
    Join(threads);
  }
  run.ReportPerOp("spawn_join_batch100", lap.Read(), waves * kWave, "goroutine");
}

// One mutex, a condition variable for each side, and whose turn it is.
void PingPong(Run& run) {
  const int64_t n = run.Scaled(50'000);
  std::mutex mu;
  std::condition_variable there;
  std::condition_variable back;
  bool ball_is_there = false;
  std::thread other([&] {
    for (int64_t i = 0; i < n; ++i) {
      std::unique_lock lock(mu);
      there.wait(lock, [&] { return ball_is_there; });
      ball_is_there = false;
      lock.unlock();
      back.notify_one();
    }
  });
  const Lap lap;
  for (int64_t i = 0; i < n; ++i) {
    std::unique_lock lock(mu);
    ball_is_there = true;
    there.notify_one();
    back.wait(lock, [&] { return !ball_is_there; });
  }
  const Times times = lap.Read();
  other.join();
  run.ReportPerOp("pingpong", times, n, "roundtrip");
}

void Yield(Run& run) {
  const int64_t n = run.Scaled(500'000);
  std::vector<std::thread> threads;
  const Lap lap;
  for (int t = 0; t < 2; ++t) {
    threads.emplace_back([n] {
      for (int64_t i = 0; i < n; ++i) std::this_thread::yield();
    });
  }
  Join(threads);
  run.ReportPerOp("yield", lap.Read(), 2 * n, "switch");
}

void ChanBuffered(Run& run) {
  const int64_t n = run.Scaled(1'000'000);
  Queue queue(128);
  const Lap lap;
  std::thread sender([&queue, n] {
    for (int64_t i = 0; i < n; ++i) queue.Send(i);
    queue.Close();
  });
  int64_t got = 0;
  while (queue.Recv()) ++got;
  const Times times = lap.Read();
  sender.join();
  Require(got == n, "chan_buffered: elements are missing");
  run.ReportPerOp("chan_buffered", times, n, "op");
}

void MpmcBuffered64(Run& run) {
  constexpr int kProducers = 100;
  constexpr int kConsumers = 100;
  const int64_t each = std::max<int64_t>(1, run.Scaled(200'000) / kProducers);
  Queue queue(64);
  std::atomic<int64_t> total = 0;
  std::vector<std::thread> consumers;
  std::vector<std::thread> producers;
  const Lap lap;
  for (int c = 0; c < kConsumers; ++c) {
    consumers.emplace_back([&] {
      int64_t mine = 0;
      while (queue.Recv()) ++mine;
      total.fetch_add(mine);
    });
  }
  for (int p = 0; p < kProducers; ++p) {
    producers.emplace_back([&] {
      for (int64_t i = 0; i < each; ++i) queue.Send(i);
    });
  }
  Join(producers);
  queue.Close();
  Join(consumers);
  const Times times = lap.Read();
  Require(total == each * kProducers, "mpmc_buf64: messages are missing");
  run.ReportPerOp("mpmc_buf64", times, each * kProducers, "msg");
}

// A tenth of the threads, each with ten times the work: as many locks as the goroutines take.
void MutexContended(Run& run) {
  constexpr int kThreads = 100;
  const int64_t each = run.Scaled(10'000);
  std::mutex mu;
  int64_t counter = 0;
  std::vector<std::thread> threads;
  const Lap lap;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int64_t i = 0; i < each; ++i) {
        const std::lock_guard lock(mu);
        ++counter;
      }
    });
  }
  Join(threads);
  const Times times = lap.Read();
  Require(counter == kThreads * each, "mutex: the counter is wrong");
  run.ReportPerOp("mutex", times, kThreads * each, "op");
}

// Threads that wait on one condition variable, until they are let go.
class Parked {
 public:
  explicit Parked(int64_t n) {
    threads_.reserve(static_cast<size_t>(n));
    const Lap lap;
    for (int64_t i = 0; i < n; ++i) {
      threads_.emplace_back([this] {
        std::unique_lock lock(mu_);
        ++up_;
        stop_.wait(lock, [this] { return stopped_; });
      });
    }
    for (bool all = false; !all;) {
      std::this_thread::yield();
      const std::lock_guard lock(mu_);
      all = up_ == n;
    }
    created_ = lap.Read();
  }

  Times created() const { return created_; }

  Times Release() {
    const Lap lap;
    {
      const std::lock_guard lock(mu_);
      stopped_ = true;
    }
    stop_.notify_all();
    Join(threads_);
    return lap.Read();
  }

 private:
  std::mutex mu_;
  std::condition_variable stop_;
  bool stopped_ = false;
  int64_t up_ = 0;
  std::vector<std::thread> threads_;
  Times created_;
};

// 10,000 of them, each with 8 MiB of stack reserved. The kernel's own stack of each, 16 KiB, is in
// no process's RSS and so not in these figures.
void ParkedMemory(Run& run) {
  const std::string prefix = "parked_mem/100k";
  const int64_t n = run.Scaled(10'000);
  const Memory before = ReadMemory();
  {
    Parked parked(n);
    ReportMemory(run, prefix, before, ReadMemory(), n);
    run.ReportPerOp(prefix + "/create", parked.created(), n, "goroutine");
    run.ReportPerOp(prefix + "/release", parked.Release(), n, "goroutine");
  }
  Parked parked(n);
  run.ReportPerOp(prefix + "/create_warm", parked.created(), n, "goroutine");
  parked.Release();
}

constexpr PeerWorkload kWorkloads[] = {
    {"spawn_join", SpawnJoin},       {"spawn_join_batch100", SpawnJoinBatch100},
    {"pingpong", PingPong},          {"yield", Yield, 1},
    {"chan_buffered", ChanBuffered}, {"mpmc_buf64", MpmcBuffered64},
    {"mutex", MutexContended},       {"parked_mem", ParkedMemory},
};

// "glibc 2.36": whose threads they are.
std::string Version() {
  std::string libc(64, '\0');
  const size_t size = confstr(_CS_GNU_LIBC_VERSION, libc.data(), libc.size());
  libc.resize(size > 0 && size <= libc.size() ? size - 1 : 0);
  return "std::thread, " + libc;
}

}  // namespace
}  // namespace leash::bench

int main(int argc, char** argv) {
  using namespace leash::bench;  // NOLINT(google-build-using-namespace)
  return PeerMain(argc, argv, Version(), kWorkloads, BindTo);
}
