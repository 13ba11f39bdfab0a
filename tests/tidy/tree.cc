// Reads the tree from the folder that this program was built from.

#include "tidy/tree.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace leash::tidy {
namespace {

namespace fs = std::filesystem;

// What is the project's own. Anything else in a checkout (builds, a person's notes) is not judged.
constexpr std::string_view kTops[] = {"runtime",      "analyzer", "integration", "tools",
                                      "clang-plugin", "tests",    "docs",        ".ci"};

bool IsLeftOut(const fs::path& folder) {
  const std::string name = folder.filename().string();
  return name == "build" || name == "testdata" || name == "corpus";
}

bool HasEnding(const std::string& name, const std::vector<std::string_view>& endings) {
  return std::any_of(endings.begin(), endings.end(),
                     [&](std::string_view e) { return EndsWith(name, e); });
}

SourceFile ReadFile(const fs::path& root, const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return {fs::relative(path, root).generic_string(), std::move(text).str()};
}

}  // namespace

std::vector<SourceFile> ReadTree(const std::vector<std::string_view>& endings) {
  const fs::path root = LEASH_SOURCE_DIR;
  std::vector<SourceFile> files;
  for (const fs::directory_entry& entry : fs::directory_iterator(root)) {
    if (entry.is_regular_file() && HasEnding(entry.path().filename().string(), endings)) {
      files.push_back(ReadFile(root, entry.path()));
    }
  }
  for (std::string_view top : kTops) {
    if (!fs::is_directory(root / top)) continue;
    fs::recursive_directory_iterator it(root / top), end;
    for (; it != end; ++it) {
      if (it->is_directory() && IsLeftOut(it->path())) {
        it.disable_recursion_pending();
      } else if (it->is_regular_file() && HasEnding(it->path().filename().string(), endings)) {
        files.push_back(ReadFile(root, it->path()));
      }
    }
  }
  std::sort(files.begin(), files.end(),
            [](const SourceFile& a, const SourceFile& b) { return a.path < b.path; });
  return files;
}

std::vector<std::string_view> Lines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    lines.push_back(text.substr(0, end));
    if (end == text.npos) break;
    text.remove_prefix(end + 1);
  }
  return lines;
}

std::string Place(const SourceFile& file, size_t line_index) {
  return file.path + ":" + std::to_string(line_index + 1);
}

bool StartsWith(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

bool EndsWith(std::string_view text, std::string_view suffix) {
  return text.size() >= suffix.size() && text.substr(text.size() - suffix.size()) == suffix;
}

std::string Join(const Findings& findings) {
  std::string all;
  for (const std::string& finding : findings) all += finding + "\n";
  return all;
}

}  // namespace leash::tidy
