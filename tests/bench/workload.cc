#include "bench/workload.h"

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
    {"parked_mem_64k", ParkedMemory64k100k, false, false},
    {"parked_mem_1m", ParkedMemory1m, false, true},
    {"parked_mem_64k_1m", ParkedMemory64k1m, false, true},
    {"timers", Timers, false, false},
    {"echo", Echo, false, false},
    {"race_slowdown", RaceSlowdown, false, false},
    {"profile_debug1_10k", Profile10k<1>, false, false},
    {"profile_debug1_100k", Profile100k<1>, false, false},
    {"profile_debug1_1m", Profile1m<1>, false, true},
    {"profile_debug2_10k", Profile10k<2>, false, false},
    {"profile_debug2_100k", Profile100k<2>, false, false},
    {"profile_debug2_1m", Profile1m<2>, false, true},
    {"profile_proto_10k", Profile10k<0>, false, false},
    {"profile_proto_100k", Profile100k<0>, false, false},
    {"profile_proto_1m", Profile1m<0>, false, true},
};

}  // namespace

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
