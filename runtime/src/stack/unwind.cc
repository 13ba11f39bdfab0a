// One step from a function to its caller, and the walks made of it.

#include "stack/unwind.h"

#define UNW_LOCAL_ONLY
#include <libunwind.h>
#include <ucontext.h>

#include <cstddef>

#include "stack/unwind_table.h"

namespace leash::rt {

struct UnwindCache {
  static constexpr int kBits = 10;
  struct Entry {
    uint64_t pc = 0;
    UnwindRow row;
  };
  const UnwindTable* table = nullptr;
  Entry entries[1 << kBits];
};

UnwindCache* NewUnwindCache() { return new UnwindCache; }
void DeleteUnwindCache(UnwindCache* cache) { delete cache; }

namespace {

// The kernel leaves a ucontext where sp points when a handler returns (on aarch64 after a siginfo).
#if defined(__x86_64__)
constexpr uint64_t kUcontextOffset = 0;
#else
constexpr uint64_t kUcontextOffset = 128;
#endif

UnwindRegs FromUcontext(const ucontext_t& u) {
  UnwindRegs regs;
#if defined(__x86_64__)
  const auto* g = u.uc_mcontext.gregs;
  const auto word = [g](int i) { return static_cast<uint64_t>(g[i]); };
  regs.pc = word(REG_RIP);
  regs.sp = word(REG_RSP);
  constexpr int kOrder[] = {REG_RBP, REG_RBX, REG_R12, REG_R13, REG_R14, REG_R15};
  for (int i = 0; i < UnwindRegs::kSavedCount; ++i) regs.saved[i] = word(kOrder[i]);
  regs.r10 = word(REG_R10);
#else
  regs.pc = u.uc_mcontext.pc;
  regs.sp = u.uc_mcontext.sp;
  regs.saved[0] = u.uc_mcontext.regs[29];
  for (int i = 1; i <= 10; ++i) regs.saved[i] = u.uc_mcontext.regs[18 + i];
  regs.saved[11] = u.uc_mcontext.regs[30];
#endif
  return regs;
}

// A return address without the signature that pointer authentication puts in its upper bits.
uint64_t StripSignature(uint64_t pc) {
#if defined(__aarch64__)
  return pc & ((uint64_t{1} << 48) - 1);
#else
  return pc;
#endif
}

class Walk {
 public:
  Walk(const UnwindTable& table, const UnwindRegs& regs, bool exact, const MemoryView& view,
       UnwindCache* cache)
      : table_(table), regs_(regs), exact_(exact), view_(view), cache_(cache) {}

  // To the caller. False if there is none; end() says why, and the walk stays where it is.
  bool Step() {
    const UnwindRow* row = Find(exact_ ? regs_.pc : regs_.pc - 1);
    if (row == nullptr || row->base == UnwindRow::kNone) return Stop(UnwindEnd::kNoRow);
    if (row->base == UnwindRow::kOutermost) return Stop(UnwindEnd::kOutermost);
    if (row->base == UnwindRow::kSignal) return StepOutOfSignal();

    uint64_t cfa = 0;
    if (!Cfa(*row, &cfa)) return Stop(UnwindEnd::kOutside);
    // A function that has just been entered, or a leaf, may not have a frame where the return
    // address is kept in a register.
    const bool may_be_empty = exact_ && UnwindRegs::kSavedCount == 12;
    if (cfa < regs_.sp || (cfa == regs_.sp && !may_be_empty)) return Stop(UnwindEnd::kNoProgress);

    UnwindRegs caller = regs_;
    caller.sp = cfa;
#if defined(__x86_64__)
    caller.r10 = 0;
    if (!view_.Read(cfa - 8, &caller.pc)) return Stop(UnwindEnd::kOutside);
#endif
    for (int i = 0; i < UnwindRegs::kSavedCount; ++i) {
      const bool from_fp = (row->from_fp >> i & 1) != 0;
      if (row->slots[i] == 0 && !from_fp) continue;
      const uint64_t origin = from_fp ? regs_.fp() : cfa;
      const auto distance = static_cast<uint64_t>(int64_t{row->slots[i]} * 8);
      if (view_.Read(origin + distance, &caller.saved[i])) continue;
      // Below sp: the epilogue has popped it already, so the register has its value, but compilers
      // do not say so. (Read where possible: a leaf may have saved it in the red zone.)
      if (origin + distance >= regs_.sp) return Stop(UnwindEnd::kOutside);
    }
#if defined(__aarch64__)
    caller.saved[11] = StripSignature(caller.saved[11]);
    caller.pc = caller.saved[11];
    if (cfa == regs_.sp && caller.pc == regs_.pc) return Stop(UnwindEnd::kNoProgress);
#endif
    if (caller.pc == 0) return Stop(UnwindEnd::kOutermost);
    exact_ = (row->from_fp & UnwindRow::kInterrupted) != 0;
    regs_ = caller;
    return true;
  }

