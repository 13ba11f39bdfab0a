// The PLT on aarch64, where linkers write no CFI for it: known by its instructions.

#include <algorithm>
#include <cstring>

#include "stack/unwind_table.h"

namespace leash::rt {

#if defined(__aarch64__)
namespace {

// adrp x16, page; ldr x17, [x16, n]; add x16, x16, n; br x17
bool IsPltEntry(const uint8_t* code) {
  uint32_t words[4];
  memcpy(words, code, sizeof(words));
  return (words[0] & 0x9f00001f) == 0x90000010 && (words[1] & 0xffc003ff) == 0xf9400211 &&
         (words[2] & 0xffc003ff) == 0x91000210 && words[3] == 0xd61f0220;
}

// stp x16, x30, [sp, #-16]! before `at`.
bool IsPushBefore(const uint8_t* code, uint32_t at) {
  uint32_t word = 0;
  if (at >= sizeof(word)) memcpy(&word, code + at - sizeof(word), sizeof(word));
  return word == 0xa9bf7bf0;
}

}  // namespace

void UnwindModuleRows::AddPlt(uint32_t start, uint32_t limit, const uint8_t* code) {
  constexpr uint32_t kEntry = 16;
  constexpr uint32_t kInstruction = 4;
  // Entries lie side by side, or have a landing pad before and a nop behind them.
  constexpr uint32_t kFarthest = 24;
  uint32_t first = 0, end = 0;
  for (size_t i = 0; i < rows_.size() && end == 0; ++i) {
    if (rows_[i].base != UnwindRow::kNone) continue;
    const uint32_t gap = std::max(rows_[i].pc, start);
    const uint32_t gap_end = i + 1 < rows_.size() ? std::min(rows_[i + 1].pc, limit) : limit;
    for (uint32_t pc = gap; pc < gap_end && gap_end - pc >= kEntry; pc += kInstruction) {
      // The first has pushed x16 and x30 before it looks like the others.
      if (!IsPltEntry(code + (pc - start)) || IsPushBefore(code, pc - start)) continue;
      if (end == 0) first = pc;
      if (end != 0 && pc - end > kFarthest - kEntry) break;
      end = pc + kEntry;
    }
  }
  if (end == 0) return;
  // They neither move sp nor call.
  UnwindRow row;
  row.pc = first;
  row.base = UnwindRow::kSp;
  Insert(row, end - first);
}
#else
void UnwindModuleRows::AddPlt(uint32_t, uint32_t, const uint8_t*) {}
#endif

}  // namespace leash::rt
