// The source tree as the rules of this folder read it: paths and texts.

#ifndef LEASH_TESTS_TIDY_TREE_H_
#define LEASH_TESTS_TIDY_TREE_H_

#include <string>
#include <string_view>
#include <vector>

namespace leash::tidy {

struct SourceFile {
  std::string path;  // from the root of the tree: "runtime/src/chan/select.cc"
  std::string text;
};

// A finding: "path:line: what is wrong, what is wanted".
using Findings = std::vector<std::string>;

// ReadTree()
//
// The files below the root whose names end with one of `endings`, sorted by path. Leaves out what
// is built or fetched, and the inputs of tests (folders `testdata` and `corpus`).
std::vector<SourceFile> ReadTree(const std::vector<std::string_view>& endings);

// One line of a file, without its end.
std::vector<std::string_view> Lines(std::string_view text);

std::string Place(const SourceFile& file, size_t line_index);

bool StartsWith(std::string_view text, std::string_view prefix);
bool EndsWith(std::string_view text, std::string_view suffix);

// All findings, one a line, for a failure's message.
std::string Join(const Findings& findings);

}  // namespace leash::tidy

#endif  // LEASH_TESTS_TIDY_TREE_H_
