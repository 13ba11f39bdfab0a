// Files, lines and inlined calls from DWARF.
//
// A compile unit is read once, when an address in it is first asked for: its line table, and one
// walk over its DIEs that keeps the address ranges of functions and inlined calls. After that an
// answer is two binary searches, and libdw is not called any more.

#ifndef LEASH_DEBUG_SYMBOLIZE_DWARF_H_
#define LEASH_DEBUG_SYMBOLIZE_DWARF_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace leash::rt {

// One function at an address. The texts live as long as the DwarfFile.
struct DwarfFrame {
  const char* linkage_name = nullptr;  // mangled; null: of C, or left out by clang -g1
  const char* name = nullptr;          // null: not known
  const char* file = nullptr;          // of the line
  int line = 0;
  const char* declared_file = nullptr;
  int declared_line = 0;
  bool inlined = false;
};

class DwarfFile {
 public:
  // Null if the file has no debug information.
  static std::unique_ptr<DwarfFile> Open(const std::string& path);
  ~DwarfFile();

  // The functions at this address of the file, innermost first; none if it is in no compile unit.
  // The outermost may have a line and no name. `entry` is where the function starts, if known, else
  // 0.
  std::vector<DwarfFrame> Find(uint64_t address, uint64_t entry);

 private:
  struct Impl;
  explicit DwarfFile(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace leash::rt

#endif  // LEASH_DEBUG_SYMBOLIZE_DWARF_H_
