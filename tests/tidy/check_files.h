// A static check is four files and two lines: its two sources, its page, its test; a line in
// LeashTidyModule.cpp and one in docs/checks/index.md, both in alphabetical order.

#ifndef LEASH_TESTS_TIDY_CHECK_FILES_H_
#define LEASH_TESTS_TIDY_CHECK_FILES_H_

#include <string>
#include <string_view>
#include <vector>

#include "tidy/tree.h"

namespace leash::tidy {

// "add-inside-goroutine" for "clang-plugin/checks/AddInsideGoroutineCheck.h"; "" for other files.
std::string CheckNameOf(std::string_view path);

// What is missing of each check among `files`, and lists that are out of order.
Findings CheckFindings(const std::vector<SourceFile>& files);

}  // namespace leash::tidy

#endif  // LEASH_TESTS_TIDY_CHECK_FILES_H_
