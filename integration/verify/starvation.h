// How long the system let threads of this process wait for a processor.

#ifndef LEASH_INTEGRATION_VERIFY_STARVATION_H_
#define LEASH_INTEGRATION_VERIFY_STARVATION_H_

#include <cstdint>
#include <unordered_map>

namespace leash::verify::internal {

class Starvation {
 public:
  // Counts from now on.
  void Restart();

  // The longest time, in nanoseconds, that one thread was ready to run and did not since Restart().
  // 0 where the kernel does not say (CONFIG_SCHED_INFO).
  int64_t Longest() const;

 private:
  std::unordered_map<int, int64_t> since_;  // by thread id
};

}  // namespace leash::verify::internal

#endif  // LEASH_INTEGRATION_VERIFY_STARVATION_H_
