// A folder of our own that goes when its owner does.

#ifndef LEASH_TOOLS_CHECK_TEMP_DIR_H_
#define LEASH_TOOLS_CHECK_TEMP_DIR_H_

#include <stdlib.h>

#include <filesystem>
#include <string>
#include <system_error>

namespace leash::tools {

class TempDir {
 public:
  TempDir() {
    std::error_code ignored;
    std::string pattern =
        (std::filesystem::temp_directory_path(ignored) / "leash-check-XXXXXX").string();
    if (mkdtemp(pattern.data()) != nullptr) path_ = pattern;
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }

  // Empty: it could not be made.
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace leash::tools

#endif  // LEASH_TOOLS_CHECK_TEMP_DIR_H_
