// All that is known about clang-tidy's command line and about how it fails.
//
// Traps: a module that cannot be loaded is a line on stderr, and the run goes on without it; one of
// another major loads and finds nothing; findings in headers are dropped without a filter; a
// project may have its own .clang-tidy, whose checks must not run here and whose options must.

#include "check/clang_tidy.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <system_error>

#include "check/compile_database.h"
#include "check/embedded_docs.h"
#include "check/process.h"
#include "check/replacements_yaml.h"
#include "check/temp_dir.h"

namespace leash::tools {
namespace {

namespace fs = std::filesystem;

constexpr char kModuleName[] = "leash-tidy-19.so";

// Every fault that the checks know, and the names that they know them by. No include: it has to
// compile on any machine.
constexpr char kKnownBad[] = R"(namespace leash {
template <class F> void go(F) {}
class WaitGroup {
 public:
  void Add(int);
  void Done();
  void Wait();
};
}
void KnownBad(leash::WaitGroup& wg) {
  leash::go([] {});
  leash::go([&wg] { wg.Add(1); wg.Done(); });
  wg.Wait();
}
)";

std::string FirstLine(const std::string& text) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty()) return line;
  }
  return "";
}

// The first line that says why, or the first at all.
std::string Reason(const std::string& output) {
  std::istringstream lines(output);
  for (std::string line; std::getline(lines, line);) {
    for (const char* word : {"error:", "rror ", "leash-tidy:", "cannot open"}) {
      if (line.find(word) != std::string::npos) return line;
    }
  }
  return FirstLine(output);
}

// In single quotes, as YAML wants them.
std::string Quoted(const std::string& text) {
  std::string out = "'";
  for (char c : text) {
    if (c == '\'') out += c;
    out += c;
  }
  return out + "'";
}

std::vector<std::string> Arguments(const ClangTidy& tidy, const std::string& checks) {
  std::vector<std::string> args = {tidy.program, "--load=" + tidy.module, "--checks=-*," + checks,
                                   "--quiet", "--extra-arg=-Wno-unknown-warning-option"};
  if (!tidy.header_filter.empty()) args.push_back("--header-filter=" + tidy.header_filter);
  if (!tidy.options.empty()) {
    std::string config = "{InheritParentConfig: true, CheckOptions: {";
    for (size_t i = 0; i < tidy.options.size(); ++i) {
      config +=
          (i == 0 ? "" : ", ") + tidy.options[i].first + ": " + Quoted(tidy.options[i].second);
    }
    args.push_back("--config=" + config + "}}");
  }
  return args;
}

// Lines and columns of offsets, each file read once.
class PlaceFinder {
 public:
  explicit PlaceFinder(std::string directory) : directory_(std::move(directory)) {}

  Place Find(const std::string& file, size_t offset_bytes) {
    Place place;
    place.file = Absolute(file);
    const std::string& text = Text(place.file);
    const size_t end = std::min(offset_bytes, text.size());
    place.line = 1 + static_cast<int>(std::count(text.begin(), text.begin() + end, '\n'));
    const size_t newline = end == 0 ? std::string::npos : text.rfind('\n', end - 1);
    const size_t begin = newline == std::string::npos ? 0 : newline + 1;
    place.column = static_cast<int>(end - begin) + 1;
    return place;
  }

  std::string Absolute(const std::string& file) const {
    return RealPath(fs::path(file).is_relative() ? (fs::path(directory_) / file).string() : file);
  }

 private:
  const std::string& Text(const std::string& file) {
    const auto [entry, is_new] = texts_.try_emplace(file);
    if (is_new) ReadFile(file, &entry->second);
    return entry->second;
  }

  const std::string directory_;
  std::map<std::string, std::string> texts_;
};

Finding ToFinding(const YamlDiagnostic& diagnostic) {
  PlaceFinder places(diagnostic.build_directory);
  Finding finding;
  finding.check = diagnostic.name;
  finding.message = diagnostic.message.text;
  finding.place = places.Find(diagnostic.message.file, diagnostic.message.offset_bytes);
  for (const YamlMessage& note : diagnostic.notes) {
    // Of a note in a macro or of the command line there is no place.
    if (note.file.empty()) continue;
    finding.notes.push_back({places.Find(note.file, note.offset_bytes), note.text});
  }
  for (const YamlReplacement& r : diagnostic.message.fix) {
    finding.fix.push_back({places.Absolute(r.file), r.offset_bytes, r.length_bytes, r.text});
  }
  return finding;
}

