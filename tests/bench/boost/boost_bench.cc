// The workloads that Boost.Fiber has the means for, under the names of leash's. No select, no
// network and no profiles: it has none.
//
// The best that Boost gives, where there is a choice:
// - One thread with its default scheduler, round_robin: nothing is locked against other threads.
// - Stacks from a pool (pooled_fixedsize_stack), so that a fiber that ends leaves its stack to the
//   next. Where very many are alive at once, from malloc (fixedsize_stack): the pool touches two
//   pages of each. Neither has a guard page.
// - 64 KiB of stack, half of Boost's default, except where the row says another size.
// - launch::post, the default, except in spawn_join and skynet: there the new fiber runs at once
//   (launch::dispatch); else a million of them have a stack each before the first one runs.

#include <algorithm>
#include <atomic>
#include <boost/fiber/all.hpp>
#include <boost/version.hpp>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "bench/peer_main.h"

namespace leash::bench {
namespace {

namespace fibers = boost::fibers;
using fibers::channel_op_status;
using fibers::launch;
using PooledStack = fibers::pooled_fixedsize_stack;
using MallocStack = fibers::fixedsize_stack;
using Unbuffered = fibers::unbuffered_channel<int64_t>;
using Buffered = fibers::buffered_channel<int64_t>;

constexpr size_t kStackBytes = size_t{64} << 10;

template <class Stack, class F>
void Go(launch policy, Stack& stack, F&& f) {
  fibers::fiber(policy, std::allocator_arg, stack, std::forward<F>(f)).detach();
}

// Cheaper than a handle to each fiber and a join of each.
class WaitGroup {
 public:
  explicit WaitGroup(int64_t n = 0) : count_(n) {}
  void Add(int64_t n) { count_.fetch_add(n, std::memory_order_relaxed); }
  void Done() {
    if (count_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    const std::lock_guard<fibers::mutex> lock(mu_);
    zero_.notify_all();
  }
  void Wait() {
    std::unique_lock<fibers::mutex> lock(mu_);
    zero_.wait(lock, [this] { return count_.load(std::memory_order_acquire) == 0; });
  }

 private:
  std::atomic<int64_t> count_;
  fibers::mutex mu_;
  fibers::condition_variable zero_;
};

void SpawnJoin(Run& run) {
  const int64_t n = run.Scaled(1'000'000);
  PooledStack stack(kStackBytes);
  WaitGroup wg;
  const Lap lap;
  for (int64_t i = 0; i < n; ++i) {
    wg.Add(1);
    Go(launch::dispatch, stack, [&wg] { wg.Done(); });
  }
  wg.Wait();
  run.ReportPerOp("spawn_join", lap.Read(), n, "goroutine");
}

void SpawnJoinBatch100(Run& run) {
  constexpr int kWave = 100;
  const int64_t waves = std::max<int64_t>(1, run.Scaled(1'000'000) / kWave);
  PooledStack stack(kStackBytes);
  const Lap lap;
  for (int64_t w = 0; w < waves; ++w) {
    WaitGroup wg;
    for (int i = 0; i < kWave; ++i) {
      wg.Add(1);
      Go(launch::post, stack, [&wg] { wg.Done(); });
    }
    wg.Wait();
  }
  run.ReportPerOp("spawn_join_batch100", lap.Read(), waves * kWave, "goroutine");
}

void PingPong(Run& run) {
  const int64_t n = run.Scaled(1'000'000);
  PooledStack stack(kStackBytes);
  Unbuffered there;
  Unbuffered back;
  WaitGroup echo(1);
  Go(launch::post, stack, [&] {
    for (int64_t v; there.pop(v) == channel_op_status::success;) back.push(v);
    echo.Done();
  });
  int64_t sum = 0;
  const Lap lap;
  for (int64_t i = 0; i < n; ++i) {
    there.push(i);
    sum += back.value_pop();
  }
  const Times times = lap.Read();
  there.close();
  echo.Wait();
  Require(sum == n * (n - 1) / 2, "pingpong: the sum is wrong");
  run.ReportPerOp("pingpong", times, n, "roundtrip");
}

void Yield(Run& run) {
  const int64_t n = run.Scaled(5'000'000);
  PooledStack stack(kStackBytes);
  WaitGroup wg(2);
  const auto loop = [&wg, n] {
    for (int64_t i = 0; i < n; ++i) boost::this_fiber::yield();
    wg.Done();
  };
  const Lap lap;
  Go(launch::post, stack, loop);
  Go(launch::post, stack, loop);
  wg.Wait();
  run.ReportPerOp("yield", lap.Read(), 2 * n, "switch");
}

// A buffer of 128 holds 127, as one place is always free; the next size is twice as large.
void ChanBuffered(Run& run) {
  const int64_t n = run.Scaled(10'000'000);
  PooledStack stack(kStackBytes);
  Buffered ch(128);
  const Lap lap;
  Go(launch::post, stack, [&ch, n] {
    for (int64_t i = 0; i < n; ++i) ch.push(i);
    ch.close();
  });
  int64_t got = 0;
  for (int64_t v; ch.pop(v) == channel_op_status::success;) ++got;
  const Times times = lap.Read();
  Require(got == n, "chan_buffered: elements are missing");
  run.ReportPerOp("chan_buffered", times, n, "op");
}

template <class Channel>
void Mpmc(Run& run, std::string_view name, Channel& ch) {
  constexpr int kProducers = 100;
  constexpr int kConsumers = 100;
  const int64_t each = std::max<int64_t>(1, run.Scaled(1'000'000) / kProducers);
  PooledStack stack(kStackBytes);
  WaitGroup producers(kProducers);
  WaitGroup consumers(kConsumers);
  std::atomic<int64_t> total = 0;
  const Lap lap;
  for (int c = 0; c < kConsumers; ++c) {
    Go(launch::post, stack, [&] {
      int64_t mine = 0;
      for (int64_t v; ch.pop(v) == channel_op_status::success;) ++mine;
      total.fetch_add(mine);
      consumers.Done();
    });
  }
  for (int p = 0; p < kProducers; ++p) {
    Go(launch::post, stack, [&] {
      for (int64_t i = 0; i < each; ++i) ch.push(i);
      producers.Done();
    });
  }
  producers.Wait();
  ch.close();
  consumers.Wait();
  const Times times = lap.Read();
  Require(total == each * kProducers, "mpmc: messages are missing");
  run.ReportPerOp(name, times, each * kProducers, "msg");
}

void MpmcUnbuffered(Run& run) {
  Unbuffered ch;
  Mpmc(run, "mpmc_unbuf", ch);
}

void MpmcBuffered64(Run& run) {
  Buffered ch(64);
  Mpmc(run, "mpmc_buf64", ch);
}

void MutexContended(Run& run) {
  constexpr int kFibers = 1000;
  const int64_t each = run.Scaled(1000);
  PooledStack stack(kStackBytes);
  fibers::mutex mu;
  WaitGroup wg(kFibers);
  int64_t counter = 0;
  const Lap lap;
  for (int f = 0; f < kFibers; ++f) {
    Go(launch::post, stack, [&] {
      for (int64_t i = 0; i < each; ++i) {
        mu.lock();
        ++counter;
        mu.unlock();
      }
      wg.Done();
    });
  }
  wg.Wait();
  const Times times = lap.Read();
  Require(counter == kFibers * each, "mutex: the counter is wrong");
  run.ReportPerOp("mutex", times, kFibers * each, "op");
}

// A sender looks at its channel once more after its value was taken: the channel is everybody's.
using SharedChannel = std::shared_ptr<Unbuffered>;

void SkynetNode(MallocStack& stack, const SharedChannel& out, int64_t first, int64_t size) {
  if (size == 1) {
    out->push(first);
    return;
  }
  const SharedChannel in = std::make_shared<Unbuffered>();
  const int64_t child = size / 10;
  for (int64_t i = 0; i < 10; ++i) {
    Go(launch::dispatch, stack,
       [&stack, in, at = first + i * child, child] { SkynetNode(stack, in, at, child); });
  }
  int64_t sum = 0;
  for (int i = 0; i < 10; ++i) sum += in->value_pop();
  out->push(sum);
}

void Skynet(Run& run) {
  const int64_t leaves = PowerOfTenAtMost(run.Scaled(1'000'000));
  MallocStack stack(kStackBytes);
  const SharedChannel out = std::make_shared<Unbuffered>();
  const Lap lap;
  Go(launch::dispatch, stack, [&] { SkynetNode(stack, out, 0, leaves); });
  const int64_t sum = out->value_pop();
  const Times times = lap.Read();
  Require(sum == leaves * (leaves - 1) / 2, "skynet: the sum is wrong");
  run.ReportMillis("skynet", times);
  run.Report("skynet/peak", static_cast<double>(ReadMemory().peak_rss_bytes) / 1e6, "MB");
}

// `n` fibers that wait on one channel, until it is closed.
class Parked {
 public:
  Parked(int64_t n, MallocStack& stack) : wg_(n) {
    int64_t up = 0;
    const Lap lap;
    for (int64_t i = 0; i < n; ++i) {
      Go(launch::post, stack, [this, &up] {
        ++up;
        int64_t none = 0;
        stop_.pop(none);
        wg_.Done();
      });
    }
    while (up < n) boost::this_fiber::yield();
    created_ = lap.Read();
  }

