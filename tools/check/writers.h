// Findings as text, as GitHub annotations and as SARIF.

#ifndef LEASH_TOOLS_CHECK_WRITERS_H_
#define LEASH_TOOLS_CHECK_WRITERS_H_

#include <string>
#include <vector>

#include "check/finding.h"

namespace leash::tools {

struct WriteContext {
  std::string directory;  // places below it are printed relative to it
  std::string root;       // the same for SARIF, whose readers know the project only
  bool colour = false;
  bool complete = true;  // every file has been checked
};

// As a compiler says it: "file:line:col: warning: message [check]", its notes, and where to read
// on.
std::string ToText(const std::vector<Finding>& findings, const WriteContext& context);

// Workflow commands of GitHub Actions: "::warning file=...,line=...,col=...,title=...::message".
std::string ToGitHub(const std::vector<Finding>& findings, const WriteContext& context);

// SARIF 2.1.0, one run, with the checks' pages as help of its rules, notes as related locations,
// and fixes.
std::string ToSarif(const std::vector<Finding>& findings, const WriteContext& context);

// `path` below `directory`, or as it is.
std::string RelativeTo(const std::string& directory, const std::string& path);

}  // namespace leash::tools

#endif  // LEASH_TOOLS_CHECK_WRITERS_H_
