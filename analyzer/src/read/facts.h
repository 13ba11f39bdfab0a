// The lines that begin with '#' in text 3.

#ifndef LEASH_ANALYZER_READ_FACTS_H_
#define LEASH_ANALYZER_READ_FACTS_H_

#include <cstdint>
#include <string_view>
#include <unordered_map>

#include "leash/snapshot.h"

namespace leash::internal {

// Reads the facts of one goroutine after another; objects are known again by their addresses.
class FactReader {
 public:
  explicit FactReader(Snapshot* snapshot) : s_(*snapshot) {}

  // Takes a line without its "# ". False: it is none that leash writes, and nothing has changed.
  bool Read(std::string_view line, Goroutine* g);

 private:
  bool ReadKind(std::string_view line, Goroutine* g);
  bool ReadLeak(std::string_view line, Goroutine* g);
  bool ReadWait(std::string_view line, Goroutine* g);
  bool ReadMentions(std::string_view line, Goroutine* g);
  bool ReadText(std::string_view line, StringId* text);
  bool ReadSite(std::string_view* line, SiteId* site, uint64_t* by);
  ObjectId Object(uint64_t address);

  Snapshot& s_;
  std::unordered_map<uint64_t, ObjectId> objects_;
};

}  // namespace leash::internal

#endif  // LEASH_ANALYZER_READ_FACTS_H_
