// Symbols of this process: what function, file and line a program counter stands for.
//
// Names come from each module's .symtab or .dynsym, sorted once; files, lines and inlined calls
// from DWARF by elfutils' libdw, also from a separate debug file under /usr/lib/debug. A compile
// unit is read when a pc in it is first asked for: one walk over its DIEs, kept as intervals.
// (dwarf_getscopes walks them again for each pc: 3 ms every time.) Answers are kept per pc.
//
// A module without debug information costs its symbol table only, and its frames have names without
// lines. A pc that no symbol covers is named by its module: "libc.so.6+0x8b3c4".
//
// Laws: (1) What is returned is copied: nothing points into a module's files. (2) mu_ is never held
//   while a goroutine parks, and nothing of leash is called under it. (3) libdw takes up to 200 KB
//   of stack and a demangler 80 KB, more than a goroutine may have: they run on a thread's stack.

#ifndef LEASH_DEBUG_SYMBOLIZE_H_
#define LEASH_DEBUG_SYMBOLIZE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "leash/snapshot.h"

namespace leash::rt {

// As leash::Frame, with its texts.
struct SymbolFrame {
  std::string function;     // "Cache::Evict(Key)"
  std::string system_name;  // "_ZN5Cache5EvictE3Key"
  std::string file;
  int32_t line = 0;
  int32_t start_line = 0;
  bool inlined = false;  // its caller is the next frame
  bool runtime = false;  // hidden from people
};

// As leash::Location, with its texts. At least one frame.
struct SymbolLocation {
  std::vector<SymbolFrame> frames;  // innermost first
  uint64_t offset = 0;              // of the pc, from the start of the outermost function
  uint64_t module_start = 0;        // 0: the pc is in no module
};

class Symbolizer {
 public:
  // The one of this process, which all dumps share. Never destroyed.
  static Symbolizer& Get();

  Symbolizer();
  ~Symbolizer();
  Symbolizer(const Symbolizer&) = delete;
  Symbolizer& operator=(const Symbolizer&) = delete;

  // Locate(), Describe()
  //
  // What `pc` stands for. `exact`: the pc is the place, else it is a return address and the place
  // is the call before it. Thread-safe; sees what dlopen has loaded since. Allocates.
  SymbolLocation Locate(uint64_t pc, bool exact);
  std::vector<SymbolFrame> Describe(uint64_t pc, bool exact) { return Locate(pc, exact).frames; }

  // Modules()
  //
  // What is loaded now, by address, the program itself with its real path.
  std::vector<Module> Modules();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// LocationWriter
//
// Adds locations to one Snapshot, each pc once, and the loaded modules to it when it is made.
//
//     LocationWriter locations(Symbolizer::Get(), snapshot);
//     stack.locations.push_back(locations.Add(pcs[i], i == 0));
//
// For one thread. The Snapshot must outlive it and keep its modules meanwhile.
class LocationWriter {
 public:
  LocationWriter(Symbolizer& symbolizer, Snapshot& snapshot);
  LocationId Add(uint64_t pc, bool exact);

 private:
  Symbolizer& symbolizer_;
  Snapshot& snapshot_;
  std::unordered_map<uint64_t, LocationId> ids_[2];  // by exact, then pc
};

// SymbolizeForCrash()
//
// Writes "function+0x1c", or "file+0x8b3c4" or "0x7f..." if it has no name, and a 0, into `buffer`,
// cut to `size`. Async-signal-safe: allocates nothing, takes no lock. Slower than Locate, and
// without lines, template arguments and inlined calls.
void SymbolizeForCrash(uint64_t pc, char* buffer, size_t size);

}  // namespace leash::rt

#endif  // LEASH_DEBUG_SYMBOLIZE_H_
