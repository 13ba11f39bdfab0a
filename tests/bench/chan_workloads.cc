// Values through channels: two goroutines, many, and one that selects.

#include <algorithm>
#include <array>
#include <atomic>
#include <string_view>

#include "bench/workload.h"
#include "leash/chan.h"
#include "leash/go.h"
#include "leash/sync.h"

namespace leash::bench {

void PingPong(Run& run) {
  const int64_t n = run.Scaled(1'000'000);
  const Chan<int64_t> there = MakeChan<int64_t>();
  const Chan<int64_t> back = MakeChan<int64_t>();
  go([there, back] {
    for (int64_t v : there) back.Send(v);
  });
  const Lap lap;
  for (int64_t i = 0; i < n; ++i) {
    there.Send(i);
    back.Recv();
  }
  const Times times = lap.Read();
  there.Close();
  run.ReportPerOp("pingpong", times, n, "roundtrip");
}

void ChanBuffered(Run& run) {
  const int64_t n = run.Scaled(10'000'000);
  const Chan<int64_t> ch = MakeChan<int64_t>(128);
  const Lap lap;
  go([ch, n] {
    for (int64_t i = 0; i < n; ++i) ch.Send(i);
    ch.Close();
  });
  int64_t got = 0;
  for ([[maybe_unused]] int64_t v : ch) ++got;
  const Times times = lap.Read();
  Require(got == n, "chan_buffered: elements are missing");
  run.ReportPerOp("chan_buffered", times, n, "op");
}

namespace {

void Mpmc(Run& run, std::string_view name, size_t capacity) {
  constexpr int kProducers = 100;
  constexpr int kConsumers = 100;
  const int64_t each = std::max<int64_t>(1, run.Scaled(1'000'000) / kProducers);
  const Chan<int64_t> ch = MakeChan<int64_t>(capacity);
  WaitGroup producers;
  WaitGroup consumers;
  std::atomic<int64_t> total = 0;
  producers.Add(kProducers);
  consumers.Add(kConsumers);
  const Lap lap;
  for (int c = 0; c < kConsumers; ++c) {
    go([&] {
      int64_t mine = 0;
      for ([[maybe_unused]] int64_t v : ch) ++mine;
      total.fetch_add(mine);
      consumers.Done();
    });
  }
  for (int p = 0; p < kProducers; ++p) {
    go([&] {
      for (int64_t i = 0; i < each; ++i) ch.Send(i);
      producers.Done();
    });
  }
  producers.Wait();
  ch.Close();
  consumers.Wait();
  const Times times = lap.Read();
  Require(total == each * kProducers, "mpmc: messages are missing");
  run.ReportPerOp(name, times, each * kProducers, "msg");
}

}  // namespace

void MpmcUnbuffered(Run& run) { Mpmc(run, "mpmc_unbuf", 0); }
void MpmcBuffered64(Run& run) { Mpmc(run, "mpmc_buf64", 64); }

void Select4(Run& run) {
  const int64_t each = std::max<int64_t>(1, run.Scaled(1'000'000) / 4);
  std::array<Chan<int64_t>, 4> ch;
  for (Chan<int64_t>& c : ch) c = MakeChan<int64_t>();
  const Lap lap;
  for (const Chan<int64_t>& c : ch) {
    go([c, each] {
      for (int64_t k = 0; k < each; ++k) c.Send(k);
    });
  }
  std::array<int64_t, 4> seen = {};
  for (int64_t k = 0; k < 4 * each; ++k) {
    Select(OnRecv(ch[0], [&] { ++seen[0]; }), OnRecv(ch[1], [&] { ++seen[1]; }),
           OnRecv(ch[2], [&] { ++seen[2]; }), OnRecv(ch[3], [&] { ++seen[3]; }));
  }
  const Times times = lap.Read();
  for (int64_t n : seen) Require(n == each, "select4: messages are missing");
  run.ReportPerOp("select4", times, 4 * each, "msg");
}

}  // namespace leash::bench
