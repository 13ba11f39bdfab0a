// Markdown as far as the rules need it: fenced code blocks and links.

#ifndef LEASH_TESTS_TIDY_MARKDOWN_H_
#define LEASH_TESTS_TIDY_MARKDOWN_H_

#include <string>
#include <string_view>
#include <vector>

#include "tidy/tree.h"

namespace leash::tidy {

// A fenced block.
//
//     ```cpp                    declarations: compiled
//     ```cpp run                statements: compiled, and run as the body of a test
//     ```cpp program=NAME.cc    a program of its own under the verifier's main: compiled and run;
//     its
//                               output holds the block ```text output=NAME.cc of the same page
//     ```cpp fragment           not compiled: half a thought
//
// Other languages are for the reader only.
struct Fence {
  size_t line = 0;  // of its first line of code, counted from 1
  std::string language;
  std::string info;  // what follows the language
  std::string code;
};

std::vector<Fence> FencesIn(std::string_view markdown);

// Relative links of a page that lead to no file of the tree, and fences that nobody knows.
Findings PageFindings(const SourceFile& page);

// Pages of docs/ that no page links to: nobody would find them.
Findings UnlinkedPageFindings(const std::vector<SourceFile>& pages);

// The translation unit that compiles all examples of a page but its programs, and runs those that
// run.
std::string ExamplesOf(const SourceFile& page);

// The block of a page with this name, as its own file; "" if there is none.
std::string ProgramOf(const SourceFile& page, std::string_view name);
std::string OutputOf(const SourceFile& page, std::string_view name);

}  // namespace leash::tidy

#endif  // LEASH_TESTS_TIDY_MARKDOWN_H_
