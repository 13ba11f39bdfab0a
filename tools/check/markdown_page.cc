// As much Markdown as our own pages use.

#include "check/markdown_page.h"

#include <regex>
#include <sstream>

namespace leash::tools {
namespace {

bool StartsWith(const std::string& text, const std::string& prefix) {
  return text.compare(0, prefix.size(), prefix) == 0;
}

std::string WithoutLinks(const std::string& line) {
  static const std::regex kLink(R"(\[([^\]]*)\]\([^)]*\))");
  return std::regex_replace(line, kLink, "$1");
}

std::string WithoutBackticks(std::string text) {
  std::string out;
  for (char c : text) {
    if (c != '`') out += c;
  }
  return out;
}

}  // namespace

std::string PageSummary(const std::string& markdown) {
  std::istringstream lines(markdown);
  std::string summary;
  for (std::string line; std::getline(lines, line);) {
    if (StartsWith(line, "#")) continue;
    if (line.empty()) {
      if (summary.empty()) continue;
      break;
    }
    summary += (summary.empty() ? "" : " ") + WithoutLinks(line);
  }
  return summary;
}

std::string RenderPage(const std::string& markdown) {
  std::istringstream lines(markdown);
  std::string out;
  bool in_code = false;
  for (std::string line; std::getline(lines, line);) {
    if (StartsWith(line, "```")) {
      in_code = !in_code;
      continue;
    }
    if (in_code) {
      out += line.empty() ? "\n" : "    " + line + "\n";
    } else if (StartsWith(line, "#")) {
      out += WithoutBackticks(line.substr(line.find_first_not_of("# "))) + "\n";
    } else {
      out += WithoutLinks(line) + "\n";
    }
  }
  return out;
}

std::vector<Section> PageSections(const std::string& markdown) {
  std::istringstream lines(markdown);
  std::vector<Section> sections;
  bool in_code = false;
  for (std::string line; std::getline(lines, line);) {
    if (StartsWith(line, "```")) in_code = !in_code;
    if (!in_code && StartsWith(line, "## ")) {
      sections.push_back({WithoutBackticks(line.substr(3)), ""});
    } else if (!sections.empty()) {
      sections.back().body += line + "\n";
    }
  }
  return sections;
}

}  // namespace leash::tools
