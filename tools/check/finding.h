// What the checks found: as `leash check` reads it from clang-tidy, and as its writers print it.

#ifndef LEASH_TOOLS_CHECK_FINDING_H_
#define LEASH_TOOLS_CHECK_FINDING_H_

#include <cstddef>
#include <string>
#include <vector>

namespace leash::tools {

struct Place {
  std::string file;  // absolute, links resolved
  int line = 0;      // from 1
  int column = 0;    // from 1, in bytes
};

struct Replacement {
  std::string file;
  size_t offset_bytes = 0;
  size_t length_bytes = 0;
  std::string text;
};

struct Note {
  Place place;
  std::string message;
};

struct Finding {
  std::string check;  // "leash-add-inside-goroutine"
  std::string message;
  Place place;
  std::vector<Note> notes;
  std::vector<Replacement> fix;
};

// Sorted by place; of those of the same check at the same place the first only: a header is seen
// through many files, and a link to it is the same header.
std::vector<Finding> Deduplicate(std::vector<Finding> findings);

}  // namespace leash::tools

#endif  // LEASH_TOOLS_CHECK_FINDING_H_
