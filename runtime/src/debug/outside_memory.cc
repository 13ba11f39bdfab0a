#include "debug/outside_memory.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "base/race.h"
#include "base/safe_read.h"
#include "base/sanitizers.h"
#include "sched/scheduler.h"
#include "stack/arena.h"

namespace leash::rt {
namespace {

constexpr size_t kPage = 4096;
constexpr size_t kPieceBytes = size_t{1} << 20;  // copied at a time
constexpr size_t kPiecePages = kPieceBytes / kPage;
// Sanitizers map shadows of terabytes, which hold no pointers. Nobody else is left out for size.
constexpr uint64_t kShadowBytes = uint64_t{64} << 30;
constexpr bool kHaveShadow = race::kEnabled || LEASH_ASAN;

std::string ReadFile(const char* path) {
  std::string text;
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return text;
  char buffer[4096];
  ssize_t n;
  while ((n = read(fd, buffer, sizeof(buffer))) > 0) text.append(buffer, static_cast<size_t>(n));
  close(fd);
  return text;
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

struct Range {
  uint64_t begin, end;
};

}  // namespace

bool OutsideMemory::ReadThreads(bool with_sp, Threads* threads) {
  DIR* tasks = opendir("/proc/self/task");
  if (tasks == nullptr) return false;
  bool good = true;
  const int32_t self = CurrentTid();
  while (const dirent* entry = readdir(tasks)) {
    const int32_t tid = std::atoi(entry->d_name);
    if (tid <= 0 || tid == self) continue;
    const M* m = MOf(tid);
    const bool own = m != nullptr || IsRuntimeThread(tid);
    if (own && !with_sp) continue;
    const std::string folder = std::string("/proc/self/task/") + entry->d_name;
    const std::string status = ReadFile((folder + "/status").c_str());
    if (status.empty()) continue;  // it has ended
    ThreadState state;
    bool found = true;
    state.switches = NumberAfter(status, "\nvoluntary_ctxt_switches:", &found) +
                     NumberAfter(status, "\nnonvoluntary_ctxt_switches:", &found);
    const size_t at = status.find("\nState:\t");
    found = found && at != std::string::npos;
    state.blocked = found && status[at + 8] != 'R';
    state.own = own;
    if (with_sp) state.sp = StackPointerIn(ReadFile((folder + "/syscall").c_str()));
    // An M that runs a goroutine, or did so a moment ago, has left its own stack here.
    if (m != nullptr && (state.sp == 0 || InArena(reinterpret_cast<const void*>(state.sp)))) {
      state.sp = m->g0.context.sp;
    }
    good = good && found;
    (*threads)[tid] = state;
  }
  closedir(tasks);
  return good;
}

OutsideMemory::OutsideMemory() { listed_ = ReadThreads(/*with_sp=*/true, &threads_); }

bool OutsideMemory::Complete() const {
  if (!listed_) return false;
  Threads now;
  if (!ReadThreads(/*with_sp=*/false, &now)) return false;
  for (const auto& [tid, state] : now) {
    const auto before = threads_.find(tid);
    // One that has been born meanwhile was made by one that ran.
    if (before == threads_.end()) return false;
    if (before->second.own) continue;
    if (!before->second.blocked || !state.blocked) return false;
    if (before->second.switches != state.switches) return false;
  }
  return true;
}

// Not instrumented: what it reads is others'.
bool OutsideMemory::Search(uint64_t own_sp, uint64_t low, uint64_t high,
                           const std::function<void(uint64_t word)>& found) {
  const std::string maps = ReadFile("/proc/self/maps");
  if (maps.empty()) return false;
  // Their contents are copies, so they are no memory of the program's.
  void* const scratch = mmap(nullptr, kPieceBytes + kPiecePages * sizeof(uint64_t),
                             PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (scratch == MAP_FAILED) return false;
  const auto scratch_begin = reinterpret_cast<uint64_t>(scratch);
  auto* const words = static_cast<uint64_t*>(scratch);
  auto* const pages = words + kPieceBytes / sizeof(uint64_t);
  const int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);

  // The stack pointers, to leave out what is below them in their mapping.
  std::vector<uint64_t> sps = {own_sp};
  for (const auto& [tid, state] : threads_) {
    if (state.sp != 0) sps.push_back(state.sp);
  }

  uint64_t dead_below = 0;  // in the mapping at hand
  const auto look = [&](uint64_t begin, uint64_t end) {
    if (begin >= end) return;
    const size_t bytes = end - begin;
    if (!SafeRead(begin, words, bytes)) {
      // Some of it is gone or of a device: page by page.
      for (uint64_t page = begin; bytes > kPage && page < end; page += kPage) {
        if (!SafeRead(page, words + (page - begin) / 8, kPage)) {
          std::memset(words + (page - begin) / 8, 0, kPage);
        }
      }
      if (bytes <= kPage) return;
    }
    const size_t n = bytes / 8;
    for (size_t i = 0; i < n; ++i) {
      if (words[i] - low < high - low && begin + 8 * i >= dead_below) found(words[i]);
    }
  };
  const auto look_mapping = [&](Range range) {
    for (uint64_t at = range.begin; at < range.end; at += kPieceBytes) {
      const uint64_t end = std::min<uint64_t>(at + kPieceBytes, range.end);
      const size_t count = (end - at) / kPage;
      const auto bytes = static_cast<ssize_t>(count * sizeof(uint64_t));
      if (pagemap < 0 || pread(pagemap, pages, static_cast<size_t>(bytes),
                               static_cast<off_t>(at / kPage * sizeof(uint64_t))) != bytes) {
        look(at, end);
        continue;
      }
      // Runs of pages that are in memory (bit 63) or swapped out (bit 62).
      for (size_t i = 0; i < count;) {
        if (pages[i] >> 62 == 0) {
          ++i;
          continue;
        }
        const size_t first = i;
        while (i < count && pages[i] >> 62 != 0) ++i;
        look(at + first * kPage, at + i * kPage);
      }
    }
  };

  const char* line = maps.c_str();
  while (*line != '\0') {
    const char* next = std::strchr(line, '\n');
    const char* end_of_line = next != nullptr ? next : line + std::strlen(line);
    Range range{};
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
    if (path.starts_with("/dev/") && !path.starts_with("/dev/shm/") &&
        !path.starts_with("/dev/zero")) {
      continue;
    }
    if (InArena(reinterpret_cast<const void*>(range.begin))) continue;
    if (kHaveShadow && range.end - range.begin > kShadowBytes) continue;
    dead_below = 0;
    for (const uint64_t sp : sps) {
      if (sp < range.begin || sp >= range.end) continue;
      range.begin = sp & ~uint64_t{kPage - 1};
      dead_below = sp;
    }
    if (scratch_begin >= range.begin && scratch_begin < range.end) {
      const uint64_t scratch_end = scratch_begin + kPieceBytes + kPiecePages * sizeof(uint64_t);
      look_mapping({range.begin, scratch_begin});
      look_mapping({(scratch_end + kPage - 1) & ~uint64_t{kPage - 1}, range.end});
    } else {
      look_mapping(range);
    }
  }
  if (pagemap >= 0) close(pagemap);
  munmap(scratch, kPieceBytes + kPiecePages * sizeof(uint64_t));
  return true;
}

}  // namespace leash::rt
