// The arena: one reservation of address space that holds everything that belongs to goroutines.
//
//   | G records (the registry) | what few of them have | the global run queue | large closures |
//   | stacks of 64 KiB | of 256 KiB | ... | of 1 GiB |
//
// Reserved without memory behind it, made usable piece by piece. One range, so that "does this
// address belong to a goroutine?" is one comparison (how a channel handle knows who holds it), and
// so that a reader outside finds every goroutine in one walk.

#ifndef LEASH_STACK_ARENA_H_
#define LEASH_STACK_ARENA_H_

#include <cstddef>
#include <cstdint>

namespace leash::rt {

inline constexpr int kStackClasses = 6;
// Slot sizes, the guard page included.
inline constexpr size_t kStackClassBytes[kStackClasses] = {size_t{64} << 10, size_t{256} << 10,
                                                           size_t{1} << 20,  size_t{8} << 20,
                                                           size_t{64} << 20, size_t{1} << 30};

struct ArenaPart {
  char* begin = nullptr;
  char* end = nullptr;
};

struct Arena {
  char* begin = nullptr;
  char* end = nullptr;
  ArenaPart records;
  ArenaPart rares;  // 64 bytes for each record
  ArenaPart queue;  // a word for each record, and more
  ArenaPart closures;
  ArenaPart stacks[kStackClasses];
};

[[gnu::visibility("hidden")]] extern Arena arena;

// Reserves it: 4 TiB, or the largest half, quarter, ... of that the system allows. Once, when the
// runtime starts. Fatal if not even 1 GiB can be had.
void ReserveArena();

// Makes [p, p + bytes) readable and writable; both whole pages. False: no memory.
bool CommitArena(char* p, size_t bytes);
// Asks for huge pages behind [p, p + bytes): for what is used densely and from its beginning.
void UseHugePages(char* p, size_t bytes);

inline bool InArena(const void* p) {
  return static_cast<size_t>(static_cast<const char*>(p) - arena.begin) <
         static_cast<size_t>(arena.end - arena.begin);
}

}  // namespace leash::rt

#endif  // LEASH_STACK_ARENA_H_
