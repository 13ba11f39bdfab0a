#include "sched/leak_check.h"

#if LEASH_ASAN

#include <fcntl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

#include "base/clock.h"
#include "sched/asan_fiber.h"
#include "sched/registry.h"

namespace leash::rt {

constinit std::atomic<uint64_t> leak_checks{0};
constinit std::atomic<uint64_t> leak_checks_ended{0};

namespace {

// The words handed over. Reserved, and made readable as far as they go: LeakSanitizer skips what is
// not.
constexpr size_t kWordsReserved = size_t{64} << 30;
constexpr size_t kWordsCommit = size_t{1} << 20;
constexpr int64_t kBlockedNs = 100'000'000;
constexpr int64_t kComputesNs = 20'000'000;  // of processor time
constexpr int64_t kSwitchMaxNs = 1'000'000'000;

struct Words {
  char* begin = nullptr;
  char* committed = nullptr;
  char* end = nullptr;
};
constinit Words words;

LEASH_NO_ASAN void Add(uint64_t word) {
  if (words.end == words.committed) {
    if (words.committed == words.begin + kWordsReserved ||
        mprotect(words.committed, kWordsCommit, PROT_READ | PROT_WRITE) != 0) {
      return;
    }
    words.committed += kWordsCommit;
  }
  *reinterpret_cast<uint64_t*>(words.end) = word;
  words.end += sizeof(word);
}

LEASH_NO_ASAN void AddRange(const char* begin, const char* end) {
  for (const char* p = begin; p + sizeof(uint64_t) <= end; p += sizeof(uint64_t)) {
    const uint64_t word = *reinterpret_cast<const volatile uint64_t*>(p);
    if (word >= 4096 && word < uint64_t{1} << 48 && !InArena(reinterpret_cast<const void*>(word))) {
      Add(word);
    }
  }
}

G* Current(M* m) { return __atomic_load_n(&m->current, __ATOMIC_RELAXED); }

// A stack from its stack pointer up, and the fake frames that it names.
void AddStack(const G* g, const char* top) {
  const auto* sp = reinterpret_cast<const char*>((g->context.sp + 7) & ~uint64_t{7});
  AddRange(sp, top);
  ForEachFakeFrame(g, sp, top, &AddRange);
}

// Of m's thread; -1 when it has none.
int64_t CpuTimeNs(const M* m) {
  // As pthread_getcpuclockid has it, which must not be asked about a thread that may be gone.
  constexpr uint32_t kThreadSched = 6;
  timespec t;
  const uint32_t clock = ~static_cast<uint32_t>(m->tid) << 3 | kThreadSched;
  if (clock_gettime(static_cast<clockid_t>(clock), &t) != 0) return -1;
  return int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

// Whether m's thread runs or could: not in a system call that waits.
bool WantsToRun(const M* m) {
  char path[64];
  std::snprintf(path, sizeof(path), "/proc/self/task/%d/stat",
                m->tid.load(std::memory_order_relaxed));
  char text[256] = {};
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const ssize_t n = read(fd, text, sizeof(text) - 1);
  close(fd);
  // "TID (NAME) STATE ...", where the name may have parentheses, too.
  const char* state = n > 0 ? std::strrchr(text, ')') : nullptr;
  return state != nullptr && state[1] == ' ' && state[2] == 'R';
}

// Waits until the goroutine that m runs, if any, does nothing until the look has ended. (1) to (3)
// `begin` is when the first was waited for.
void WaitUntilStopped(M* m, int64_t begin) {
  const int64_t cpu_begin = CpuTimeNs(m);
  for (;;) {
    // The order of these three: see ExitSyscall.
    const uint32_t switching = m->switching.load(std::memory_order_seq_cst);
    const int64_t waited = MonotonicNow() - begin;
    if (switching == kStopped) return;
    if (switching == kSwitching) {
      if (waited > kSwitchMaxNs && !WantsToRun(m)) return;
    } else if (m->in_syscall.load(std::memory_order_relaxed) != 0 || Current(m) == &m->g0) {
      return;
    } else if (waited > kBlockedNs && (!WantsToRun(m) || CpuTimeNs(m) - cpu_begin > kComputesNs)) {
      return;
    }
    // Not a yield: the thread that is waited for may be of a lower priority.
    usleep(100);
  }
}

void HandOver() {
  if (runtime_started.load(std::memory_order_acquire) != 2 || words.begin == nullptr) return;
  leak_checks.fetch_add(1, std::memory_order_seq_cst);
  const int64_t begin = MonotonicNow();
  for (M* m = sched.all_ms.load(std::memory_order_acquire); m != nullptr; m = m->all_next) {
    if (m != GetThread()->m) WaitUntilStopped(m, begin);
  }
  madvise(words.begin, static_cast<size_t>(words.committed - words.begin), MADV_DONTNEED);
  words.end = words.begin;
  const size_t n = GCount();
  for (size_t i = 0; i < n; ++i) {
    const G* g = GAt(i);
    const GStatus status = g->status.load(std::memory_order_acquire);
    if (status == GStatus::kIdle || status == GStatus::kDead || !IsGoroutine(g)) continue;
    const bool runs = g->m != nullptr && Current(g->m) == g;
    if (runs || g->stack == kNoStack) continue;
    const auto* sp = reinterpret_cast<const char*>(g->context.sp);
    if (sp < StackLow(g->stack) || sp >= StackTop(g->stack)) continue;
    AddStack(g, StackTop(g->stack));
  }
  for (M* m = sched.all_ms.load(std::memory_order_acquire); m != nullptr; m = m->all_next) {
    const auto* low = static_cast<const char*>(m->native_stack);
    const auto* sp = reinterpret_cast<const char*>(m->g0.context.sp);
    if (Current(m) == &m->g0 || low == nullptr || sp < low || sp >= low + m->native_stack_bytes) {
      continue;
    }
    AddStack(&m->g0, low + m->native_stack_bytes);
  }
}

}  // namespace

void InitLeakCheck() {
  void* p =
      mmap(nullptr, kWordsReserved, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (p == MAP_FAILED) return;
  words.begin = words.committed = words.end = static_cast<char*>(p);
  __lsan_register_root_region(p, kWordsReserved);
  const auto add = [](const ArenaPart& part) {
    __lsan_register_root_region(part.begin, static_cast<size_t>(part.end - part.begin));
  };
  add(arena.records);
  add(arena.rares);
  add(arena.closures);
}

void WaitForLeakCheck() {
  const uint64_t begun = leak_checks.load(std::memory_order_seq_cst);
  // LeakSanitizer holds its lock for as long as it looks, and these want it.
  static const char nothing[16] = {};
  __lsan_register_root_region(nothing, sizeof(nothing));
  __lsan_unregister_root_region(nothing, sizeof(nothing));
  uint64_t ended = leak_checks_ended.load(std::memory_order_relaxed);
  while (ended < begun &&
         !leak_checks_ended.compare_exchange_weak(ended, begun, std::memory_order_relaxed)) {
  }
}

}  // namespace leash::rt

// LeakSanitizer asks this with its lock held, at the beginning of each look (the one at exit, and
// those that a program asks for): the only place in which it calls a program. Its documentation
// promises nothing but the answer; LeakCheckTest would fail if it stopped asking. The child of a
// fork has lost its goroutines, and whatever they held would be reported there.
extern "C" __attribute__((visibility("default"))) int __lsan_is_turned_off() {
  if (leash::rt::forked) return 1;
  leash::rt::HandOver();
  return 0;
}

#endif  // LEASH_ASAN
