#include "debug/outside_memory.h"

#include <dirent.h>
#include <dlfcn.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/race.h"
#include "base/safe_read.h"
#include "base/sanitizers.h"
#include "debug/present_pages.h"
#include "sched/park.h"
#include "sched/raw_syscall.h"
#include "sched/registry.h"
#include "sched/runtime_threads.h"
#include "sched/scheduler.h"
#include "sched/thread_stack.h"
#include "stack/arena.h"

namespace leash::rt {
namespace {

using Range = OutsideMemory::Range;

// Copied at a time: what stays in a cache. Its pages are new with each search, so a larger one
// costs more faults than it saves calls.
constexpr size_t kPieceBytes = size_t{128} << 10;
// Who has so much memory gets no proofs that need a search, rather than a pause of any length.
constexpr int64_t kSearchNanosMax = 1'000'000'000;
// What a function that calls no other may have below its stack pointer.
constexpr uint64_t kRedZoneBytes = 128;

// False: it is there, but cannot be read. Empty where the file, or the thread it is about, is gone.
bool ReadFile(const char* path, std::string* text) {
  text->clear();
  const int fd = raw::OpenToRead(path);
  if (fd < 0) return fd == -ENOENT || fd == -ESRCH;
  char buffer[16 << 10];
  ssize_t n;
  while ((n = raw::Read(fd, buffer, sizeof(buffer))) > 0) {
    text->append(buffer, static_cast<size_t>(n));
  }
  if (n != 0) text->clear();
  raw::Close(fd);
  return n == 0 || n == -ESRCH;
}

uint64_t NumberAfter(std::string_view text, std::string_view key, bool* found) {
  const size_t at = text.find(key);
  if (at == std::string_view::npos) {
    *found = false;
    return 0;
  }
  return std::strtoull(text.data() + at + key.size(), nullptr, 10);
}

const M* MOf(int32_t tid) {
  for (const M* m = sched.all_ms.load(std::memory_order_acquire); m != nullptr; m = m->all_next) {
    if (m->tid == tid) return m;
  }
  return nullptr;
}

// Where it stands, if it is blocked in a system call; else 0. "202 0x7f... 0x189 ... SP PC", or
// "running".
uint64_t StackPointerIn(const std::string& syscall) {
  if (syscall.empty() || syscall[0] == 'r') return 0;
  const size_t pc = syscall.rfind(' ');
  if (pc == std::string::npos || pc == 0) return 0;
  const size_t sp = syscall.rfind(' ', pc - 1);
  return sp == std::string::npos ? 0 : std::strtoull(&syscall[sp], nullptr, 16);
}

// ThreadSanitizer's own thread, on which none of the program's code runs. It wakes ten times a
// second: on a busy machine it did so during every search. Known by where it sleeps: in a
// nanosleep(2) that its runtime calls, and not libc.
bool IsThreadSanitizers([[maybe_unused]] const std::string& syscall) {
#if LEASH_RACE
  const size_t pc = syscall.rfind(' ');
  if (pc == std::string::npos || std::atoi(syscall.c_str()) != SYS_nanosleep) return false;
  Dl_info caller;
  Dl_info runtime;
  return dladdr(reinterpret_cast<void*>(std::strtoull(&syscall[pc], nullptr, 16)), &caller) != 0 &&
         dladdr(reinterpret_cast<void*>(&__tsan_func_entry), &runtime) != 0 &&
         caller.dli_fbase == runtime.dli_fbase;
#else
  return false;
#endif
}

// Empty: not known.
ThreadStack StackOfThread(const G& g) {
  const GRare* rare = RareOf(&g);
  const auto top = reinterpret_cast<uint64_t>(rare->thread_stack_top);
  return {top - std::min<uint64_t>(uint64_t{rare->thread_stack_kib} << 10, top), top};
}

// Where the M's own frames lie: they hold what goroutines left in the registers.
Range FramesOf(const M& m) {
  const auto first = reinterpret_cast<uint64_t>(m.first_frame.load(std::memory_order_relaxed));
  return first == 0 ? Range{} : Range{first - kMStackBytes, first};
}

// What is dead of the caller's stack. Where it runs on a stack that is not its thread's, the frames
// of the search itself.
[[gnu::always_inline]] inline Range DeadOfCaller(uint64_t own_sp) {
  ThreadStack stack;
  if (IsRuntimeThread(CurrentTid(), &stack) && stack.Has(own_sp)) return {stack.low, stack.top};
  stack = CurrentThreadStack();
  if (stack.Has(own_sp)) return {stack.low, own_sp};
  return {reinterpret_cast<uint64_t>(__builtin_frame_address(0)), own_sp};
}

// By thread: the stack of each that has used leash.
std::unordered_map<int32_t, ThreadStack> StacksOfThreads() {
  std::unordered_map<int32_t, ThreadStack> stacks;
  const size_t n = GCount();
  for (size_t i = 0; i < n; ++i) {
    const G* g = GAt(i);
    // Acquire: the rest of the record was written before.
    if (g->status.load(std::memory_order_acquire) == GStatus::kIdle) continue;
    if (g->kind == GKind::kThread) stacks[g->tid] = StackOfThread(*g);
  }
  return stacks;
}

uint64_t PageDown(uint64_t p) { return p & ~(kPageBytes - 1); }
uint64_t PageUp(uint64_t p) { return PageDown(p + kPageBytes - 1); }

// In order. Empty: they cannot be listed.
std::vector<Range> WritableMappings() {
  std::vector<Range> mappings;
  std::string maps;
  if (!ReadFile("/proc/self/maps", &maps)) return mappings;
  const char* line = maps.c_str();
  while (*line != '\0') {
    const char* next = std::strchr(line, '\n');
    const char* end_of_line = next != nullptr ? next : line + std::strlen(line);
    Range range;
    char perms[5] = {};
    int path_at = 0;
    const int fields = std::sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %*s %*s %*s %n", &range.begin,
                                   &range.end, perms, &path_at);
    std::string_view path;
    if (path_at > 0 && line + path_at < end_of_line) {
      path = {line + path_at, static_cast<size_t>(end_of_line - (line + path_at))};
    }
    line = next != nullptr ? next + 1 : end_of_line;
    if (fields != 3 || perms[0] != 'r' || perms[1] != 'w') continue;
    // Memory of devices must not be read for curiosity.
    const bool device = path.starts_with("/dev/") && !path.starts_with("/dev/shm/") &&
                        !path.starts_with("/dev/zero");
    if (!device) mappings.push_back(range);
  }
  return mappings;
}

// Places that are not looked at: [begin, end), at any byte.
class LeftOut {
 public:
  void Add(uint64_t begin, uint64_t end) {
    if (begin < end) ranges_.push_back({begin, end});
  }
  // After the last Add, once.
  void Merge() {
    std::sort(ranges_.begin(), ranges_.end(),
              [](const Range& a, const Range& b) { return a.begin < b.begin; });
    size_t n = 0;
    for (const Range& r : ranges_) {
      if (n != 0 && r.begin <= ranges_[n - 1].end) {
        ranges_[n - 1].end = std::max(ranges_[n - 1].end, r.end);
      } else {
        ranges_[n++] = r;
      }
    }
    ranges_.resize(n);
  }
  // The first that ends after `at`, or {~0, ~0}.
  Range From(uint64_t at) const {
    const auto it = std::upper_bound(ranges_.begin(), ranges_.end(), at,
                                     [](uint64_t value, const Range& r) { return value < r.end; });
    return it == ranges_.end() ? Range{UINT64_MAX, UINT64_MAX} : *it;
  }
  bool Has(uint64_t at) const { return From(at).begin <= at; }
  // As far as these are whole pages.
  LeftOut WholePages() const {
    LeftOut pages;
    for (const Range& r : ranges_) pages.Add(PageUp(r.begin), PageDown(r.end));
    return pages;
  }

