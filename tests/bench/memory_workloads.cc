// What a parked goroutine costs: memory, with the page tables that it needs, and time to make it
// and to let it go. Made twice: the first time (`create`) its stack is memory that the process
// never had, the second time (`create_warm`) one that another goroutine has left.

#include <atomic>
#include <string>

#include "absl/time/time.h"
#include "bench/workload.h"
#include "leash/chan.h"
#include "leash/go.h"
#include "leash/time.h"

namespace leash::bench {
namespace {

// Starts `n` and returns when all of them wait, or are about to; what that took.
Times Park(int64_t n, const GoOptions& options, const Chan<Unit>& stop) {
  std::atomic<int64_t> up = 0;
  const auto body = [&stop, &up] {
    up.fetch_add(1);
    stop.Recv();
  };
  const Lap lap;
  if (options.stack_bytes == 0) {
    for (int64_t i = 0; i < n; ++i) go(body);
  } else {
    for (int64_t i = 0; i < n; ++i) GoWith(options, body);
  }
  while (up.load() < n) Gosched();
  return lap.Read();
}

Times Release(const Chan<Unit>& stop, int64_t others) {
  const Lap lap;
  stop.Close();
  while (NumGoroutine() > others) Gosched();
  return lap.Read();
}

void ParkedMemory(Run& run, const std::string& prefix, int64_t full, const GoOptions& options) {
  const int64_t n = run.Scaled(full);
  const int64_t others = NumGoroutine();
  const Memory before = ReadMemory();
  {
    const Chan<Unit> stop = MakeChan<Unit>();
    const Times created = Park(n, options, stop);
    Sleep(absl::Milliseconds(50));  // the last few reach their receive
    ReportMemory(run, prefix, before, ReadMemory(), n);
    run.ReportPerOp(prefix + "/create", created, n, "goroutine");
    run.ReportPerOp(prefix + "/release", Release(stop, others), n, "goroutine");
  }
  const Chan<Unit> stop = MakeChan<Unit>();
  run.ReportPerOp(prefix + "/create_warm", Park(n, options, stop), n, "goroutine");
  Release(stop, others);
}

// The default, and the smallest that there is.
constexpr GoOptions kDefault = {};
constexpr GoOptions k64KiB = {.stack_bytes = size_t{64} << 10};

}  // namespace

void ParkedMemory100k(Run& run) { ParkedMemory(run, "parked_mem/100k", 100'000, kDefault); }
void ParkedMemory1m(Run& run) { ParkedMemory(run, "parked_mem/1m", 1'000'000, kDefault); }
void ParkedMemory64k100k(Run& run) { ParkedMemory(run, "parked_mem_64k/100k", 100'000, k64KiB); }
void ParkedMemory64k1m(Run& run) { ParkedMemory(run, "parked_mem_64k/1m", 1'000'000, k64KiB); }

}  // namespace leash::bench
