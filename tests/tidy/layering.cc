// Layering: each file belongs to a part, each include leads to one, and a table of arrows joins
// them.

#include "tidy/layering.h"

#include <map>
#include <optional>
#include <set>

namespace leash::tidy {
namespace {

// The folders of runtime/src from left to right. `model` is below all of them.
constexpr std::string_view kLayers[] = {"model",   "base", "stack", "sched", "chan",   "time",
                                        "context", "sync", "net",   "debug", "explore"};

// A part of the tree, and for the runtime the layer in it.
struct Part {
  std::string name;
  int layer = -1;          // an index into kLayers
  bool is_public = false;  // under an include folder
};

int LayerOf(std::string_view folder) {
  for (size_t i = 0; i < std::size(kLayers); ++i) {
    if (kLayers[i] == folder) return static_cast<int>(i);
  }
  return -1;
}

// The layer that a public header of the runtime speaks for: chan.h is chan's. What has no folder of
// its own name is sched's (go.h) or of no layer (the umbrella, internal pieces): layer 0.
int LayerOfPublicHeader(std::string_view name) {
  if (name == "snapshot.h") return 0;
  if (name == "go.h") return LayerOf("sched");
  if (name == "leash.h") return static_cast<int>(std::size(kLayers)) - 1;
  const int layer = LayerOf(name.substr(0, name.find('.')));
  return layer < 0 ? 0 : layer;
}

std::string_view FirstFolder(std::string_view path) { return path.substr(0, path.find('/')); }

Part PartOf(std::string_view path) {
  constexpr std::string_view kRuntimeSource = "runtime/src/";
  constexpr std::string_view kRuntimePublic = "runtime/include/leash/";
  if (StartsWith(path, kRuntimeSource)) {
    const int layer = LayerOf(FirstFolder(path.substr(kRuntimeSource.size())));
    return {layer == 0 ? "model" : "runtime", layer, false};
  }
  if (StartsWith(path, kRuntimePublic)) {
    const int layer = LayerOfPublicHeader(path.substr(kRuntimePublic.size()));
    const bool model = EndsWith(path, "/snapshot.h");
    return {model ? "model" : "runtime", layer, true};
  }
  if (StartsWith(path, "docs/")) return {"examples", -1, false};
  const std::string part(FirstFolder(path));
  return {part, -1, path.find("/include/") != path.npos};
}

// Whether `from` may include `to`; both are parts of leash.
bool IsAllowed(const Part& from, const Part& to) {
  static const std::map<std::string, std::set<std::string>> arrows = {
      {"model", {"model"}},
      {"runtime", {"model", "runtime"}},
      {"analyzer", {"model", "analyzer"}},
      {"integration", {"model", "runtime", "analyzer", "integration"}},
      {"tools", {"model", "analyzer", "tools"}},
      {"clang-plugin", {"clang-plugin"}},
      {"examples", {"model", "runtime", "integration", "analyzer", "examples"}},
      {"tests", {"model", "runtime", "integration", "analyzer", "tools", "tests", "clang-plugin"}},
  };
  const auto it = arrows.find(from.name);
  if (it == arrows.end() || it->second.count(to.name) == 0) return false;
  if (from.is_public && !to.is_public && to.name != "examples") return false;
  if (from.name == "examples" && to.name != "examples" && !to.is_public) return false;
  // Public headers may name each other in any order (a select case is made from a context); the
  // sources behind them may not.
  if (from.name == "runtime" && to.name == "runtime" && !from.is_public) {
    return to.layer <= from.layer;
  }
  return true;
}

std::string Spelled(const Part& part) {
  if (part.name == "runtime" && !part.is_public && part.layer > 0) {
    return "runtime/" + std::string(kLayers[part.layer]);
  }
  return part.name;
}

// The file that `include` leads to, if it is one of leash's: quoted from the folder of the
// includer, from its part's source root, or from the public folders.
std::optional<std::string> Resolve(std::string_view includer, std::string_view include,
                                   const std::set<std::string>& paths) {
  const std::string name(include);
  std::vector<std::string> candidates = {
      std::string(includer.substr(0, includer.rfind('/') + 1)) + name,
      "runtime/include/" + name,
      "analyzer/include/" + name,
      "integration/include/" + name,
      "runtime/src/" + name,
      "analyzer/src/" + name,
      "integration/" + name,
      "tools/" + name,
      "clang-plugin/" + name,
      "tests/" + name,
      "tests/support/" + name,
      name};
  for (const std::string& candidate : candidates) {
    if (paths.count(candidate) != 0) return candidate;
  }
  return std::nullopt;
}

// The name in an #include line, or nothing.
std::optional<std::string_view> IncludeIn(std::string_view line) {
  if (!StartsWith(line, "#include ")) return std::nullopt;
  const size_t begin = line.find_first_of("<\"");
  if (begin == line.npos) return std::nullopt;
  const size_t end = line.find_first_of(">\"", begin + 1);
  if (end == line.npos) return std::nullopt;
  return line.substr(begin + 1, end - begin - 1);
}

}  // namespace

Findings LayeringFindings(const std::vector<SourceFile>& files) {
  std::set<std::string> paths;
  for (const SourceFile& file : files) paths.insert(file.path);
  Findings findings;
  for (const SourceFile& file : files) {
    const Part from = PartOf(file.path);
    const std::vector<std::string_view> lines = Lines(file.text);
    for (size_t i = 0; i < lines.size(); ++i) {
      const std::optional<std::string_view> include = IncludeIn(lines[i]);
      if (!include) continue;
      const std::optional<std::string> target = Resolve(file.path, *include, paths);
      if (!target) {
        if (StartsWith(*include, "leash/") && from.name != "tests") {
          findings.push_back(Place(file, i) + ": includes " + std::string(*include) +
                             ", which does not exist");
        }
        continue;
      }
      const Part to = PartOf(*target);
      if (!IsAllowed(from, to)) {
        findings.push_back(Place(file, i) + ": " + Spelled(from) + " includes " + Spelled(to) +
                           (to.is_public ? "" : " (not public)") + ": " + *target);
      }
    }
  }
  return findings;
}

}  // namespace leash::tidy