 private:
  std::vector<Range> ranges_;
};

// What sanitizers keep for themselves, and says nothing about who points where.
void LeaveOutShadows(LeftOut* left_out) {
#if LEASH_RACE && defined(__x86_64__)
  // Shadow and records of blocks: tsan_platform.h, the mapping of x86_64 Linux.
  left_out->Add(0x100000000000, 0x380000000000);
#elif LEASH_ASAN
  constexpr uint64_t kAddressSpaceEnd = uint64_t{1} << 47;
  size_t scale;
  size_t offset;
  __asan_get_shadow_mapping(&scale, &offset);
  left_out->Add(offset, offset + (kAddressSpaceEnd >> scale));
#else
  static_cast<void>(left_out);
#endif
}

}  // namespace

bool OutsideMemory::ReadThreads(bool with_stacks, Threads* threads) {
  DIR* tasks = opendir("/proc/self/task");
  if (tasks == nullptr) return false;
  bool good = true;
  const int32_t self = CurrentTid();
  std::unordered_map<int32_t, ThreadStack> stacks;
  if (with_stacks) stacks = StacksOfThreads();
  while (const dirent* entry = readdir(tasks)) {
    const int32_t tid = std::atoi(entry->d_name);
    if (tid <= 0 || tid == self) continue;
    const M* m = MOf(tid);
    ThreadStack own_stack;
    const bool own = m != nullptr || IsRuntimeThread(tid, &own_stack);
    if (own && !with_stacks) continue;
    const std::string folder = std::string("/proc/self/task/") + entry->d_name;
    std::string status;
    if (!ReadFile((folder + "/status").c_str(), &status)) {
      good = false;
      continue;
    }
    if (status.empty()) continue;  // it has ended
    ThreadState state;
    bool found = true;
    state.switches = NumberAfter(status, "\nvoluntary_ctxt_switches:", &found) +
                     NumberAfter(status, "\nnonvoluntary_ctxt_switches:", &found);
    const size_t at = status.find("\nState:\t");
    found = found && at != std::string::npos;
    state.blocked = found && status[at + 8] == 'S';  // in a page fault, say, it is in a function
    state.own = own;
    if (m != nullptr) {
      state.dead = FramesOf(*m);
    } else if (own) {
      state.dead = {own_stack.low, own_stack.top};
    } else if (const auto stack = stacks.find(tid);
               stack != stacks.end() || (with_stacks && race::kEnabled)) {
      std::string syscall;
      ReadFile((folder + "/syscall").c_str(), &syscall);  // without it, no frame of it is dead
      state.own = IsThreadSanitizers(syscall);
      const uint64_t sp = StackPointerIn(syscall);
      if (stack != stacks.end() && sp > stack->second.low && sp < stack->second.top) {
        state.dead = {stack->second.low, sp - kRedZoneBytes};
      }
    }
    good = good && found;
    (*threads)[tid] = state;
  }
  closedir(tasks);
  return good;
}

