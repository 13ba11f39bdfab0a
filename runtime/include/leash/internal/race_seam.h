// What leash::race asks of the runtime while ThreadSanitizer reports. Not for programs; there under
// LEASH_RACE only.

#ifndef LEASH_INTERNAL_RACE_SEAM_H_
#define LEASH_INTERNAL_RACE_SEAM_H_

#include <cstdint>
#include <string>
#include <vector>

namespace leash::internal {

// One function at a program counter. Several where calls were inlined, innermost first.
struct RaceFrame {
  std::string function;  // "Cache::Evict(Key)"
  std::string file;      // empty: not known
  int32_t line = 0;
  uint64_t offset = 0;   // of the program counter, from the start of the outermost function
  bool runtime = false;  // leash's own or the language's: hidden from people
};

// DescribeForRace()
//
// What the call before the return address `pc` is. Only within RunForRace: it starts no thread,
// takes no lock that another thread may hold while it waits for ThreadSanitizer, and needs up to
// 300 KB of stack.
std::vector<RaceFrame> DescribeForRace(uint64_t pc);

// RunForRace()
//
// Calls work(argument) on a stack that is kept for it, since a goroutine's may be too small. One
// caller at a time.
void RunForRace(void (*work)(void*), void* argument);

// IsOwnThreadLocal()
//
// True if `address` is that of a thread_local of the calling thread, and that thread is one of the
// scheduler's. The goroutines that run on it use it one after the other: nothing orders them for
// ThreadSanitizer, and they do not race. Allocates nothing.
bool IsOwnThreadLocal(uint64_t address);

// HasEnded()
//
// True if the goroutine of this id has ended, although ThreadSanitizer still knows it as running:
// see tsan_fiber.cc.
bool HasEnded(uint64_t goroutine);

}  // namespace leash::internal

#endif  // LEASH_INTERNAL_RACE_SEAM_H_
