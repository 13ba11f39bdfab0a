#include "bench/workload.h"

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "absl/time/time.h"
#include "leash/go.h"
#include "leash/sync.h"
#include "leash/time.h"

namespace leash::bench {
namespace {

constexpr Workload kWorkloads[] = {
    {"spawn_join", SpawnJoin, false, false},
    {"spawn_join_batch100", SpawnJoinBatch100, false, false},
    {"pingpong", PingPong, false, false},
    {"yield", Yield, true, false},
    {"chan_buffered", ChanBuffered, false, false},
    {"mpmc_unbuf", MpmcUnbuffered, false, false},
    {"mpmc_buf64", MpmcBuffered64, false, false},
    {"select4", Select4, false, false},
    {"mutex", MutexContended, false, false},
    {"skynet", Skynet, false, false},
    {"parked_mem", ParkedMemory100k, false, false},
    {"parked_mem_1m", ParkedMemory1m, false, true},
    {"timers", Timers, false, false},
    {"echo", Echo, false, false},
    {"race_slowdown", RaceSlowdown, false, false},
    {"profile_debug1_10k", Profile10k<1>, false, true},
    {"profile_debug1_100k", Profile100k<1>, false, false},
    {"profile_debug1_1m", Profile1m<1>, false, true},
    {"profile_debug2_10k", Profile10k<2>, false, true},
    {"profile_debug2_100k", Profile100k<2>, false, false},
    {"profile_proto_10k", Profile10k<0>, false, true},
    {"profile_proto_100k", Profile100k<0>, false, false},
    {"profile_proto_1m", Profile1m<0>, false, true},
};

Times Clocks() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  const auto nanoseconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) * 1e9 + static_cast<double>(t.tv_usec) * 1e3;
  };
  const auto wall = std::chrono::steady_clock::now().time_since_epoch();
  return {std::chrono::duration<double, std::nano>(wall).count(),
          nanoseconds(usage.ru_utime) + nanoseconds(usage.ru_stime)};
}

}  // namespace

Lap::Lap() : begin_(Clocks()) {}

Times Lap::Read() const {
  const Times now = Clocks();
  return {now.wall_ns - begin_.wall_ns, now.cpu_ns - begin_.cpu_ns};
}

int64_t Run::Scaled(int64_t full) const {
  return std::max<int64_t>(1, std::llround(static_cast<double>(full) * scale_));
}

void Run::Report(std::string_view name, double value, std::string_view unit) {
  figures_.push_back({std::string(name), value, std::string(unit)});
}

void Run::ReportPerOp(std::string_view name, Times times, int64_t ops, std::string_view what) {
  const double n = static_cast<double>(ops);
  Report(name, times.wall_ns / n, std::string("ns/").append(what));
  Report(std::string(name) + "/cpu", times.cpu_ns / n, std::string("cpu-ns/").append(what));
}

void Run::ReportMillis(std::string_view name, Times times) {
  Report(name, times.wall_ns / 1e6, "ms");
  Report(std::string(name) + "/cpu", times.cpu_ns / 1e6, "cpu-ms");
}

void Require(bool ok, std::string_view what) {
  if (ok) return;
  std::fprintf(stderr, "leash_bench: %.*s\n", static_cast<int>(what.size()), what.data());
  std::_Exit(1);
}

std::span<const Workload> Workloads() { return kWorkloads; }

const Workload* FindWorkload(std::string_view name) {
  for (const Workload& workload : kWorkloads) {
    if (workload.name == name) return &workload;
  }
  return nullptr;
}

std::vector<Figure> RunWorkload(const Workload& workload, int procs, double scale, Times* took) {
  GOMAXPROCS(procs);
  Run run(scale);
  WaitGroup done;
  done.Go([&] {
    // The runtime's own start goes on beside its first goroutines; it is no operation's cost. Go's
    // side waits as long.
    Sleep(absl::Milliseconds(50));
    const Lap lap;
    workload.run(run);
    if (took != nullptr) *took = lap.Read();
  });
  done.Wait();
  return run.figures();
}

}  // namespace leash::bench
