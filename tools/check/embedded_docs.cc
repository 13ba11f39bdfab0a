// Names of pages; the texts themselves are in the generated file.

#include "check/embedded_docs.h"

#include "check/embedded_pages.h"

namespace leash::tools {

std::vector<std::string> EmbeddedCheckNames() {
  std::vector<std::string> names;
  for (const auto& [name, page] : EmbeddedCheckPages()) names.push_back(name);
  return names;
}

const std::string* EmbeddedCheckPage(const std::string& name) {
  const std::string prefix = "leash-";
  const std::string key =
      name.compare(0, prefix.size(), prefix) == 0 ? name.substr(prefix.size()) : name;
  const auto& pages = EmbeddedCheckPages();
  const auto found = pages.find(key);
  return found == pages.end() ? nullptr : &found->second;
}

}  // namespace leash::tools
