// One check: which goroutines are left, after those that could still end had time to.
//
//   nothing alive ------------------------------------------------> clean
//   look: snapshot, proofs, options
//     no suspect --------------------------------------------------> clean
//     all proved, or the deadline has passed ----------------------> report
//     else wait until a goroutine parks or ends, or the deadline, and look again
//
// The deadline is `max_wait` after the last progress of a suspect (it ran, stopped to run, ended),
// and ten times that after the start. Time in which the system let threads of this process wait for
// a processor is not counted: on a loaded machine a goroutine that is about to end gets its chance.

#ifndef LEASH_INTEGRATION_VERIFY_CHECK_H_
#define LEASH_INTEGRATION_VERIFY_CHECK_H_

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "leash/snapshot.h"
#include "verify/option.h"

namespace leash::verify::internal {

// What a check is about, told from a goroutine's id and the test that it belongs to ("": none).
using InScope = std::function<bool(uint64_t id, std::string_view test)>;

// What all leaked goroutines of one test have to say.
struct LeakReport {
  std::string who;   // "CacheTest.Evict"
  std::string text;  // without a newline at its end
  std::string headline;
  std::string file;  // where the first one was created
  int line = 0;
  std::vector<uint64_t> ids;
};

// Makes the check. Empty: nothing is left. Else one report for each test that left something, by
// the least id. `untagged` is what those of no test are called.
std::vector<LeakReport> Check(const InScope& in_scope, const OptionSet& options,
                              std::string_view untagged);

// The reports one after the other.
std::string JoinReports(const std::vector<LeakReport>& reports);

}  // namespace leash::verify::internal

#endif  // LEASH_INTEGRATION_VERIFY_CHECK_H_
