// Goroutines that start, do next to nothing and end: at once, in waves, and as a tree.

#include <algorithm>

#include "bench/workload.h"
#include "leash/chan.h"
#include "leash/go.h"
#include "leash/sync.h"

namespace leash::bench {

void SpawnJoin(Run& run) {
  const int64_t n = run.Scaled(1'000'000);
  WaitGroup wg;
  const Lap lap;
  for (int64_t i = 0; i < n; ++i) {
    wg.Add(1);
    go([&wg] { wg.Done(); });
  }
  wg.Wait();
  run.ReportPerOp("spawn_join", lap.Read(), n, "goroutine");
}

void SpawnJoinBatch100(Run& run) {
  constexpr int kWave = 100;
  const int64_t waves = std::max<int64_t>(1, run.Scaled(1'000'000) / kWave);
  const Lap lap;
  for (int64_t w = 0; w < waves; ++w) {
    WaitGroup wg;
    for (int i = 0; i < kWave; ++i) {
      wg.Add(1);
      go([&wg] { wg.Done(); });
    }
    wg.Wait();
  }
  run.ReportPerOp("spawn_join_batch100", lap.Read(), waves * kWave, "goroutine");
}

namespace {

void SkynetNode(SendChan<int64_t> out, int64_t first, int64_t size) {
  if (size == 1) {
    out.Send(first);
    return;
  }
  const Chan<int64_t> in = MakeChan<int64_t>();
  const int64_t child = size / 10;
  for (int64_t i = 0; i < 10; ++i) go(SkynetNode, in, first + i * child, child);
  int64_t sum = 0;
  for (int i = 0; i < 10; ++i) sum += *in.Recv();
  out.Send(sum);
}

}  // namespace

void Skynet(Run& run) {
  const int64_t leaves = PowerOfTenAtMost(run.Scaled(1'000'000));
  const Chan<int64_t> out = MakeChan<int64_t>();
  const Lap lap;
  go(SkynetNode, out, int64_t{0}, leaves);
  const int64_t sum = *out.Recv();
  const Times times = lap.Read();
  Require(sum == leaves * (leaves - 1) / 2, "skynet: the sum is wrong");
  run.ReportMillis("skynet", times);
  run.Report("skynet/peak", static_cast<double>(ReadMemory().peak_rss_bytes) / 1e6, "MB");
}

}  // namespace leash::bench
