// Goroutines that yield to each other, or want the same lock.

#include "bench/workload.h"
#include "leash/go.h"
#include "leash/sync.h"

namespace leash::bench {

void Yield(Run& run) {
  const int64_t n = run.Scaled(5'000'000);
  WaitGroup wg;
  wg.Add(2);
  const auto loop = [&wg, n] {
    for (int64_t i = 0; i < n; ++i) Gosched();
    wg.Done();
  };
  const Lap lap;
  go(loop);
  go(loop);
  wg.Wait();
  run.ReportPerOp("yield", lap.Read(), 2 * n, "switch");
}

void MutexContended(Run& run) {
  constexpr int kGoroutines = 1000;
  const int64_t each = run.Scaled(1000);
  Mutex mu;
  WaitGroup wg;
  int64_t counter = 0;
  wg.Add(kGoroutines);
  const Lap lap;
  for (int g = 0; g < kGoroutines; ++g) {
    go([&] {
      for (int64_t i = 0; i < each; ++i) {
        mu.Lock();
        ++counter;
        mu.Unlock();
      }
      wg.Done();
    });
  }
  wg.Wait();
  const Times times = lap.Read();
  Require(counter == kGoroutines * each, "mutex: the counter is wrong");
  run.ReportPerOp("mutex", times, kGoroutines * each, "op");
}

}  // namespace leash::bench
