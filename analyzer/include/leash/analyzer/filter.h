// Filters: which goroutines are meant.
//
//     reason:"chan *" wait>10s !created_by:http*
//
// Terms are separated by spaces or commas and must all hold; '!' turns one around. A term is a key,
// a colon and a glob ('*' any text, '?' any character) that must match the whole of what it looks
// at; quote a glob that holds spaces or commas. docs/reference/dump.md lists the keys.

#ifndef LEASH_ANALYZER_FILTER_H_
#define LEASH_ANALYZER_FILTER_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "leash/snapshot.h"

namespace leash {

// Whether `glob` matches all of `text`. Linear in the product of their lengths at worst.
bool GlobMatch(std::string_view glob, std::string_view text);

// Whether `glob` matches a function as reports show it: with its parameters or without them.
bool GlobMatchFunction(std::string_view glob, std::string_view function);

// Whether `glob` matches a place: a function, its file's name ("cache.cc"), or "cache.cc:12".
bool GlobMatchPlace(std::string_view glob, std::string_view function, std::string_view file,
                    int32_t line);

class Filter {
 public:
  // Errors point at the column: `column 8: want one of any, background, ..., have "fun"`.
  static absl::StatusOr<Filter> Parse(std::string_view text);

  bool Matches(const Snapshot& snapshot, const Goroutine& g) const;
  // The indices of the goroutines that match, ascending.
  std::vector<uint32_t> Select(const Snapshot& snapshot) const;

  struct Term {
    enum class Key : uint8_t {
      kAny,
      kBackground,
      kCreatedBy,
      kFunc,
      kId,
      kKind,
      kLabel,
      kReason,
      kState,
      kTest,
      kTier,
      kWaitAbove,
      kWaitBelow,
    };
    Key key;
    bool negated = false;
    std::string glob;            // of all but kId and the waits
    std::string label;           // kLabel: the label's key, a glob too
    uint64_t low = 0, high = 0;  // kId
    int64_t ns = 0;              // the waits
    bool or_equal = false;       // ">=" and "<="
  };

 private:
  std::vector<Term> terms_;
};

}  // namespace leash

#endif  // LEASH_ANALYZER_FILTER_H_
