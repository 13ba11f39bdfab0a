// From .eh_frame to rows: reads the CIEs and FDEs of one module, runs the program of each function
// and keeps a row wherever the rules change. Format: LSB "Exception Frames", DWARF 5 section 6.4.
//
// Everything read is bounded by the section that was given. Where a row cannot say the rules (a
// register saved in another one, an expression of a new kind) there is a row of kNone: a walk stops
// there and its caller asks libunwind. In glibc, libgcc and libstdc++ these are 10 functions of
// 10,000, none of which calls anything there: vfork, longjmp, the last instructions of
// _Unwind_Resume.

#include <algorithm>
#include <cstring>
#include <unordered_map>

#include "stack/unwind_table.h"

namespace leash::rt {
namespace {

// Numbers that DWARF gives to registers.
#if defined(__x86_64__)
constexpr unsigned kDwarfFp = 6, kDwarfSp = 7, kDwarfReturn = 16;
#else
constexpr unsigned kDwarfFp = 29, kDwarfSp = 31, kDwarfReturn = 30;
#endif

// The index in UnwindRegs::saved, or -1.
int SavedIndex(uint64_t dwarf) {
#if defined(__x86_64__)
  if (dwarf == 6) return 0;
  if (dwarf == 3) return 1;
  if (dwarf >= 12 && dwarf <= 15) return static_cast<int>(dwarf) - 10;
#else
  if (dwarf == 29) return 0;
  if (dwarf >= 19 && dwarf <= 28) return static_cast<int>(dwarf) - 18;
  if (dwarf == 30) return 11;
#endif
  return -1;
}

class Reader {
 public:
  Reader(const uint8_t* p, const uint8_t* end) : p_(p), end_(end) {}

  const uint8_t* at() const { return p_; }
  bool ok() const { return ok_; }
  bool done() const { return !ok_ || p_ >= end_; }
  size_t left() const { return static_cast<size_t>(end_ - p_); }

  template <class T>
  T Fixed() {
    T value{};
    if (left() < sizeof(T)) {
      ok_ = false;
      return value;
    }
    memcpy(&value, p_, sizeof(T));
    p_ += sizeof(T);
    return value;
  }
  uint64_t Uleb() {
    uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
      const uint8_t byte = Fixed<uint8_t>();
      if (!ok_) return 0;
      if (shift < 64) value |= uint64_t{byte & 0x7fu} << shift;
      if ((byte & 0x80) == 0) return value;
    }
  }
  int64_t Sleb() {
    uint64_t value = 0;
    for (unsigned shift = 0;;) {
      const uint8_t byte = Fixed<uint8_t>();
      if (!ok_) return 0;
      if (shift < 64) value |= uint64_t{byte & 0x7fu} << shift;
      shift += 7;
      if ((byte & 0x80) != 0) continue;
      if (shift < 64 && (byte & 0x40) != 0) value |= ~uint64_t{0} << shift;
      return static_cast<int64_t>(value);
    }
  }
  // A pointer in one of the encodings of DW_EH_PE. `delta` makes addresses here those of the
  // target.
  uint64_t Pointer(uint8_t encoding, uint64_t delta) {
    if (encoding == 0xff) return 0;  // omitted
    const uint64_t place = reinterpret_cast<uint64_t>(p_) + delta;
    uint64_t value = 0;
    switch (encoding & 0x0f) {
      case 0x00:
      case 0x04:
      case 0x0c:
        value = Fixed<uint64_t>();
        break;
      case 0x01:
        value = Uleb();
        break;
      case 0x02:
        value = Fixed<uint16_t>();
        break;
      case 0x03:
        value = Fixed<uint32_t>();
        break;
      case 0x09:
        value = static_cast<uint64_t>(Sleb());
        break;
      case 0x0a:
        value = static_cast<uint64_t>(int64_t{Fixed<int16_t>()});
        break;
      case 0x0b:
        value = static_cast<uint64_t>(int64_t{Fixed<int32_t>()});
        break;
      default:
        ok_ = false;
    }
    switch (encoding & 0xf0) {
      case 0x00:
        break;
      case 0x10:
        value += place;
        break;
      default:
        ok_ = false;  // of the kinds that no code pointer uses
    }
    return value;
  }
  Reader Take(uint64_t bytes) {
    if (bytes > left()) {
      ok_ = false;
      bytes = 0;
    }
    Reader taken(p_, p_ + bytes);
    p_ += bytes;
    return taken;
  }
  bool Skip(uint64_t bytes) { return Take(bytes).ok() && ok_; }

