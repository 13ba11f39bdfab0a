// The root of a project is what CMake says it is; else the repository that the database lies in.

#include "check/compile_database.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <system_error>

namespace leash::tools {
namespace {

namespace fs = std::filesystem;

constexpr char kName[] = "compile_commands.json";

std::string Find() {
  std::error_code ignored;
  for (fs::path folder = fs::current_path(ignored);; folder = folder.parent_path()) {
    for (const fs::path& candidate : {folder / kName, folder / "build" / kName}) {
      if (fs::exists(candidate, ignored)) return candidate.string();
    }
    if (folder == folder.parent_path()) return "";
  }
}

std::string RootOf(const std::string& directory) {
  std::ifstream cache(directory + "/CMakeCache.txt");
  const std::string key = "CMAKE_HOME_DIRECTORY:INTERNAL=";
  for (std::string line; std::getline(cache, line);) {
    if (line.compare(0, key.size(), key) == 0) return RealPath(line.substr(key.size()));
  }
  std::error_code ignored;
  for (fs::path folder = directory;; folder = folder.parent_path()) {
    if (fs::exists(folder / ".git", ignored)) return folder.string();
    if (folder == folder.parent_path()) return directory;
  }
}

bool IsCxx(const std::string& file) {
  static const std::set<std::string> kExtensions = {".cc",   ".cpp", ".cxx", ".c++", ".C",
                                                    ".cppm", ".ixx", ".ipp", ".mm"};
  return kExtensions.count(fs::path(file).extension().string()) != 0;
}

}  // namespace

std::string RealPath(const std::string& path) {
  std::error_code error;
  // Absolute first: of a path that does not exist, weakly_canonical leaves a relative one relative.
  const fs::path absolute = fs::absolute(path, error);
  const fs::path resolved = fs::weakly_canonical(absolute, error);
  return error ? absolute.string() : resolved.string();
}

bool ReadFile(const std::string& path, std::string* text) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return false;
  std::ostringstream all;
  all << file.rdbuf();
  *text = all.str();
  return !file.bad();
}

bool ReadCompileDatabase(const std::string& path, CompileDatabase* database, std::string* error) {
  std::string file = path;
  std::error_code ignored;
  if (path.empty()) {
    file = Find();
    if (file.empty()) {
      *error = std::string("no ") + kName +
               " here, in build or in a parent directory; give its directory with -p";
      return false;
    }
  } else if (fs::is_directory(path, ignored)) {
    file = (fs::path(path) / kName).string();
  }
  std::string text;
  if (!ReadFile(file, &text)) {
    *error = "read " + file + ": no such file";
    return false;
  }
  const nlohmann::json json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_array()) {
    *error = "read " + file + ": want a list of compile commands";
    return false;
  }
  database->directory = fs::path(RealPath(file)).parent_path().string();
  database->root = RootOf(database->directory);
  std::set<std::string> seen;
  for (const nlohmann::json& command : json) {
    if (!command.is_object() || !command.contains("file") || !command["file"].is_string()) {
      *error = "read " + file + ": want \"file\" in each compile command";
      return false;
    }
    fs::path source = command["file"].get<std::string>();
    if (source.is_relative() && command.contains("directory")) {
      source = command["directory"].get<std::string>() / source;
    }
    const std::string real = RealPath(source.string());
    if (IsCxx(real) && seen.insert(real).second) database->files.push_back(real);
  }
  return true;
}

}  // namespace leash::tools
