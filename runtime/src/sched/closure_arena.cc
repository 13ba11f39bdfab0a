#include "sched/closure_arena.h"

#include <bit>
#include <cstdint>

#include "base/check.h"
#include "base/lock.h"
#include "base/race.h"
#include "sched/asan_fiber.h"
#include "sched/tsan_fiber.h"
#include "stack/arena.h"

namespace leash::rt {
namespace {

// Under ThreadSanitizer whole pages, which are mapped anew when they are freed: that is what makes
// it forget the accesses of the goroutine before.
constexpr size_t kSmallest = race::kEnabled ? 4096 : 128;
constexpr size_t kLargest = size_t{1} << 20;
constexpr int kSizes = 14;  // 128 B << 13 = 1 MiB
constexpr size_t kCommitBytes = size_t{1} << 20;

struct FreeBlock {
  FreeBlock* next;
};
struct Blocks {
  Lock lock{LockRank::kRegistry};
  FreeBlock* free[kSizes] = {};
  char* used = nullptr;
  char* committed = nullptr;
};
constinit Blocks blocks;

size_t BlockSize(size_t bytes, size_t align) {
  size_t size = bytes > align ? bytes : align;
  if (size < kSmallest) size = kSmallest;
  return std::bit_ceil(size);
}
int IndexOf(size_t size) { return std::countr_zero(size) - 7; }

}  // namespace

// Both without AddressSanitizer: the list goes through blocks that nobody may touch.
LEASH_NO_ASAN void* AllocClosure(size_t bytes, size_t align) {
  const size_t size = BlockSize(bytes, align);
  if (size > kLargest) return nullptr;
  LockHolder hold(blocks.lock);
  FreeBlock*& head = blocks.free[IndexOf(size)];
  if (head != nullptr) {
    FreeBlock* block = head;
    head = block->next;
    ExpectClosure(block, size);
    return block;
  }
  if (blocks.used == nullptr) blocks.used = blocks.committed = arena.closures.begin;
  // Each block is aligned to its size.
  char* p = reinterpret_cast<char*>((reinterpret_cast<uintptr_t>(blocks.used) + size - 1) &
                                    ~(uintptr_t{size} - 1));
  if (p + size > arena.closures.end) return nullptr;
  while (blocks.committed < p + size) {
    if (!CommitArena(blocks.committed, kCommitBytes)) return nullptr;
    blocks.committed += kCommitBytes;
  }
  blocks.used = p + size;
  return p;
}

LEASH_NO_ASAN void FreeClosure(void* p, size_t bytes, size_t align) {
  const size_t size = BlockSize(bytes, align);
  if (race::kEnabled) ForgetPages(p, size);
  ForgetClosure(p, size);
  LockHolder hold(blocks.lock);
  auto* block = static_cast<FreeBlock*>(p);
  block->next = blocks.free[IndexOf(size)];
  blocks.free[IndexOf(size)] = block;
}

void ClosureArenaAfterFork() { blocks.lock.ResetAfterFork(); }

}  // namespace leash::rt
