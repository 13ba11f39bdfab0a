// Pages of docs, read in a terminal.

#ifndef LEASH_TOOLS_CHECK_MARKDOWN_PAGE_H_
#define LEASH_TOOLS_CHECK_MARKDOWN_PAGE_H_

#include <string>
#include <vector>

namespace leash::tools {

// The sentence below the title: what the check finds.
std::string PageSummary(const std::string& markdown);

// As plain text: code is indented instead of fenced, headings have no marks, links are their text.
std::string RenderPage(const std::string& markdown);

struct Section {
  std::string title;  // without marks and backticks
  std::string body;
};

// What stands under the headings of level two.
std::vector<Section> PageSections(const std::string& markdown);

}  // namespace leash::tools

#endif  // LEASH_TOOLS_CHECK_MARKDOWN_PAGE_H_
