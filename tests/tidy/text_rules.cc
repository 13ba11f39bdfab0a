// Rules about texts, line by line. What is looked for is spelled in pieces, or this file would be
// found.

#include "tidy/text_rules.h"

#include <algorithm>
#include <cctype>
#include <iterator>
#include <regex>
#include <string>

namespace leash::tidy {
namespace {

// Where a part's include paths start: what is before is not in the guard.
constexpr std::string_view kRoots[] = {
    "runtime/include/",
    "analyzer/include/",
    "integration/include/",
    "runtime/src/",
};

// Functions in here that touch errno or ask for pthread_self() are noinline and do not park.
constexpr std::string_view kMayAskTheThread[] = {
    "runtime/src/base/futex.cc",        "runtime/src/base/membarrier.cc",
    "runtime/src/base/raw_print.cc",    "runtime/src/base/safe_read.cc",
    "runtime/src/debug/sample.cc",      "runtime/src/net/resolve.cc",
    "runtime/src/sched/m.cc",           "runtime/src/sched/netpoll.cc",
    "runtime/src/sched/raw_syscall.cc", "runtime/src/sched/thread_stack.cc",
};

Findings LineFindings(const std::vector<SourceFile>& files, const std::string& regex,
                      const std::string& what) {
  const std::regex pattern(regex);
  Findings findings;
  for (const SourceFile& file : files) {
    const std::vector<std::string_view> lines = Lines(file.text);
    for (size_t i = 0; i < lines.size(); ++i) {
      std::match_results<std::string_view::const_iterator> match;
      if (std::regex_search(lines[i].begin(), lines[i].end(), match, pattern)) {
        findings.push_back(Place(file, i) + ": " + what + ": " + match.str(1));
      }
    }
  }
  return findings;
}

}  // namespace

std::string GuardOf(std::string_view path) {
  std::string_view rest = path;
  for (std::string_view root : kRoots) {
    if (StartsWith(path, root)) rest = path.substr(root.size());
  }
  std::string guard = StartsWith(rest, "leash/") ? "" : "LEASH_";
  constexpr std::string_view kAnalyzer = "analyzer/src/";
  if (StartsWith(rest, kAnalyzer)) {
    guard += "ANALYZER_";
    rest.remove_prefix(kAnalyzer.size());
  }
  for (char c : rest) {
    guard += std::isalnum(static_cast<unsigned char>(c)) != 0
                 ? static_cast<char>(std::toupper(static_cast<unsigned char>(c)))
                 : '_';
  }
  return guard + "_";
}

Findings GuardFindings(const std::vector<SourceFile>& files) {
  Findings findings;
  for (const SourceFile& file : files) {
    if (!EndsWith(file.path, ".h")) continue;
    const std::string guard = GuardOf(file.path);
    const std::string opening = "\n#ifndef " + guard + "\n#define " + guard + "\n";
    const std::string closing = "\n#endif  // " + guard + "\n";
    if (("\n" + file.text).find(opening) == std::string::npos || !EndsWith(file.text, closing)) {
      findings.push_back(file.path + ": want the guard " + guard + " at both ends");
    }
  }
  return findings;
}

Findings SubjectFindings(const std::vector<SourceFile>& files) {
  Findings findings;
  for (const SourceFile& file : files) {
    // A source that opens with its own header is about what that one says, and its test is as well.
    std::string stem = file.path.substr(file.path.rfind('/') + 1);
    stem.erase(stem.rfind('.'));
    if (EndsWith(stem, "_test")) stem.erase(stem.size() - 5);
    const std::string own = "/" + stem + ".h\"\n";
    const std::string first = file.text.substr(0, file.text.find('\n') + 1);
    if (StartsWith(first, "#include \"") && EndsWith(first, own)) continue;
    if (!StartsWith(file.text, "// ") && !StartsWith(file.text, "//===")) {
      findings.push_back(file.path + ":1: want a comment that says what the file is about");
    }
  }
  return findings;
}

Findings OpenEndFindings(const std::vector<SourceFile>& files) {
  return LineFindings(files,
                      "\\b(TO"
                      "DO|FIX"
                      "ME|X"
                      "XX)\\b(?!\\(\\))",
                      "unfinished");
}

Findings MachinePathFindings(const std::vector<SourceFile>& files) {
  return LineFindings(files,
                      "(/ho"
                      "me/[a-z]|/ro"
                      "ot/|/wo"
                      "rk/|/Us"
                      "ers/[A-Za-z])",
                      "a path of one machine");
}

Findings OfOneThreadFindings(const std::vector<SourceFile>& files) {
  const std::regex not_code("\"([^\"\\\\\n]|\\\\.)*\"|//.*");
  std::vector<SourceFile> code;
  for (const SourceFile& file : files) {
    if (!StartsWith(file.path, "runtime/src/")) continue;
    if (std::find(std::begin(kMayAskTheThread), std::end(kMayAskTheThread), file.path) !=
        std::end(kMayAskTheThread)) {
      continue;
    }
    code.push_back({file.path, std::regex_replace(file.text, not_code, "")});
  }
  return LineFindings(code, "\\b(errno|pthread_self)\\b", "of one thread: see raw_syscall.h");
}

Findings LongFileFindings(const std::vector<SourceFile>& files, size_t lines_max) {
  Findings findings;
  for (const SourceFile& file : files) {
    const size_t count = Lines(file.text).size();
    if (count > lines_max) {
      findings.push_back(file.path + ": " + std::to_string(count) + " lines, want at most " +
                         std::to_string(lines_max));
    }
  }
  return findings;
}

}  // namespace leash::tidy