OutsideMemory::OutsideMemory() { listed_ = ReadThreads(/*with_stacks=*/true, &threads_); }

// A list may be without a living thread where others end meanwhile (sched/process_threads.h). So
// it is made twice, and the two must agree on who is there.
bool OutsideMemory::Complete() const {
  if (!listed_) return false;
  Threads now;
  if (!ReadThreads(/*with_stacks=*/false, &now)) return false;
  for (const auto& [tid, state] : now) {
    const auto before = threads_.find(tid);
    // One that has been born meanwhile was made by one that ran.
    if (before == threads_.end()) return false;
    if (before->second.own) continue;
    if (!before->second.blocked || !state.blocked) return false;
    if (before->second.switches != state.switches) return false;
  }
  // One that has ended has run.
  for (const auto& [tid, state] : threads_) {
    if (!state.own && now.find(tid) == now.end()) return false;
  }
  return true;
}

bool OutsideMemory::Search(uint64_t own_sp, uint64_t low, uint64_t high,
                           const std::function<void(uint64_t word)>& found) {
  const std::vector<Range> mappings = WritableMappings();
  if (mappings.empty()) return false;
  // Its contents are copies, so it is no memory of the program's.
  void* const scratch =
      mmap(nullptr, kPieceBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (scratch == MAP_FAILED) return false;
  auto* const words = static_cast<uint64_t*>(scratch);

  LeftOut left_out;
  left_out.Add(reinterpret_cast<uint64_t>(scratch),
               reinterpret_cast<uint64_t>(scratch) + kPieceBytes);
  left_out.Add(reinterpret_cast<uint64_t>(arena.begin), reinterpret_cast<uint64_t>(arena.end));
  // What says where the arena's parts begin.
  left_out.Add(reinterpret_cast<uint64_t>(&arena), reinterpret_cast<uint64_t>(&arena + 1));
  // No further than its mapping goes: what is beyond is another's, whatever the stack's bounds say.
  const auto leave_out_dead = [&](const Range& dead) {
    const auto mapping =
        std::upper_bound(mappings.begin(), mappings.end(), dead.end,
                         [](uint64_t value, const Range& r) { return value <= r.end; });
    if (mapping == mappings.end()) return;
    left_out.Add(std::max(dead.begin, mapping->begin), dead.end);
  };
  leave_out_dead(DeadOfCaller(own_sp));
  if (const M* m = GetThread()->m; m != nullptr) leave_out_dead(FramesOf(*m));
  for (const auto& [tid, state] : threads_) leave_out_dead(state.dead);
  for (M* m = sched.all_ms.load(std::memory_order_acquire); m != nullptr; m = m->all_next) {
    const auto begin =
        reinterpret_cast<uint64_t>(__atomic_load_n(&m->signal_stack, __ATOMIC_RELAXED));
    if (begin != 0) left_out.Add(begin, begin + kSignalStackBytes);
  }
  LeaveOutShadows(&left_out);
  left_out.Merge();
  const LeftOut left_out_pages = left_out.WholePages();

  const auto look = [&](uint64_t begin, uint64_t end) {
    const size_t bytes = end - begin;
    if (!SafeRead(begin, words, bytes)) {
      // Some of it is gone or of a device: page by page.
      for (uint64_t page = begin; page < end; page += kPageBytes) {
        uint64_t* const copy = words + (page - begin) / sizeof(uint64_t);
        if (!SafeRead(page, copy, kPageBytes)) std::memset(copy, 0, kPageBytes);
      }
    }
    for (size_t i = 0; i < bytes / sizeof(uint64_t); ++i) {
      if (words[i] - low < high - low && !left_out.Has(begin + i * sizeof(uint64_t))) {
        found(words[i]);
      }
    }
  };
  const int64_t deadline = Nanotime() + kSearchNanosMax;
  PresentPages present;
  // False: it takes too long.
  const auto look_at_pages = [&](uint64_t begin, uint64_t end) {
    present.Start(begin, end);
    while (present.Next(&begin, &end)) {
      if (Nanotime() > deadline) return false;
      while (begin < end) {
        const uint64_t piece_end = std::min<uint64_t>(begin + kPieceBytes, end);
        look(begin, piece_end);
        if (Nanotime() > deadline) return false;
        begin = piece_end;
      }
    }
    return true;
  };

  bool in_time = true;
  for (const Range& range : mappings) {
    // Whole pages that are left out are not even asked for.
    for (uint64_t at = range.begin; in_time && at < range.end;) {
      const Range gap = left_out_pages.From(at);
      const uint64_t end = std::min(range.end, std::max(at, gap.begin));
      in_time = look_at_pages(at, end);
      at = std::max(end, gap.end);
    }
  }
  munmap(scratch, kPieceBytes);
  return in_time;
}

}  // namespace leash::rt
