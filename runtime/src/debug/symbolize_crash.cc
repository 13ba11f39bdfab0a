// Names in a crash report: nothing here allocates or takes a lock.
//
// The name is absl::Symbolize's, which is made for signal handlers; the offset comes from the
// symbols of the module's file, mapped for the occasion. Modules are those of the last unwind
// table.

#include <algorithm>
#include <cstring>

#include "absl/debugging/symbolize.h"
#include "debug/symbolize.h"
#include "debug/symbolize_elf.h"
#include "stack/unwind_table.h"

namespace leash::rt {
namespace {

// Appends to a buffer, and keeps a 0 at its end.
class Text {
 public:
  Text(char* buffer, size_t size) : at_(buffer), left_(size) {
    if (size > 0) *buffer = '\0';
  }
  void Append(const char* text, size_t length) {
    if (left_ == 0) return;
    length = std::min(length, left_ - 1);
    memcpy(at_, text, length);
    at_ += length;
    left_ -= length;
    *at_ = '\0';
  }
  void Append(const char* text) { Append(text, strlen(text)); }
  void AppendHex(uint64_t value) {
    char digits[16];
    size_t n = 0;
    do {
      digits[n++] = "0123456789abcdef"[value & 15];
      value >>= 4;
    } while (value != 0);
    std::reverse(digits, digits + n);
    Append("0x");
    Append(digits, n);
  }

 private:
  char* at_;
  size_t left_;
};

// Where the function that covers `address` of the file begins.
bool FunctionStart(const UnwindTable::Module& m, uint64_t address, uint64_t* start) {
  ElfFile file;
  if (!file.Open(m.path.c_str())) return false;
  bool found = false;
  file.ForEachFunction([&](const Elf64_Sym& symbol, const char*) {
    if (address - symbol.st_value >= symbol.st_size) return;  // also if it lies before
    *start = found ? std::max<uint64_t>(*start, symbol.st_value) : symbol.st_value;
    found = true;
  });
  return found;
}

}  // namespace

void SymbolizeForCrash(uint64_t pc, char* buffer, size_t size) {
  Text text(buffer, size);
  const UnwindTable* table = LatestUnwindTable();
  const UnwindTable::Module* m = table == nullptr ? nullptr : table->FindModule(pc);
  char name[512];
  if (absl::Symbolize(reinterpret_cast<const void*>(pc), name, sizeof(name))) {
    text.Append(name);
    uint64_t start = 0;
    if (m != nullptr && FunctionStart(*m, pc - m->base, &start)) {
      text.Append("+");
      text.AppendHex(pc - m->base - start);
    }
    return;
  }
  if (m == nullptr) {
    text.AppendHex(pc);
    return;
  }
  const char* slash = strrchr(m->path.c_str(), '/');
  text.Append(slash == nullptr ? m->path.c_str() : slash + 1);
  text.Append("+");
  text.AppendHex(pc - m->base);
}

}  // namespace leash::rt
