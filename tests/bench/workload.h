// What is measured: each workload of tests/bench/go/gobench, under its name and with its meaning,
// so that the two print lines that compare. A workload runs in a goroutine of its own (Go's main is
// one), once for each process that counts: memory and profiles are disturbed by leftovers.

#ifndef LEASH_TESTS_BENCH_WORKLOAD_H_
#define LEASH_TESTS_BENCH_WORKLOAD_H_

#include <span>
#include <string_view>
#include <vector>

#include "bench/measure.h"

namespace leash::bench {

struct Workload {
  std::string_view name;
  void (*run)(Run& run);
  bool one_proc_only;  // more would measure something else: a yield between two Ps
  bool large;          // takes a million goroutines, or minutes: run when asked for
};
// In the order of the table.
std::span<const Workload> Workloads();
const Workload* FindWorkload(std::string_view name);

// Runs it at GOMAXPROCS `procs` in a goroutine, and waits. Call from a thread. `took`: the whole of
// it, without the wait for the runtime's start.
std::vector<Figure> RunWorkload(const Workload& workload, int procs, double scale,
                                Times* took = nullptr);

void SpawnJoin(Run& run);
void SpawnJoinBatch100(Run& run);
void Skynet(Run& run);
void PingPong(Run& run);
void Yield(Run& run);
void ChanBuffered(Run& run);
void MpmcUnbuffered(Run& run);
void MpmcBuffered64(Run& run);
void Select4(Run& run);
void MutexContended(Run& run);
void ParkedMemory100k(Run& run);
void ParkedMemory1m(Run& run);
void ParkedMemory64k100k(Run& run);
void ParkedMemory64k1m(Run& run);
void Timers(Run& run);
void Echo(Run& run);
void RaceSlowdown(Run& run);
template <int kDebug>
void Profile10k(Run& run);
template <int kDebug>
void Profile100k(Run& run);
template <int kDebug>
void Profile1m(Run& run);

}  // namespace leash::bench

#endif  // LEASH_TESTS_BENCH_WORKLOAD_H_
