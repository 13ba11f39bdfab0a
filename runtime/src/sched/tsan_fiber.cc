// The life of a fiber, which is what ThreadSanitizer knows of a goroutine.

#include "sched/tsan_fiber.h"

#if LEASH_RACE

#include <sys/mman.h>

#include "base/check.h"
#include "base/lock.h"
#include "base/race.h"

namespace leash::rt {
namespace {

// ThreadSanitizer forgets a dead fiber's stacks when 64 more have ended, and a race with it is then
// dropped in silence. The last ones are therefore kept for a while. About 50 KB each.
constexpr int kKept = 256;
struct Kept {
  Lock lock{LockRank::kLeaf};
  void* fibers[kKept] = {};
  std::atomic<uint64_t> ids[kKept] = {};
  int at = 0;
};
constinit Kept kept;

}  // namespace

void CreateFiber(G* g) {
  g->fiber = __tsan_create_fiber(0);
  char name[40] = "goroutine ";
  char digits[20];
  int n = 0;
  for (uint64_t id = g->id.load(std::memory_order_relaxed); id != 0; id /= 10) {
    digits[n++] = static_cast<char>('0' + id % 10);
  }
  int at = 10;
  while (n > 0) name[at++] = digits[--n];
  __tsan_set_fiber_name(g->fiber, name);
  race::Release(g);
}

void DestroyFiber(G* g) {
  void* dead;
  {
    LockHolder hold(kept.lock);
    dead = kept.fibers[kept.at];
    kept.fibers[kept.at] = g->fiber;
    kept.ids[kept.at].store(g->id.load(std::memory_order_relaxed), std::memory_order_relaxed);
    kept.at = (kept.at + 1) % kKept;
  }
  g->fiber = nullptr;
  if (dead != nullptr) __tsan_destroy_fiber(dead);
}

bool IsKeptFiber(uint64_t goroutine) {
  for (const std::atomic<uint64_t>& id : kept.ids) {
    if (id.load(std::memory_order_relaxed) == goroutine) return true;
  }
  return false;
}

void ForgetPages(void* p, size_t bytes) {
  // mmap is intercepted. It counts as a write of all pages by whoever calls it, which would race
  // with their next owner's; from a caller that is not watched it resets them, and it never adds an
  // edge.
  const race::Ignore ignore;
  LEASH_CHECK(mmap(p, bytes, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) == p);
}

void ForgetStack(StackSlot stack) {
  char* low = StackLow(stack) + 4096;
  ForgetPages(low, static_cast<size_t>(StackTop(stack) - low));
}

}  // namespace leash::rt

#endif  // LEASH_RACE
