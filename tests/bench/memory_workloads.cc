// What a parked goroutine costs: memory, with the page tables that it needs, and time to make it
// and to let it go.

#include <unistd.h>

#include <atomic>
#include <fstream>
#include <string>

#include "absl/time/time.h"
#include "bench/workload.h"
#include "leash/chan.h"
#include "leash/go.h"
#include "leash/time.h"

namespace leash::bench {
namespace {

struct Memory {
  int64_t rss_bytes;
  int64_t page_table_bytes;  // not in the RSS, and held all the same
};

Memory ReadMemory() {
  Memory memory = {};
  std::ifstream status("/proc/self/status");
  for (std::string key; status >> key;) {
    int64_t kib = 0;
    if (key == "VmRSS:" && status >> kib) memory.rss_bytes = kib * 1024;
    if (key == "VmPTE:" && status >> kib) memory.page_table_bytes = kib * 1024;
    status.clear();
    status.ignore(4096, '\n');
  }
  Require(memory.rss_bytes > 0 && memory.page_table_bytes > 0,
          "/proc/self/status: want VmRSS and VmPTE");
  return memory;
}

void ParkedMemory(Run& run, const std::string& prefix, int64_t full) {
  const int64_t n = run.Scaled(full);
  const Chan<Unit> stop = MakeChan<Unit>();
  std::atomic<int64_t> up = 0;
  const int64_t others = NumGoroutine();
  const Memory before = ReadMemory();
  const Lap create;
  for (int64_t i = 0; i < n; ++i) {
    go([&stop, &up] {
      up.fetch_add(1);
      stop.Recv();
    });
  }
  while (up.load() < n) Gosched();
  const Times created = create.Read();
  Sleep(absl::Milliseconds(50));  // the last few reach their receive
  const Memory after = ReadMemory();
  const auto per_goroutine = [n](int64_t bytes) {
    return static_cast<double>(bytes) / static_cast<double>(n);
  };
  run.Report(prefix + "/rss", per_goroutine(after.rss_bytes - before.rss_bytes), "bytes/goroutine");
  run.Report(prefix + "/vmpte", per_goroutine(after.page_table_bytes - before.page_table_bytes),
             "bytes/goroutine");
  run.Report(prefix + "/rss+vmpte",
             per_goroutine(after.rss_bytes + after.page_table_bytes - before.rss_bytes -
                           before.page_table_bytes),
             "bytes/goroutine");
  run.ReportPerOp(prefix + "/create", created, n, "goroutine");
  const Lap release;
  stop.Close();
  while (NumGoroutine() > others) Gosched();
  run.ReportPerOp(prefix + "/release", release.Read(), n, "goroutine");
}

}  // namespace

void ParkedMemory100k(Run& run) { ParkedMemory(run, "parked_mem/100k", 100'000); }
void ParkedMemory1m(Run& run) { ParkedMemory(run, "parked_mem/1m", 1'000'000); }

}  // namespace leash::bench
