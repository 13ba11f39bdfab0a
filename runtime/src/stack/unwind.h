// Unwinding: from the registers of a function to the return addresses of all of its callers.
//
// The fast way reads a table of rows, compiled once per loaded module from .eh_frame: for each
// range of program counters, where the caller's frame begins (the CFA) and where it finds its
// registers. A step is a look-up and two loads. It needs no lock, allocates nothing, and reads the
// stack through a MemoryView only, so that a copied stack will do and garbage cannot lead it
// astray. libunwind is the reference that the tests compare it with, and the fallback where the
// table has no row.
//
// Frame pointers are not used: without -fno-omit-frame-pointer in every library they gave a wrong
// stack for each of 1000 goroutines.

#ifndef LEASH_STACK_UNWIND_H_
#define LEASH_STACK_UNWIND_H_

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace leash::rt {

class UnwindTable;  // stack/unwind_table.h

// What a function may use below its stack pointer.
#if defined(__x86_64__)
inline constexpr size_t kRedZoneBytes = 128;
#else
inline constexpr size_t kRedZoneBytes = 0;
#endif

// The registers that an unwinder needs. What is not known is 0: a goroutine that parks keeps pc, sp
// and fp only, and the compiler has spilled the rest.
struct UnwindRegs {
#if defined(__x86_64__)
  // fp (rbp), rbx, r12, r13, r14, r15.
  static constexpr int kSavedCount = 6;
#elif defined(__aarch64__)
  // x29 (fp), x19 ... x28, x30 (the return address).
  static constexpr int kSavedCount = 12;
#else
#error "leash: unwinding knows x86-64 and aarch64 only"
#endif
  uint64_t pc = 0;
  uint64_t sp = 0;
  uint64_t saved[kSavedCount] = {};
#if defined(__x86_64__)
  uint64_t r10 = 0;  // the frame's base while a prologue realigns the stack
#endif

  uint64_t fp() const { return saved[0]; }
  static UnwindRegs At(uint64_t pc, uint64_t sp, uint64_t fp) {
    UnwindRegs regs;
    regs.pc = pc;
    regs.sp = sp;
    regs.saved[0] = fp;
    return regs;
  }
};

// Memory of the stack's owner, here: `size` bytes from `base` (an address there) lie at `local`.
// For the caller's own memory `local` is `base`.
struct MemoryView {
  uint64_t base = 0;
  size_t size = 0;
  const void* local = nullptr;

  // [low, high) of this process.
  static MemoryView Live(uint64_t low, uint64_t high) {
    return {low, high > low ? static_cast<size_t>(high - low) : 0,
            reinterpret_cast<const void*>(low)};
  }
  // The word at `address`; false if any byte of it lies outside.
  bool Read(uint64_t address, uint64_t* word) const {
    if (address < base || size < sizeof(*word) || address - base > size - sizeof(*word))
      return false;
    memcpy(word, static_cast<const char*>(local) + (address - base), sizeof(*word));
    return true;
  }
};

// Why a walk ended.
enum class UnwindEnd : uint8_t {
  kOutermost,   // at a function that has no caller: the stack is complete
  kFull,        // `max` return addresses are there
  kNoRow,       // the pc is in no module of the table, or in code whose CFI the table refused
  kOutside,     // a frame's memory is not in the view
  kNoProgress,  // a frame is not above its callee's: not a stack
};

// How a walk ended, and where it stood: regs are those of the last frame in pcs, unless it is
// kFull.
struct UnwindResult {
  UnwindEnd end = UnwindEnd::kFull;
  bool exact = false;  // regs.pc is the place itself, not a return address
  uint64_t exact_pcs =
      0;  // bit i: pcs[i] is the place itself (a signal interrupted it there); i < 64
  UnwindRegs regs;
};

// Rows that a caller has looked up before. For one thread at a time; big, so not for small stacks.
// Saves half of the time where many stacks share their frames.
struct UnwindCache;
UnwindCache* NewUnwindCache();
void DeleteUnwindCache(UnwindCache* cache);

// Unwind()
//
// Writes the pc of `regs` and the return addresses of its callers, innermost first, at most `max`,
// and returns how many. `exact_pc`: regs.pc is where the function stands (a saved context, a
// signal), else it is a return address, and the place is the call before it. Async-signal-safe.
// Reads the table and the view, nothing else; always ends.
int Unwind(const UnwindTable& table, const UnwindRegs& regs, bool exact_pc, const MemoryView& view,
           uint64_t* pcs, int max, UnwindCache* cache = nullptr, UnwindResult* result = nullptr);

// UnwindSelf()
//
// The caller's own stack: pcs[0] lies in the caller, after `skip` frames were left out.
// `stack_limit` is the end of the stack where that is known; 0 trusts the CFI, as a throw does.
// Async-signal-safe once CurrentUnwindTable() has run, but for code that the table does not know:
// there libunwind goes on.
int UnwindSelf(uint64_t* pcs, int max, int skip, uint64_t stack_limit = 0);

// UnwindWithLibunwind()
//
// The same walk by libunwind, over this process's memory. 10 to 50 times slower; takes the loader's
// locks, so it is not async-signal-safe.
int UnwindWithLibunwind(const UnwindRegs& regs, bool exact_pc, uint64_t* pcs, int max);

// RegsFromUcontext()
//
// The registers of what a signal interrupted: the handler's third argument. The pc is exact.
UnwindRegs RegsFromUcontext(const void* ucontext);

// CaptureRegs()
//
// The caller's registers here. The pc is exact.
[[gnu::always_inline]] inline UnwindRegs CaptureRegs() {
  UnwindRegs r;
#if defined(__x86_64__)
  asm volatile(
      "leaq 1f(%%rip), %%rax\n\t"
      "1:\n\t"
      "movq %%rax, 0(%0)\n\t"
      "movq %%rsp, 8(%0)\n\t"
      "movq %%rbp, 16(%0)\n\t"
      "movq %%rbx, 24(%0)\n\t"
      "movq %%r12, 32(%0)\n\t"
      "movq %%r13, 40(%0)\n\t"
      "movq %%r14, 48(%0)\n\t"
      "movq %%r15, 56(%0)"
      :
      : "r"(&r)
      : "rax", "memory");
  static_assert(offsetof(UnwindRegs, saved) == 16);
#else
  asm volatile(
      "adr x9, 1f\n\t"
      "1:\n\t"
      "mov x10, sp\n\t"
      "stp x9, x10, [%0, 0]\n\t"
      "stp x29, x19, [%0, 16]\n\t"
      "stp x20, x21, [%0, 32]\n\t"
      "stp x22, x23, [%0, 48]\n\t"
      "stp x24, x25, [%0, 64]\n\t"
      "stp x26, x27, [%0, 80]\n\t"
      "stp x28, x30, [%0, 96]"
      :
      : "r"(&r)
      : "x9", "x10", "memory");
  static_assert(offsetof(UnwindRegs, saved) == 16);
#endif
  return r;
}

}  // namespace leash::rt

#endif  // LEASH_STACK_UNWIND_H_
