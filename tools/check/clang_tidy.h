// clang-tidy with our module: found, proved to work, and run over one file.

#ifndef LEASH_TOOLS_CHECK_CLANG_TIDY_H_
#define LEASH_TOOLS_CHECK_CLANG_TIDY_H_

#include <string>
#include <utility>
#include <vector>

#include "check/finding.h"

namespace leash::tools {

struct ClangTidy {
  std::string program;                                       // "clang-tidy-19"
  std::string module;                                        // leash-tidy-19.so
  std::string database;                                      // directory of compile_commands.json
  std::string checks;                                        // "leash-*"
  std::string header_filter;                                 // a regular expression
  std::vector<std::pair<std::string, std::string>> options;  // "leash-x.Presets", "leash;std"
};

// The module beside the program, where it is installed or in its build tree; "" if it is nowhere.
std::string FindModule();

// ClangTidy can find something: its module loads, has every check that this program has a page for,
// and each of them finds its fault in a file that has it. A checker that finds nothing because it
// did not load must not pass for a clean program. Returns one line, or "" if all is well.
std::string SelfTest(const ClangTidy& tidy);

struct FileResult {
  std::vector<Finding> findings;
  // Why the file is not checked: it does not parse, say. One line; empty if it is.
  std::string error;
};

// The warnings of a file and of the headers that it includes.
FileResult CheckFile(const ClangTidy& tidy, const std::string& file);

}  // namespace leash::tools

#endif  // LEASH_TOOLS_CHECK_CLANG_TIDY_H_