  const UnwindRegs& regs() const { return regs_; }
  bool exact() const { return exact_; }
  UnwindEnd end() const { return end_; }

 private:
  bool Stop(UnwindEnd end) {
    end_ = end;
    return false;
  }

  const UnwindRow* Find(uint64_t pc) {
    if (cache_ == nullptr) return table_.Find(pc);
    UnwindCache::Entry& entry =
        cache_->entries[pc * 0x9e3779b97f4a7c15u >> (64 - UnwindCache::kBits)];
    if (entry.pc != pc) {
      const UnwindRow* row = table_.Find(pc);
      if (row == nullptr) return nullptr;
      entry = {pc, *row};
    }
    return &entry.row;
  }

  bool Cfa(const UnwindRow& row, uint64_t* cfa) const {
    const auto offset = static_cast<uint64_t>(int64_t{row.offset});
    switch (row.base) {
      case UnwindRow::kSp:
        *cfa = regs_.sp + offset;
        return true;
      case UnwindRow::kDerefFp:
        return view_.Read(regs_.fp() + offset, cfa);
#if defined(__x86_64__)
      case UnwindRow::kR10:
        *cfa = regs_.r10 + offset;
        return true;
      case UnwindRow::kPlt:
        *cfa = regs_.sp + ((regs_.pc & 15) >= offset ? 16 : 8);
        return true;
#endif
      default:
        *cfa = regs_.saved[row.base - UnwindRow::kSaved] + offset;
        return true;
    }
  }

  // The interrupted function may be on another stack: only the view bounds it.
  bool StepOutOfSignal() {
    ucontext_t u;
    const uint64_t at = regs_.sp + kUcontextOffset;
    constexpr size_t kBytes = offsetof(ucontext_t, uc_mcontext) + sizeof(u.uc_mcontext);
    static_assert(kBytes <= sizeof(u));
    auto* to = reinterpret_cast<char*>(&u);
    for (size_t i = 0; i + 8 <= kBytes; i += 8) {
      uint64_t word;
      if (!view_.Read(at + i, &word)) return Stop(UnwindEnd::kOutside);
      memcpy(to + i, &word, sizeof(word));
    }
    const UnwindRegs interrupted = FromUcontext(u);
    if (interrupted.pc == 0) return Stop(UnwindEnd::kOutermost);
    regs_ = interrupted;
    exact_ = true;
    return true;
  }

