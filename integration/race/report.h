// A race report as values, and its text in Go's form.

#ifndef LEASH_INTEGRATION_RACE_REPORT_H_
#define LEASH_INTEGRATION_RACE_REPORT_H_

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "leash/internal/race_seam.h"

namespace leash::race {

using Pcs = std::vector<uint64_t>;  // return addresses, innermost first

struct Access {
  bool write = false;
  uint64_t address = 0;
  int thread = 0;  // a Participant's id
  Pcs pcs;
};

// A goroutine or a thread. Id 0 is the main thread.
struct Participant {
  int id = 0;
  uint64_t os_id = 0;
  bool running = false;
  std::string name;  // "goroutine 7", or a thread's
  Pcs created;
};

struct Report {
  std::string kind;              // ThreadSanitizer's word: "data-race"
  std::vector<Access> accesses;  // the present one, then earlier ones
  std::vector<Pcs> stacks;       // of what has no accesses: the misuse of a mutex
  std::vector<Participant> participants;
};

using Describe = std::function<std::vector<internal::RaceFrame>(uint64_t pc)>;

// ReportText()
//
// Between its fences. Frames of leash::rt and leash::internal are left out of a stack that has
// others, and of where something was created also what stands in leash's public headers. Where both
// accesses are leash's own, a line says which misuse that is.
std::string ReportText(const Report& report, const Describe& describe,
                       std::string_view strip_path_prefix);

}  // namespace leash::race

#endif  // LEASH_INTEGRATION_RACE_REPORT_H_
