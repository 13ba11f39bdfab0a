// Fences become C++: each example has a namespace of its own and #line says where it stands, so
// that the compiler speaks of the page.

#include "tidy/markdown.h"

#include <cctype>
#include <filesystem>
#include <regex>
#include <set>

namespace leash::tidy {
namespace {

namespace fs = std::filesystem;

// What an example may use without saying so: the public interface, GoogleTest and the usual.
constexpr std::string_view kPrelude = R"(
#include <gtest/gtest.h>

#include <functional>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "leash/debug.h"
#include "leash/leash.h"
#include "leash/verify.h"
)";

std::string Identifier(std::string_view text) {
  std::string id;
  for (char c : text) id += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
  return id;
}

bool IsExample(const Fence& fence) {
  return fence.language == "cpp" && (fence.info.empty() || fence.info == "run");
}

std::string ValueOf(const Fence& fence, std::string_view key) {
  const std::string prefix = std::string(key) + "=";
  return StartsWith(fence.info, prefix) ? fence.info.substr(prefix.size()) : "";
}

// The lines with an #include, and the rest with these lines left empty.
std::pair<std::string, std::string> SplitIncludes(std::string_view code) {
  std::string includes, rest;
  for (std::string_view line : Lines(code)) {
    if (StartsWith(line, "#include")) {
      includes += std::string(line) + "\n";
      rest += "\n";
    } else {
      rest += std::string(line) + "\n";
    }
  }
  return {includes, rest};
}

// A relative link, and the path from the root of the tree that it leads to.
struct Link {
  size_t line_index;
  std::string text;
  std::string path;
};

std::vector<Link> LinksIn(const SourceFile& page) {
  static const std::regex pattern("\\]\\(([^)#: ]+)(#[^)]*)?\\)");
  const fs::path folder = fs::path(page.path).parent_path();
  std::vector<Link> links;
  const std::vector<std::string_view> lines = Lines(page.text);
  for (size_t i = 0; i < lines.size(); ++i) {
    const std::string line(lines[i]);
    for (std::sregex_iterator it(line.begin(), line.end(), pattern), end; it != end; ++it) {
      links.push_back({i, it->str(1), (folder / it->str(1)).lexically_normal().generic_string()});
    }
  }
  return links;
}

}  // namespace

std::vector<Fence> FencesIn(std::string_view markdown) {
  std::vector<Fence> fences;
  bool inside = false;
  size_t number = 0;
  for (std::string_view line : Lines(markdown)) {
    ++number;
    if (!StartsWith(line, "```")) {
      if (inside) fences.back().code += std::string(line) + "\n";
      continue;
    }
    inside = !inside;
    if (!inside) continue;
    line.remove_prefix(3);
    const size_t space = line.find(' ');
    Fence fence;
    fence.line = number + 1;
    fence.language = line.substr(0, space);
    if (space != line.npos) fence.info = line.substr(space + 1);
    fences.push_back(std::move(fence));
  }
  return fences;
}

Findings PageFindings(const SourceFile& page) {
  Findings findings;
  for (const Link& link : LinksIn(page)) {
    if (!fs::exists(fs::path(LEASH_SOURCE_DIR) / link.path)) {
      findings.push_back(Place(page, link.line_index) + ": link to " + link.text +
                         ", which does not exist");
    }
  }
  for (const Fence& fence : FencesIn(page.text)) {
    if (fence.language != "cpp") continue;
    if (!IsExample(fence) && fence.info != "fragment" && ValueOf(fence, "program").empty()) {
      findings.push_back(Place(page, fence.line - 2) +
                         ": want cpp, cpp run, cpp program=NAME.cc or " +
                         "cpp fragment, have cpp " + fence.info);
    }
  }
  return findings;
}

Findings UnlinkedPageFindings(const std::vector<SourceFile>& pages) {
  std::set<std::string> linked;
  for (const SourceFile& page : pages) {
    for (const Link& link : LinksIn(page)) linked.insert(link.path);
  }
  Findings findings;
  for (const SourceFile& page : pages) {
    if (StartsWith(page.path, "docs/") && linked.count(page.path) == 0) {
      findings.push_back(page.path + ": no page links to it");
    }
  }
  return findings;
}

std::string ExamplesOf(const SourceFile& page) {
  std::string includes(kPrelude), body;
  for (const Fence& fence : FencesIn(page.text)) {
    if (!IsExample(fence)) continue;
    const auto [own_includes, code] = SplitIncludes(fence.code);
    includes += own_includes;
    const std::string line = std::to_string(fence.line);
    body += "namespace line_" + line + " {\n";
    if (fence.info == "run") body += "TEST(" + Identifier(page.path) + ", Line" + line + ") {\n";
    body += "#line " + line + " \"" + page.path + "\"\n" + code;
    if (fence.info == "run") body += "}\n";
    body += "}  // namespace line_" + line + "\n";
  }
  return "// Made from " + page.path + ".\n" + includes + "namespace {\nnamespace " +
         Identifier(page.path) + " {\n" + body + "}\n}\n";
}

std::string ProgramOf(const SourceFile& page, std::string_view name) {
  for (const Fence& fence : FencesIn(page.text)) {
    if (fence.language == "cpp" && ValueOf(fence, "program") == name) return fence.code;
  }
  return "";
}

std::string OutputOf(const SourceFile& page, std::string_view name) {
  for (const Fence& fence : FencesIn(page.text)) {
    if (ValueOf(fence, "output") == name) return fence.code;
  }
  return "";
}

}  // namespace leash::tidy
