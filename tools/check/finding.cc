// Findings in the order in which a person reads them, each once.

#include "check/finding.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace leash::tools {

std::vector<Finding> Deduplicate(std::vector<Finding> findings) {
  const auto key = [](const Finding& f) {
    return std::tie(f.place.file, f.place.line, f.place.column, f.check);
  };
  // By message last: a full order needs no std::stable_sort, of which clang warns with
  // libstdc++ 12.
  std::sort(findings.begin(), findings.end(), [&](const Finding& a, const Finding& b) {
    return std::tuple_cat(key(a), std::tie(a.message)) <
           std::tuple_cat(key(b), std::tie(b.message));
  });
  findings.erase(std::unique(findings.begin(), findings.end(),
                             [&](const Finding& a, const Finding& b) { return key(a) == key(b); }),
                 findings.end());
  return findings;
}

}  // namespace leash::tools