  Times created() const { return created_; }

  Times Release() {
    const Lap lap;
    stop_.close();
    wg_.Wait();
    boost::this_fiber::yield();  // those that have ended are gone
    return lap.Read();
  }

 private:
  WaitGroup wg_;
  Unbuffered stop_;
  Times created_;
};

void ParkedMemory(Run& run, const std::string& prefix, int64_t full, size_t stack_bytes) {
  const int64_t n = run.Scaled(full);
  MallocStack stack(stack_bytes);
  const Memory before = ReadMemory();
  {
    Parked parked(n, stack);
    ReportMemory(run, prefix, before, ReadMemory(), n);
    run.ReportPerOp(prefix + "/create", parked.created(), n, "goroutine");
    run.ReportPerOp(prefix + "/release", parked.Release(), n, "goroutine");
  }
  Parked parked(n, stack);
  run.ReportPerOp(prefix + "/create_warm", parked.created(), n, "goroutine");
  parked.Release();
}

constexpr size_t k256KiB = size_t{256} << 10;
void Parked100k(Run& run) { ParkedMemory(run, "parked_mem/100k", 100'000, k256KiB); }
void Parked1m(Run& run) { ParkedMemory(run, "parked_mem/1m", 1'000'000, k256KiB); }
void Parked64k100k(Run& run) { ParkedMemory(run, "parked_mem_64k/100k", 100'000, kStackBytes); }
void Parked64k1m(Run& run) { ParkedMemory(run, "parked_mem_64k/1m", 1'000'000, kStackBytes); }

constexpr PeerWorkload kWorkloads[] = {
    {"spawn_join", SpawnJoin, 1},       {"spawn_join_batch100", SpawnJoinBatch100, 1},
    {"pingpong", PingPong, 1},          {"yield", Yield, 1},
    {"chan_buffered", ChanBuffered, 1}, {"mpmc_unbuf", MpmcUnbuffered, 1},
    {"mpmc_buf64", MpmcBuffered64, 1},  {"mutex", MutexContended, 1},
    {"skynet", Skynet, 1, true},  // 7.7 GB
    {"parked_mem", Parked100k, 1},      {"parked_mem_64k", Parked64k100k, 1},
    {"parked_mem_1m", Parked1m, 1},     {"parked_mem_64k_1m", Parked64k1m, 1},
};

std::string Version() {
  return "Boost.Fiber " + std::to_string(BOOST_VERSION / 100000) + "." +
         std::to_string(BOOST_VERSION / 100 % 1000) + ", one thread, round_robin";
}

}  // namespace
}  // namespace leash::bench

int main(int argc, char** argv) {
  using namespace leash::bench;  // NOLINT(google-build-using-namespace)
  return PeerMain(argc, argv, Version(), kWorkloads, [](int) {});
}
