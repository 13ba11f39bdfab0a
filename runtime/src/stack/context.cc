#include "stack/context.h"

// The `nop` before the entry: unwinders look up pc - 1, which must lie in this function, too. The
// object says that it supports indirect branch tracking only: there is no shadow stack for each
// goroutine, so the linker must not mark the program as made for one.
#if defined(__x86_64__)
asm(R"(
  .text
  .p2align 4
  .hidden leash_goroutine_entry
  .globl leash_goroutine_entry
  .type leash_goroutine_begin, @function
leash_goroutine_begin:
  .cfi_startproc
  .cfi_undefined rip
  nop
  .type leash_goroutine_entry, @function
leash_goroutine_entry:
  endbr64
  xorl %ebp, %ebp
  call leash_goroutine_main
  ud2
  .cfi_endproc
  .size leash_goroutine_begin, .-leash_goroutine_begin
  .size leash_goroutine_entry, .-leash_goroutine_entry
)");
#elif defined(__aarch64__)
asm(R"(
  .text
  .p2align 4
  .hidden leash_goroutine_entry
  .globl leash_goroutine_entry
  .type leash_goroutine_begin, %function
leash_goroutine_begin:
  .cfi_startproc
  .cfi_undefined x30
  nop
  .type leash_goroutine_entry, %function
leash_goroutine_entry:
  hint #36
  mov x29, xzr
  mov x30, xzr
  bl leash_goroutine_main
  brk #1
  .cfi_endproc
  .size leash_goroutine_begin, .-leash_goroutine_begin
  .size leash_goroutine_entry, .-leash_goroutine_entry
)");
#endif