 private:
  const uint8_t* p_;
  const uint8_t* end_;
  bool ok_ = true;
};

struct Cie {
  bool ok = false;
  bool augmented = false;  // FDEs carry a length of their augmentation
  bool signal = false;
  uint8_t encoding = 0;
  uint64_t code_align = 1;
  int64_t data_align = 1;
  Reader program{nullptr, nullptr};
};

// Where one register of the caller lies.
struct Rule {
  enum Kind : uint8_t { kSame, kFromCfa, kFromFp, kUndefined, kOther };
  Kind kind = kSame;
  int64_t offset = 0;
};

struct Rules {
  uint8_t base = UnwindRow::kNone;
  int64_t offset = 0;
  Rule saved[UnwindRegs::kSavedCount];
  Rule return_address;

  Rule* Of(uint64_t dwarf) {
    const int i = SavedIndex(dwarf);
    if (i >= 0) return &saved[i];
    return dwarf == kDwarfReturn ? &return_address : nullptr;
  }
};

uint8_t BaseOf(uint64_t dwarf) {
  if (dwarf == kDwarfSp) return UnwindRow::kSp;
#if defined(__x86_64__)
  if (dwarf == 10) return UnwindRow::kR10;
#endif
  const int i = SavedIndex(dwarf);
  return i < 0 ? uint8_t{UnwindRow::kNone} : static_cast<uint8_t>(UnwindRow::kSaved + i);
}

// DW_OP_breg0 + register: `register + offset`, alone or with a load.
bool IsRegisterPlus(Reader e, unsigned dwarf, bool load, int64_t* offset) {
  if (e.Fixed<uint8_t>() != 0x70 + dwarf) return false;
  *offset = e.Sleb();
  if (load && e.Fixed<uint8_t>() != 0x06) return false;  // DW_OP_deref
  return e.ok() && e.done();
}

// The PLT's: sp + 8 + ((pc & 15) >= N) * 8.
bool IsPlt([[maybe_unused]] Reader e, [[maybe_unused]] int64_t* from) {
#if defined(__x86_64__)
  static constexpr uint8_t kPlt[11] = {0x77, 0x08, 0x80, 0x00, 0x3f, 0x1a,
                                       0x30, 0x2a, 0x33, 0x24, 0x22};
  if (e.left() != sizeof(kPlt)) return false;
  for (size_t i = 0; i < sizeof(kPlt); ++i) {
    const uint8_t byte = e.Fixed<uint8_t>();
    if (i == 6 && byte >= 0x30 && byte <= 0x3f) {  // DW_OP_litN
      *from = byte - 0x30;
    } else if (byte != kPlt[i]) {
      return false;
    }
  }
  return true;
#else
  return false;
#endif
}

void SetCfaExpression(Rules& rules, Reader e, bool signal) {
  int64_t offset = 0;
  if (IsRegisterPlus(e, kDwarfFp, true, &offset)) {
    rules.base = UnwindRow::kDerefFp;
  } else if (IsPlt(e, &offset)) {
    rules.base = UnwindRow::kPlt;
  } else if (signal && IsRegisterPlus(e, kDwarfSp, true, &offset)) {
    rules.base = UnwindRow::kSignal;  // glibc's __restore_rt: the saved sp in the ucontext
  } else {
    rules.base = UnwindRow::kNone;
  }
  rules.offset = offset;
}

// The row that says these rules; one of kNone if a row cannot.
UnwindRow RowOf(const Rules& rules, bool signal) {
  UnwindRow row;
  const Rule* return_address = &rules.return_address;
#if defined(__aarch64__)
  return_address = &rules.saved[11];
#endif
  if (return_address->kind == Rule::kUndefined) {
    row.base = UnwindRow::kOutermost;
    return row;
  }
  if (rules.base == UnwindRow::kSignal) {
    row.base = UnwindRow::kSignal;
    return row;
  }
#if defined(__x86_64__)
  if (return_address->kind != Rule::kFromCfa || return_address->offset != -8) return row;
#endif
  if (rules.offset != static_cast<int32_t>(rules.offset)) return row;
  for (int i = 0; i < UnwindRegs::kSavedCount; ++i) {
    const Rule& rule = rules.saved[i];
    if (rule.kind == Rule::kSame || rule.kind == Rule::kUndefined) continue;
    if (rule.kind == Rule::kOther) return UnwindRow();
    const int64_t words = rule.offset / 8;
    if (rule.offset % 8 != 0 || words != static_cast<UnwindRow::Slot>(words)) return UnwindRow();
    if (rule.kind == Rule::kFromFp) {
      row.from_fp = static_cast<UnwindRow::Mask>(row.from_fp | 1u << i);
    } else if (words == 0) {
      return UnwindRow();
    }
    row.slots[i] = static_cast<UnwindRow::Slot>(words);
  }
  row.base = rules.base;
  row.offset = static_cast<int32_t>(rules.offset);
  if (signal) row.from_fp |= UnwindRow::kInterrupted;
  return row;
}

// Runs one program. `emit(pc)` is called with the rules up to, but not including, pc.
template <class Emit>
bool Run(const Cie& cie, Reader r, const Rules& initial, uint64_t delta, Rules& rules, uint64_t& pc,
         const Emit& emit) {
  constexpr int kDepthMax = 16;
  Rules remembered[kDepthMax];
  int depth = 0;
  const auto advance = [&](uint64_t by) {
    by = std::min<uint64_t>(by, UINT32_MAX);  // so that garbage cannot make pc wrap around
    emit(pc + by);
    pc += by;
  };
  const auto set = [&](uint64_t reg, Rule::Kind kind, int64_t offset) {
    if (Rule* rule = rules.Of(reg)) *rule = {kind, offset};
  };
  const auto restore = [&](uint64_t reg) {
    if (Rule* rule = rules.Of(reg)) *rule = *const_cast<Rules&>(initial).Of(reg);
  };
  while (!r.done()) {
    const uint8_t op = r.Fixed<uint8_t>();
    const uint8_t low = op & 0x3f;
    switch (op >> 6) {
      case 1:  // advance_loc
        advance(low * cie.code_align);
        continue;
      case 2:  // offset
        set(low, Rule::kFromCfa, static_cast<int64_t>(r.Uleb()) * cie.data_align);
        continue;
      case 3:  // restore
        restore(low);
        continue;
    }
    switch (op) {
      case 0x00:  // nop
        break;
      case 0x01: {  // set_loc
        const uint64_t to = r.Pointer(cie.encoding, delta);
        if (to < pc) return false;
        advance(to - pc);
        break;
      }
      case 0x02:  // advance_loc1
        advance(r.Fixed<uint8_t>() * cie.code_align);
        break;
      case 0x03:
        advance(r.Fixed<uint16_t>() * cie.code_align);
        break;
      case 0x04:
        advance(r.Fixed<uint32_t>() * cie.code_align);
        break;
      case 0x05: {  // offset_extended
        const uint64_t reg = r.Uleb();
        set(reg, Rule::kFromCfa, static_cast<int64_t>(r.Uleb()) * cie.data_align);
        break;
      }
      case 0x06:  // restore_extended
        restore(r.Uleb());
        break;
      case 0x07:  // undefined
        set(r.Uleb(), Rule::kUndefined, 0);
        break;
      case 0x08:  // same_value
        set(r.Uleb(), Rule::kSame, 0);
        break;
      case 0x09: {  // register
        const uint64_t reg = r.Uleb();
        r.Uleb();
        set(reg, Rule::kOther, 0);
        break;
      }
      case 0x0a:  // remember_state
        if (depth == kDepthMax) return false;
        remembered[depth++] = rules;
        break;
      case 0x0b:  // restore_state
        if (depth == 0) return false;
        rules = remembered[--depth];
        break;
      case 0x0c:  // def_cfa
        rules.base = BaseOf(r.Uleb());
        rules.offset = static_cast<int64_t>(r.Uleb());
        break;
      case 0x0d:  // def_cfa_register
        rules.base = BaseOf(r.Uleb());
        break;
      case 0x0e:  // def_cfa_offset
        rules.offset = static_cast<int64_t>(r.Uleb());
        break;
      case 0x0f:  // def_cfa_expression
        SetCfaExpression(rules, r.Take(r.Uleb()), cie.signal);
        break;
      case 0x10: {  // expression: the address where it lies
        const uint64_t reg = r.Uleb();
        const Reader e = r.Take(r.Uleb());
        int64_t offset = 0;
        const bool from_fp = IsRegisterPlus(e, kDwarfFp, false, &offset);
        set(reg, from_fp ? Rule::kFromFp : Rule::kOther, offset);
        break;
      }
      case 0x11: {  // offset_extended_sf
        const uint64_t reg = r.Uleb();
        set(reg, Rule::kFromCfa, r.Sleb() * cie.data_align);
        break;
      }
      case 0x12:  // def_cfa_sf
        rules.base = BaseOf(r.Uleb());
        rules.offset = r.Sleb() * cie.data_align;
        break;
      case 0x13:  // def_cfa_offset_sf
        rules.offset = r.Sleb() * cie.data_align;
        break;
      case 0x14:  // val_offset
      case 0x15:  // val_offset_sf
        set(r.Uleb(), Rule::kOther, 0);
        r.Uleb();
        break;
      case 0x16:  // val_expression
        set(r.Uleb(), Rule::kOther, 0);
        r.Skip(r.Uleb());
        break;
      case 0x2d:  // aarch64 negate_ra_state: Unwind drops the signature of every return address
        break;
      case 0x2e:  // GNU_args_size
        r.Uleb();
        break;
      case 0x2f: {  // GNU_negative_offset_extended
        const uint64_t reg = r.Uleb();
        set(reg, Rule::kFromCfa, -static_cast<int64_t>(r.Uleb()) * cie.data_align);
        break;
      }
      default:
        return false;
    }
  }
  return r.ok();
}

// The contents of a CIE, after its id.
Cie ReadCie(Reader r, uint64_t delta) {
  Cie cie;
  const uint8_t version = r.Fixed<uint8_t>();
  const char* augmentation = reinterpret_cast<const char*>(r.at());
  while (r.ok() && r.Fixed<uint8_t>() != 0) {
  }
  if (!r.ok() || (version != 1 && version != 3 && version != 4)) return cie;
  if (version == 4) r.Skip(2);  // sizes of an address and of a segment selector
  cie.code_align = r.Uleb();
  cie.data_align = r.Sleb();
  const uint64_t return_column = version == 1 ? r.Fixed<uint8_t>() : r.Uleb();
  if (return_column != kDwarfReturn) return cie;
  for (const char* a = augmentation; *a != 0; ++a) {
    switch (*a) {
      case 'z':
        cie.augmented = true;
        r.Uleb();
        break;
      case 'R':
        cie.encoding = r.Fixed<uint8_t>();
        break;
      case 'P': {
        const uint8_t encoding = r.Fixed<uint8_t>();
        r.Pointer(encoding & 0x0f, delta);
        break;
      }
      case 'L':
        r.Fixed<uint8_t>();
        break;
      case 'S':
        cie.signal = true;
        break;
      case 'B':  // aarch64: signed with the B key
        break;
      default:
        return cie;
    }
  }
  cie.ok = r.ok();
  cie.program = r;
  return cie;
}

struct Fde {
  uint64_t start, bytes;
  const Cie* cie;
  Reader program;
};

bool SameRules(const UnwindRow& a, const UnwindRow& b) {
  return a.offset == b.offset && a.base == b.base && a.from_fp == b.from_fp &&
         memcmp(a.slots, b.slots, sizeof(a.slots)) == 0;
}

}  // namespace

