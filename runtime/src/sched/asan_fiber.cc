#include "sched/asan_fiber.h"

#if LEASH_ASAN

#include <sys/mman.h>

#include <atomic>
#include <bit>
#include <cstring>

#include "base/check.h"

namespace leash::rt {
namespace {

// Where fake stacks begin, a bit a page: AddressSanitizer says whether an address lies in a given
// fake stack, but not in which. The one that begins last before the address is the only candidate.
constexpr int kAddressBits = 48;
constexpr int kPageBits = 12;
constexpr size_t kPages = size_t{1} << (kAddressBits - kPageBits);
// The largest is 11 frame classes of max_uar_stack_size_log = 20, and its flags.
constexpr size_t kFakeStackWordsMax = (size_t{16} << 20) / 4096 / 64;

// Reserved, not committed. Null: use after return is not looked for, or there is no room.
constinit std::atomic<std::atomic<uint64_t>*> begins{nullptr};

}  // namespace

void InitFakeStacks() {
  if (__asan_get_current_fake_stack() == nullptr) return;
  void* p = mmap(nullptr, kPages / 8, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (p == MAP_FAILED) return;
  madvise(p, kPages / 8, MADV_NOHUGEPAGE);
  madvise(p, kPages / 8, MADV_DONTDUMP);
  begins.store(static_cast<std::atomic<uint64_t>*>(p), std::memory_order_release);
}

LEASH_NO_ASAN void AdoptFakeStack(G* g) {
  void* fake_stack = __asan_get_current_fake_stack();  // makes it, where there is none yet
  if (fake_stack == g->asan_fake_stack) return;
  LEASH_CHECK(g->asan_fake_stack == nullptr);  // (3)
  const auto page = reinterpret_cast<uintptr_t>(fake_stack) >> kPageBits;
  std::atomic<uint64_t>* map = begins.load(std::memory_order_relaxed);
  if (map == nullptr || page >= kPages) return;
  g->asan_fake_stack = fake_stack;
  // Relaxed: an address in it reaches others only through what this goroutine does next, and they
  // read the word that was written before they were given the address.
  map[page / 64].fetch_or(uint64_t{1} << page % 64, std::memory_order_relaxed);
}

bool InFakeFrame(const void* p) {
  const auto page = reinterpret_cast<uintptr_t>(p) >> kPageBits;
  std::atomic<uint64_t>* map = begins.load(std::memory_order_acquire);
  if (map == nullptr || page >= kPages) return false;
  size_t at = page / 64;
  uint64_t bits = map[at].load(std::memory_order_relaxed) & (~uint64_t{0} >> (63 - page % 64));
  for (size_t n = 0; bits == 0; ++n) {
    if (n == kFakeStackWordsMax || at == 0) return false;
    bits = map[--at].load(std::memory_order_relaxed);
  }
  const uintptr_t begin = (at * 64 + static_cast<size_t>(std::bit_width(bits)) - 1) << kPageBits;
  return __asan_addr_is_in_fake_stack(reinterpret_cast<void*>(begin), const_cast<void*>(p), nullptr,
                                      nullptr) != nullptr;
}

bool FakeFrameOf(const G* g, uint64_t word, const char** begin, const char** end) {
  void* low = nullptr;
  void* high = nullptr;
  if (__asan_addr_is_in_fake_stack(g->asan_fake_stack, reinterpret_cast<void*>(word), &low,
                                   &high) == nullptr) {
    return false;
  }
  *begin = static_cast<const char*>(low);
  *end = static_cast<const char*>(high);
  return true;
}

void ForgetClosure(void* p, size_t bytes) {
  std::memset(p, 0, bytes);
  __asan_poison_memory_region(p, bytes);
}

}  // namespace leash::rt

#endif  // LEASH_ASAN
