// The rows that Unwind reads: .eh_frame of every loaded module, run once and flattened.
//
// .eh_frame is a program per function that says, for each of its instructions, how to find the
// caller's registers. Running it costs 600 ns a frame; what it can say for real code fits in 16
// bytes (36 on aarch64), so all programs are run once, when a module is first seen, and their
// results stored sorted by pc. This is the idea of Linux's ORC unwinder.
//
// A table never changes. When modules were loaded or unloaded, a new one is made that shares the
// rows of the modules that stayed; the old one is kept, because a reader may hold it: there are as
// many as there were changes between two dumps, and each is small.

#ifndef LEASH_STACK_UNWIND_TABLE_H_
#define LEASH_STACK_UNWIND_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "stack/unwind.h"

namespace leash::rt {

// How to find the caller's frame from one range of pcs.
struct UnwindRow {
  enum Base : uint8_t {
    kNone,       // no function here, or its CFI is beyond what a row can say
    kOutermost,  // the return address is undefined: no caller
    kSp,         // CFA = sp + offset
    kR10,        // CFA = r10 + offset (x86-64)
    kDerefFp,    // CFA = *(fp + offset): a realigned stack
    kPlt,        // CFA = sp + 8, and 8 more from (offset & 15) in each 16 bytes on
    kSignal,     // sp is at the kernel's signal frame: all registers are in its ucontext
    kSaved,      // CFA = saved[base - kSaved] + offset
  };
#if defined(__x86_64__)
  using Slot = int8_t;
  using Mask = uint8_t;
#else
  using Slot = int16_t;  // gcc keeps them at the bottom of the frame, far from the CFA
  using Mask = uint16_t;
#endif
  // The mask's highest bit: the function was interrupted by a signal, so its pc is exact.
  static constexpr Mask kInterrupted = static_cast<Mask>(1u << (8 * sizeof(Mask) - 1));

  uint32_t pc = 0;  // the first address, from the module's base
  int32_t offset = 0;
  uint8_t base = kNone;
  Mask from_fp = 0;  // bit i: slots[i] counts from fp, else from the CFA
  // Where the caller's saved[i] lies, in words. 0 from the CFA: it is unchanged.
  Slot slots[UnwindRegs::kSavedCount] = {};
};
#if defined(__x86_64__)
static_assert(sizeof(UnwindRow) == 16);
#endif

// The rows of one module. Shared by the tables that know it.
class UnwindModuleRows {
 public:
  // Runs the programs of `eh_frame`, whose bytes lie here at `data` and in the target at `address`;
  // `base` is the module's. What it cannot read or say gets no rows.
  UnwindModuleRows(const uint8_t* data, size_t size, uint64_t address, uint64_t base);

  // The row of this address from the base; null if there is none.
  const UnwindRow* Find(uint32_t pc) const;

  size_t row_count() const { return rows_.size(); }
  size_t function_count() const { return functions_; }
  size_t refused_count() const { return refused_; }  // functions with at least one row of kNone
  // Says that code which has no CFI returns from signal handlers.
  void AddSignalTrampoline(uint32_t pc, uint32_t bytes);
  // Looks for the PLT in what has no CFI between `start` and `limit`, whose bytes lie at `code`:
  // linkers for aarch64 write none for it. Other processors: nothing.
  void AddPlt(uint32_t start, uint32_t limit, const uint8_t* code);

 private:
  void IndexBlocks();
  void Insert(UnwindRow row, uint32_t bytes);

  std::vector<UnwindRow> rows_;   // by pc; a gap is a row of kNone
  std::vector<uint32_t> blocks_;  // [b]: how many rows begin before pc = b << block_shift_
  int block_shift_ = 0;           // 256 bytes, more where rows are far apart
  size_t functions_ = 0, refused_ = 0;
};

class UnwindTable {
 public:
  struct Module {
    uint64_t start = 0, limit = 0;  // of its code
    uint64_t base = 0;              // what is added to the addresses in its file
    uint64_t file_offset = 0;       // of `start`
    std::string path;               // as the loader knows it; the program's own is /proc/self/exe
    std::string build_id;           // its bytes
    std::shared_ptr<const UnwindModuleRows> rows;
  };

  explicit UnwindTable(std::vector<Module> modules);  // any order

  // The module of this pc; null if there is none. Async-signal-safe, as are the others.
  const Module* FindModule(uint64_t pc) const;
  const UnwindRow* Find(uint64_t pc) const;
  const std::vector<Module>& modules() const { return modules_; }

  // How often the loader had added and removed modules when it was made.
  uint64_t adds = 0, removals = 0;
  const UnwindTable* older = nullptr;  // the one that it replaced

 private:
  std::vector<Module> modules_;  // by start
};

// CurrentUnwindTable()
//
// The table of what is loaded now; made if that has changed since the last call. Never null. Takes
// the loader's lock and may allocate: not for signal handlers.
const UnwindTable* CurrentUnwindTable();

// LatestUnwindTable()
//
// The last table made; null before the first CurrentUnwindTable(). Async-signal-safe.
const UnwindTable* LatestUnwindTable();

}  // namespace leash::rt

#endif  // LEASH_STACK_UNWIND_TABLE_H_
