// How often a stress test goes round: a quarter where sanitizers make each goroutine dear.

#ifndef LEASH_TESTS_SUPPORT_STRESS_H_
#define LEASH_TESTS_SUPPORT_STRESS_H_

#include "base/sanitizers.h"

namespace leash::testing {

// Under ThreadSanitizer a goroutine has a fiber (0.2 to 0.6 ms to make), under AddressSanitizer a
// fake stack.
constexpr int Stress(int rounds) {
#if LEASH_RACE || LEASH_ASAN
  return rounds / 4;
#else
  return rounds;
#endif
}

}  // namespace leash::testing

#endif  // LEASH_TESTS_SUPPORT_STRESS_H_
