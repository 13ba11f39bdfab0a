// The command line of the programs that leash is measured against, the same as gobench's:
//
//   PROGRAM                                 its workloads, a line each: NAME, the most procs it
//                                           takes (0: any number), and "large" if it is to be asked
//                                           for; gobench says names only
//   PROGRAM -version                        what it is, in a line
//   PROGRAM [-procs N] [-scale F] NAME      runs one and prints its figures

#ifndef LEASH_TESTS_BENCH_PEER_MAIN_H_
#define LEASH_TESTS_BENCH_PEER_MAIN_H_

#include <span>
#include <string_view>

#include "bench/measure.h"

namespace leash::bench {

struct PeerWorkload {
  std::string_view name;
  void (*run)(Run& run);
  int procs_max = 0;   // 0: any number
  bool large = false;  // takes gigabytes, or minutes
};

// `prepare` is called once before the workload, with the number of procs. Returns the exit status.
int PeerMain(int argc, char** argv, std::string_view version,
             std::span<const PeerWorkload> workloads, void (*prepare)(int procs));

}  // namespace leash::bench

#endif  // LEASH_TESTS_BENCH_PEER_MAIN_H_