UnwindModuleRows::UnwindModuleRows(const uint8_t* data, size_t size, uint64_t address,
                                   uint64_t base) {
  const uint64_t delta = address - reinterpret_cast<uint64_t>(data);
  std::unordered_map<const uint8_t*, Cie> cies;  // by the place of their length: nodes do not move
  std::vector<Fde> fdes;
  const uint8_t* last_at = nullptr;
  const Cie* last = nullptr;
  Reader all(data, data + size);
  while (all.left() >= 4) {
    const uint8_t* at = all.at();
    uint64_t length = all.Fixed<uint32_t>();
    if (length == 0) break;
    if (length == 0xffffffff) length = all.Fixed<uint64_t>();
    Reader entry = all.Take(length);
    if (!all.ok()) break;
    const uint8_t* id_at = entry.at();
    const uint32_t id = entry.Fixed<uint32_t>();
    if (!entry.ok()) break;
    if (id == 0) {
      cies[at] = ReadCie(entry, delta);
      continue;
    }
    const uint8_t* cie_at = id_at - id;
    if (cie_at != last_at) {
      const auto found = cies.find(cie_at);
      last = found == cies.end() ? nullptr : &found->second;
      last_at = cie_at;
    }
    if (last == nullptr || !last->ok) {
      ++refused_;
      continue;
    }
    const uint64_t start = entry.Pointer(last->encoding, delta);
    const uint64_t bytes = entry.Pointer(last->encoding & 0x0f, delta);
    if (last->augmented) entry.Skip(entry.Uleb());
    if (!entry.ok() || start < base || bytes > UINT32_MAX || start - base > UINT32_MAX - bytes) {
      ++refused_;
    } else if (bytes != 0) {
      fdes.push_back({start, bytes, last, entry});
    }
  }
  std::sort(fdes.begin(), fdes.end(), [](const Fde& a, const Fde& b) { return a.start < b.start; });

  rows_.reserve(fdes.size() * 7);
  uint64_t covered = 0;  // up to where the rows reach
  const auto add = [&](uint64_t pc, UnwindRow row) {
    row.pc = static_cast<uint32_t>(pc - base);
    if (!rows_.empty() && rows_.back().pc == row.pc) rows_.pop_back();
    if (rows_.empty() || !SameRules(rows_.back(), row)) rows_.push_back(row);
  };
  const Cie* initial_of = nullptr;
  Rules initial;
  for (const Fde& fde : fdes) {
    if (fde.start < covered) continue;  // one more of the same function
    if (fde.start > covered) add(covered == 0 ? base : covered, UnwindRow());
    bool sayable = true;
    uint64_t pc = fde.start;
    if (initial_of != fde.cie) {
      initial = Rules();
      initial_of = fde.cie;
      sayable = Run(*fde.cie, fde.cie->program, Rules(), delta, initial, pc, [](uint64_t) {});
      if (!sayable) initial_of = nullptr;
    }
    Rules rules = initial;
    const uint64_t limit = fde.start + fde.bytes;
    const auto emit = [&](uint64_t until) {
      if (until == pc || pc >= limit) return;
      const UnwindRow row = RowOf(rules, fde.cie->signal);
      sayable &= row.base != UnwindRow::kNone;
      add(pc, row);
    };
    pc = fde.start;
    if (sayable && Run(*fde.cie, fde.program, initial, delta, rules, pc, emit)) {
      emit(limit);
    } else {
      add(pc, UnwindRow());
      sayable = false;
    }
    covered = limit;
    ++functions_;
    if (!sayable) ++refused_;
  }
  if (!rows_.empty()) add(covered, UnwindRow());
  rows_.shrink_to_fit();
  IndexBlocks();
}

