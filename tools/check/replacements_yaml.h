// What clang-tidy writes with --export-fixes: its only output that holds everything, the fixes
// among it. A reader of just that form of YAML.

#ifndef LEASH_TOOLS_CHECK_REPLACEMENTS_YAML_H_
#define LEASH_TOOLS_CHECK_REPLACEMENTS_YAML_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace leash::tools {

struct YamlReplacement {
  std::string file;
  size_t offset_bytes = 0;
  size_t length_bytes = 0;
  std::string text;
};

struct YamlMessage {
  std::string text;
  std::string file;  // as the compiler named it: relative ones count from build_directory
  size_t offset_bytes = 0;
  std::vector<YamlReplacement> fix;
};

struct YamlDiagnostic {
  std::string name;  // the check, or "clang-diagnostic-error"
  YamlMessage message;
  std::vector<YamlMessage> notes;
  std::string level;  // "Warning", "Error"
  std::string build_directory;
};

// False: `*error` says where the text is not of that form: "line 12: want ...".
bool ParseReplacements(std::string_view yaml, std::vector<YamlDiagnostic>* diagnostics,
                       std::string* error);

}  // namespace leash::tools

#endif  // LEASH_TOOLS_CHECK_REPLACEMENTS_YAML_H_
