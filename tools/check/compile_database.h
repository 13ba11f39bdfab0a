// compile_commands.json: which files there are to check.

#ifndef LEASH_TOOLS_CHECK_COMPILE_DATABASE_H_
#define LEASH_TOOLS_CHECK_COMPILE_DATABASE_H_

#include <string>
#include <vector>

namespace leash::tools {

struct CompileDatabase {
  std::string directory;           // of compile_commands.json, absolute
  std::string root;                // of the project: what lies below it is the program's own
  std::vector<std::string> files;  // C++ files, absolute, links resolved, each once, in its order
};

// From `path`, a directory or the file itself; "" searches the current directory, its folder build,
// and its parents. False: `*error` is one line.
bool ReadCompileDatabase(const std::string& path, CompileDatabase* database, std::string* error);

// Absolute, with links resolved as far as the path exists.
std::string RealPath(const std::string& path);

// The whole of a file. False: it cannot be read.
bool ReadFile(const std::string& path, std::string* text);

}  // namespace leash::tools

#endif  // LEASH_TOOLS_CHECK_COMPILE_DATABASE_H_