void UnwindModuleRows::IndexBlocks() {
  blocks_.clear();
  if (rows_.empty()) return;
  // Memory goes with the rows, not with the addresses: what is damaged names addresses anywhere.
  const size_t most = rows_.size() + 64;
  block_shift_ = 8;
  while (rows_.back().pc >> block_shift_ > most) ++block_shift_;
  blocks_.resize((rows_.back().pc >> block_shift_) + 2);
  size_t row = 0;
  for (size_t block = 0; block < blocks_.size(); ++block) {
    while (row < rows_.size() && uint64_t{rows_[row].pc} < uint64_t{block} << block_shift_) ++row;
    blocks_[block] = static_cast<uint32_t>(row);
  }
}

void UnwindModuleRows::AddSignalTrampoline(uint32_t pc, uint32_t bytes) {
  UnwindRow row;
  row.pc = pc;
  row.base = UnwindRow::kSignal;
  Insert(row, bytes);
}

// `row` for this many bytes, where there were none or rows of kNone.
void UnwindModuleRows::Insert(UnwindRow row, uint32_t bytes) {
  const uint32_t pc = row.pc;
  UnwindRow end;
  end.pc = pc + bytes;
  std::erase_if(rows_, [&](const UnwindRow& r) { return r.pc >= pc && r.pc < end.pc; });
  const auto after =
      std::find_if(rows_.begin(), rows_.end(), [&](const UnwindRow& r) { return r.pc >= end.pc; });
  if (after == rows_.end() || after->pc != end.pc) {
    rows_.insert(after, {row, end});
  } else {
    rows_.insert(after, row);
  }
  IndexBlocks();
}

const UnwindRow* UnwindModuleRows::Find(uint32_t pc) const {
  if (rows_.empty()) return nullptr;
  const size_t block = pc >> block_shift_;
  const UnwindRow* first = rows_.data();
  const UnwindRow* last = first + rows_.size();
  if (block + 1 < blocks_.size()) {
    last = first + blocks_[block + 1];
    first += blocks_[block];
  } else {
    first = last;  // past the last row's block: the gap after the last function
  }
  const UnwindRow* after = std::upper_bound(
      first, last, pc, [](uint32_t value, const UnwindRow& row) { return value < row.pc; });
  return after == rows_.data() ? nullptr : after - 1;
}

}  // namespace leash::rt
