// The files of a check follow from its header's name; the lists are compared line by line.

#include "tidy/check_files.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <regex>

namespace leash::tidy {
namespace {

// Where each check is named in a list, in the list's order; said to be out of order once.
void CompareList(const SourceFile& list, const std::regex& entry,
                 const std::vector<std::string>& names, Findings* findings) {
  std::vector<std::string> listed;
  for (std::string_view line : Lines(list.text)) {
    std::match_results<std::string_view::const_iterator> match;
    if (std::regex_search(line.begin(), line.end(), match, entry)) listed.push_back(match.str(1));
  }
  for (const std::string& name : names) {
    if (std::find(listed.begin(), listed.end(), name) == listed.end()) {
      findings->push_back(list.path + ": want a line for " + name);
    }
  }
  if (!std::is_sorted(listed.begin(), listed.end())) {
    findings->push_back(list.path + ": the checks are not in alphabetical order");
  }
}

}  // namespace

std::string CheckNameOf(std::string_view path) {
  constexpr std::string_view kFolder = "clang-plugin/checks/";
  constexpr std::string_view kEnd = "Check.h";
  if (!StartsWith(path, kFolder) || !EndsWith(path, kEnd)) return "";
  const std::string_view type =
      path.substr(kFolder.size(), path.size() - kFolder.size() - kEnd.size());
  std::string name;
  for (char c : type) {
    const auto u = static_cast<unsigned char>(c);
    if (std::isupper(u) != 0 && !name.empty()) name += '-';
    name += static_cast<char>(std::tolower(u));
  }
  return name;
}

Findings CheckFindings(const std::vector<SourceFile>& files) {
  std::map<std::string, const SourceFile*> by_path;
  for (const SourceFile& file : files) by_path.emplace(file.path, &file);
  Findings findings;
  std::vector<std::string> names;
  for (const SourceFile& file : files) {
    const std::string name = CheckNameOf(file.path);
    if (name.empty()) continue;
    names.push_back(name);
    const std::string source = file.path.substr(0, file.path.size() - 1) + "cpp";
    for (const std::string& path :
         {source, "docs/checks/" + name + ".md", "tests/clang-plugin/" + name + ".cpp"}) {
      if (by_path.count(path) == 0) findings.push_back(file.path + ": want " + path);
    }
  }
  if (names.empty()) return findings;
  const std::pair<std::string, std::regex> lists[] = {
      {"clang-plugin/LeashTidyModule.cpp", std::regex("\"leash-([a-z-]+)\"\\)")},
      {"docs/checks/index.md", std::regex("\\]\\(([a-z-]+)[.]md\\)")},
  };
  for (const auto& [path, entry] : lists) {
    const auto list = by_path.find(path);
    if (list == by_path.end()) {
      findings.push_back(path + ": does not exist");
    } else {
      CompareList(*list->second, entry, names, &findings);
    }
  }
  return findings;
}

}  // namespace leash::tidy
