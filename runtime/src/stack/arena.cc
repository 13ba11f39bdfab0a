#include "stack/arena.h"

#include <sys/mman.h>

#include "base/check.h"

namespace leash::rt {

constinit Arena arena;

namespace {

// ThreadSanitizer and the 39-bit spaces of some aarch64 kernels have less to give; and a limit on
// address space (ulimit -v) may leave little.
#if LEASH_RACE
constexpr size_t kLargest = size_t{256} << 30;
#else
constexpr size_t kLargest = size_t{4} << 40;
#endif
constexpr size_t kSmallest = size_t{1} << 30;

// Shares of the whole in 64ths. What a class does not get at all (1 GiB stacks in a small arena) is
// not to be had: a bigger class is not served from a smaller.
constexpr size_t kRecordShare = 2;
constexpr size_t kClosureShare = 2;
constexpr size_t kStackShare[kStackClasses] = {8, 24, 6, 6, 4, 12};

}  // namespace

void ReserveArena() {
  size_t bytes = kLargest;
  void* p = MAP_FAILED;
  for (; bytes >= kSmallest; bytes /= 2) {
    p = mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p != MAP_FAILED) break;
  }
  if (p == MAP_FAILED) InternalError("arena: no 1 GiB of address space to be had");
#if !LEASH_RACE
  // Under transparent_hugepage=always each stack would take its whole slot. (With ThreadSanitizer
  // pieces are mapped anew, and only equal flags let the kernel join them again.)
  madvise(p, bytes, MADV_NOHUGEPAGE);
#endif
  arena.begin = static_cast<char*>(p);
  arena.end = arena.begin + bytes;
  char* at = arena.begin;
  const auto take = [&](size_t share) {
    ArenaPart part;
    part.begin = at;
    at += bytes / 64 * share;
    part.end = at;
    return part;
  };
  // The queue's capacity is a power of two, so it gets one: no more records fit into the rest than
  // it has room for. Of that, 24 words for a record and 8 for what is rare in it.
  const ArenaPart registry = take(kRecordShare);
  constexpr ptrdiff_t kLargestPage = 64 << 10;
  arena.queue = {registry.end - (registry.end - registry.begin) / 32, registry.end};
  const ptrdiff_t unit = (arena.queue.begin - registry.begin) / 32 / kLargestPage * kLargestPage;
  arena.records = {registry.begin, registry.begin + 24 * unit};
  arena.rares = {arena.records.end, arena.records.end + 8 * unit};
  arena.closures = take(kClosureShare);
  for (int i = 0; i < kStackClasses; ++i) arena.stacks[i] = take(kStackShare[i]);
  LEASH_CHECK(at == arena.end);
}

void UseHugePages([[maybe_unused]] char* p, [[maybe_unused]] size_t bytes) {
#if !LEASH_RACE
  madvise(p, bytes, MADV_HUGEPAGE);  // a wish
#endif
}

bool CommitArena(char* p, size_t bytes) { return mprotect(p, bytes, PROT_READ | PROT_WRITE) == 0; }

}  // namespace leash::rt