  const UnwindTable& table_;
  UnwindRegs regs_;
  bool exact_;
  const MemoryView& view_;
  UnwindCache* cache_;
  UnwindEnd end_ = UnwindEnd::kFull;
};

// Leaves the innermost `skip` frames out.
int Libunwind(const UnwindRegs& regs, bool exact_pc, int skip, uint64_t* pcs, int max) {
  unw_context_t context;
  memset(&context, 0, sizeof(context));
#if defined(__x86_64__)
  auto* g = context.uc_mcontext.gregs;
  g[REG_RIP] = static_cast<greg_t>(regs.pc);
  g[REG_RSP] = static_cast<greg_t>(regs.sp);
  constexpr int kOrder[] = {REG_RBP, REG_RBX, REG_R12, REG_R13, REG_R14, REG_R15};
  for (int i = 0; i < UnwindRegs::kSavedCount; ++i) {
    g[kOrder[i]] = static_cast<greg_t>(regs.saved[i]);
  }
  g[REG_R10] = static_cast<greg_t>(regs.r10);
#else
  context.uc_mcontext.pc = regs.pc;
  context.uc_mcontext.sp = regs.sp;
  context.uc_mcontext.regs[29] = regs.saved[0];
  for (int i = 1; i <= 10; ++i) context.uc_mcontext.regs[18 + i] = regs.saved[i];
  context.uc_mcontext.regs[30] = regs.saved[11];
#endif
  unw_cursor_t cursor;
  if (unw_init_local2(&cursor, &context, exact_pc ? UNW_INIT_SIGNAL_FRAME : 0) != 0) return 0;
  int n = 0;
  for (int frame = 0; n < max; ++frame) {
    unw_word_t pc = 0;
    if (unw_get_reg(&cursor, UNW_REG_IP, &pc) != 0 || pc == 0) break;
    if (frame >= skip) pcs[n++] = StripSignature(pc);
    if (unw_step(&cursor) <= 0) break;
  }
  return n;
}

}  // namespace

int Unwind(const UnwindTable& table, const UnwindRegs& regs, bool exact_pc, const MemoryView& view,
           uint64_t* pcs, int max, UnwindCache* cache, UnwindResult* result) {
  if (cache != nullptr && cache->table != &table) {
    *cache = UnwindCache();
    cache->table = &table;
  }
  Walk walk(table, regs, exact_pc, view, cache);
  uint64_t exact_pcs = 0;
  UnwindEnd end = UnwindEnd::kFull;
  int n = 0;
  while (n < max) {
    if (walk.exact() && n < 64) exact_pcs |= uint64_t{1} << n;
    pcs[n++] = walk.regs().pc;
    if (!walk.Step()) {
      end = walk.end();
      break;
    }
  }
  if (result != nullptr) *result = {end, walk.exact(), exact_pcs, walk.regs()};
  return n;
}

[[gnu::noinline]] int UnwindSelf(uint64_t* pcs, int max, int skip, uint64_t stack_limit) {
  if (max <= 0) return 0;
  const UnwindRegs regs = CaptureRegs();
  const UnwindTable* table = LatestUnwindTable();
  if (table == nullptr) table = CurrentUnwindTable();
  const MemoryView view = MemoryView::Live(regs.sp, stack_limit != 0 ? stack_limit : UINT64_MAX);
  // This function's own frame is left out as well.
  Walk walk(*table, regs, true, view, nullptr);
  for (int i = 0; i <= skip; ++i) {
    if (walk.Step()) continue;
    if (walk.end() != UnwindEnd::kNoRow) return 0;
    return Libunwind(regs, true, skip + 1, pcs, max);
  }
  UnwindResult result;
  int n = Unwind(*table, walk.regs(), walk.exact(), view, pcs, max, nullptr, &result);
  if (result.end == UnwindEnd::kNoRow) {
    // Code that was loaded since the table was made.
    n += Libunwind(result.regs, result.exact, 1, pcs + n, max - n);
  }
  return n;
}

int UnwindWithLibunwind(const UnwindRegs& regs, bool exact_pc, uint64_t* pcs, int max) {
  return Libunwind(regs, exact_pc, 0, pcs, max);
}

UnwindRegs RegsFromUcontext(const void* ucontext) {
  return FromUcontext(*static_cast<const ucontext_t*>(ucontext));
}

}  // namespace leash::rt
