// Knobs are found by their spelling: code reads each by a whole string literal, so a search finds
// it.

#include "tidy/knobs.h"

#include <regex>

namespace leash::tidy {
namespace {

void AddMatches(const SourceFile& file, const std::regex& pattern, const std::string& prefix,
                Knobs* knobs) {
  const std::vector<std::string_view> lines = Lines(file.text);
  for (size_t i = 0; i < lines.size(); ++i) {
    const std::string line(lines[i]);
    for (std::sregex_iterator it(line.begin(), line.end(), pattern), end; it != end; ++it) {
      knobs->emplace(prefix + it->str(1), Place(file, i));
    }
  }
}

}  // namespace

Knobs KnobsIn(const std::vector<SourceFile>& files) {
  static const std::regex literal("\"(LEASH_[A-Z][A-Z0-9_]*)\"");
  static const std::regex key("\\bkey == \"([a-z]+)\"");
  static const std::regex option(
      "^ *(?:option\\(|set\\()(LEASH_[A-Z_]+) (?:\".*\" (?:ON|OFF|CACHE)|"
      "\"[^\"]*\"|.* CACHE)");
  Knobs knobs;
  for (const SourceFile& file : files) {
    if (EndsWith(file.path, ".cmake") || EndsWith(file.path, "CMakeLists.txt")) {
      AddMatches(file, option, "", &knobs);
      continue;
    }
    AddMatches(file, literal, "", &knobs);
    if (file.text.find("\"LEASH_DEBUG\"") != std::string::npos) {
      AddMatches(file, key, "LEASH_DEBUG=", &knobs);
    }
  }
  return knobs;
}

Knobs KnobsDocumentedIn(const SourceFile& page) {
  static const std::regex row("^\\| `(LEASH_[A-Z][A-Z0-9_]*(?:=[a-z]+)?)");
  Knobs knobs;
  AddMatches(page, row, "", &knobs);
  return knobs;
}

Findings KnobFindings(const Knobs& read, const Knobs& documented) {
  Findings findings;
  for (const auto& [name, place] : read) {
    if (documented.count(name) == 0) findings.push_back(place + ": " + name + " is not documented");
  }
  for (const auto& [name, place] : documented) {
    if (read.count(name) == 0) findings.push_back(place + ": " + name + " is read nowhere");
  }
  return findings;
}

}  // namespace leash::tidy