std::string Where(const YamlDiagnostic& diagnostic) {
  if (diagnostic.message.file.empty()) return diagnostic.message.text;
  const Place place = PlaceFinder(diagnostic.build_directory)
                          .Find(diagnostic.message.file, diagnostic.message.offset_bytes);
  return place.file + ":" + std::to_string(place.line) + ":" + std::to_string(place.column) + ": " +
         diagnostic.message.text;
}

// Runs clang-tidy over one file and sorts what it says into findings and an error.
FileResult Run(std::vector<std::string> args, const std::string& file,
               const std::vector<std::string>& trailing) {
  FileResult result;
  const TempDir temp;
  if (temp.path().empty()) {
    result.error = "cannot make a temporary directory";
    return result;
  }
  const std::string yaml_file = temp.path() + "/found.yaml";
  args.push_back("--export-fixes=" + yaml_file);
  args.push_back(file);
  args.insert(args.end(), trailing.begin(), trailing.end());
  const ProcessResult process = RunProcess(args);
  std::string yaml;
  std::vector<YamlDiagnostic> diagnostics;
  // No file: nothing found, or clang-tidy got nowhere, which its status tells.
  if (ReadFile(yaml_file, &yaml)) {
    std::string error;
    if (!ParseReplacements(yaml, &diagnostics, &error)) {
      result.error = "what clang-tidy exported is not readable: " + error;
      return result;
    }
  }
  for (const YamlDiagnostic& diagnostic : diagnostics) {
    if (diagnostic.name == "clang-diagnostic-error") {
      if (result.error.empty()) result.error = "does not parse: " + Where(diagnostic);
    } else if (diagnostic.name.rfind("clang-tidy-", 0) == 0) {
      // The check's own word about its options.
      if (result.error.empty()) result.error = diagnostic.message.text;
    } else if (!diagnostic.message.file.empty()) {
      result.findings.push_back(ToFinding(diagnostic));
    }
  }
  // Findings that a .clang-tidy makes errors end it with a status as well.
  if (result.error.empty() && process.status != 0 && diagnostics.empty()) {
    const std::string reason = Reason(process.output);
    result.error = "clang-tidy ended with status " + std::to_string(process.status) +
                   (reason.empty() ? "" : ": " + reason);
  }
  return result;
}

}  // namespace

std::string FindModule() {
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  if (error) return "";
  const fs::path folder = self.parent_path();
  std::vector<fs::path> candidates = {
      folder / kModuleName,
      folder / ".." / "lib" / "leash" / kModuleName,
      // Debian's library directories have the architecture in them.
      folder / ".." / LEASH_INSTALL_LIBDIR / "leash" / kModuleName,
      folder / ".." / "clang-plugin" / kModuleName,
  };
  for (const fs::path& candidate : candidates) {
    if (fs::exists(candidate, error)) return RealPath(candidate.string());
  }
  return "";
}

std::string SelfTest(const ClangTidy& tidy) {
  if (access(tidy.module.c_str(), R_OK) != 0) {
    return "self-test: " + tidy.module + ": no such module";
  }
  ClangTidy plain = tidy;
  plain.options.clear();
  plain.header_filter.clear();
  std::vector<std::string> args = Arguments(plain, "leash-*");
  args.push_back("--list-checks");
  const ProcessResult listed = RunProcess(args);
  if (listed.status == -1) return "run " + tidy.program + ": " + listed.output;
  std::vector<std::string> names = EmbeddedCheckNames();
  for (const std::string& name : names) {
    if (listed.output.find("    leash-" + name + "\n") == std::string::npos) {
      return "self-test: " + tidy.module + " did not load into " + tidy.program + ": no leash-" +
             name + " in its list: " + Reason(listed.output);
    }
  }
  const TempDir temp;
  const std::string file = temp.path() + "/known_bad.cc";
  if (temp.path().empty() || !(std::ofstream(file) << kKnownBad)) {
    return "self-test: cannot write a file in the temporary directory";
  }
  // The options of a .clang-tidy above the temporary folder are not the program's.
  args = Arguments(plain, "leash-*");
  args.push_back("--config={}");
  const FileResult result = Run(args, file, {"--", "-std=c++20"});
  if (!result.error.empty()) return "self-test: " + result.error;
  for (const std::string& name : names) {
    const bool found = std::any_of(result.findings.begin(), result.findings.end(),
                                   [&](const Finding& f) { return f.check == "leash-" + name; });
    if (!found) {
      return "self-test: " + tidy.module + ": leash-" + name + " misses a fault that it must find";
    }
  }
  return "";
}

FileResult CheckFile(const ClangTidy& tidy, const std::string& file) {
  std::vector<std::string> args = Arguments(tidy, tidy.checks);
  args.push_back("-p=" + tidy.database);
  return Run(std::move(args), file, {});
}

}  // namespace leash::tools
