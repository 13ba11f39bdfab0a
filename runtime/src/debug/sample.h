// Stacks of threads that run: each is sent SIGURG, and its handler walks the interrupted stack.
//
// Only while SIGURG has its default disposition (ignored) or ours: a program that uses it for
// itself keeps it, and its running threads show no stack.

#ifndef LEASH_DEBUG_SAMPLE_H_
#define LEASH_DEBUG_SAMPLE_H_

#include <cstdint>

#include "sched/g.h"

namespace leash::rt {

struct Sample {
  static constexpr int kMax = 128;
  int32_t tid = 0;
  const G* g = nullptr;  // what the thread ran when it was interrupted; null: the scheduler
  uint64_t pcs[kMax] = {};
  int count = 0;           // 0: no stack could be had
  uint64_t exact_pcs = 0;  // bit i: pcs[i] is the place itself
};

// Interrupts the thread and waits for its stack, at most 20 ms. False: none could be had.
bool SampleThread(int32_t tid, Sample* out);

}  // namespace leash::rt

#endif  // LEASH_DEBUG_SAMPLE_H_
