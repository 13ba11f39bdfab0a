// ThreadSanitizer's reports, taken over: each is read, printed in Go's form and hidden from
// ThreadSanitizer, which then counts none; at the end of the process the count is ours.
//
// The hook runs on the stack of whoever raced, with ThreadSanitizer's locks held. It may not start
// a thread, wait for one, let its own memory be watched, or free memory as programs do.

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <system_error>

#include "base/check.h"
#include "leash/internal/race_seam.h"
#include "race/options.h"
#include "race/report.h"
#include "race/tsan_interface.h"

// What brings this file into a program: see CMakeLists.txt.
extern "C" constinit const char leash_race_hooks = 0;

namespace leash::race {
namespace {

constexpr size_t kFramesMax = 256;

constinit std::atomic<int> found{0};

// Among what is held is a lock that whoever finds another race meanwhile may wait for, holding what
// free() wants: that of the slot (the clock that threads take turns with) of the thread that raced
// first. ThreadSanitizer's own symbolizer allocates and frees apart from the program, and so does
// the hook, in its name. What is allocated within must be freed within, or not at all.
class HookMemory {
 public:
  HookMemory() {
    if (&__tsan::EnterSymbolizer != nullptr) __tsan::EnterSymbolizer();
    AnnotateIgnoreReadsBegin(__FILE__, __LINE__);
    AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
    AnnotateIgnoreSyncBegin(__FILE__, __LINE__);
  }
  ~HookMemory() {
    AnnotateIgnoreSyncEnd(__FILE__, __LINE__);
    AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
    AnnotateIgnoreReadsEnd(__FILE__, __LINE__);
    if (&__tsan::ExitSymbolizer != nullptr) __tsan::ExitSymbolizer();
  }
  HookMemory(const HookMemory&) = delete;
  HookMemory& operator=(const HookMemory&) = delete;
};

Pcs PcsOf(void* const* trace) {
  Pcs pcs;
  for (size_t i = 0; i < kFramesMax && trace[i] != nullptr; ++i) {
    pcs.push_back(reinterpret_cast<uint64_t>(trace[i]));
  }
  return pcs;
}

// 0: it is no goroutine.
uint64_t GoroutineOf(const std::string& name) {
  constexpr std::string_view kPrefix = "goroutine ";
  return name.starts_with(kPrefix) ? strtoull(name.c_str() + kPrefix.size(), nullptr, 10) : 0;
}

Report ReadReport(void* from) {
  Report report;
  const char* kind = nullptr;
  int count = 0, stacks = 0, accesses = 0, locations = 0, mutexes = 0, threads = 0, tids = 0;
  void* sleep[1] = {};
  __tsan_get_report_data(from, &kind, &count, &stacks, &accesses, &locations, &mutexes, &threads,
                         &tids, sleep, 1);
  report.kind = kind == nullptr ? "" : kind;
  for (int i = 0; i < accesses; ++i) {
    int tid = 0, size = 0, write = 0, atomic = 0;
    void *address = nullptr, *trace[kFramesMax] = {};
    __tsan_get_report_mop(from, static_cast<unsigned long>(i), &tid, &address, &size, &write,
                          &atomic, trace, kFramesMax);
    report.accesses.push_back({write != 0, reinterpret_cast<uint64_t>(address), tid, PcsOf(trace)});
  }
  for (int i = 0; i < stacks; ++i) {
    void* trace[kFramesMax] = {};
    __tsan_get_report_stack(from, static_cast<unsigned long>(i), trace, kFramesMax);
    report.stacks.push_back(PcsOf(trace));
  }
  for (int i = 0; i < threads; ++i) {
    int tid = 0, running = 0, parent = 0;
    unsigned long os_id = 0;
    const char* name = nullptr;
    void* trace[kFramesMax] = {};
    __tsan_get_report_thread(from, static_cast<unsigned long>(i), &tid, &os_id, &running, &name,
                             &parent, trace, kFramesMax);
    Participant participant{tid, os_id, running != 0, name == nullptr ? "" : name, PcsOf(trace)};
    const uint64_t goroutine = GoroutineOf(participant.name);
    if (goroutine != 0 && internal::HasEnded(goroutine)) participant.running = false;
    report.participants.push_back(std::move(participant));
  }
  return report;
}

// Where reports go: opened at the first.
int LogFd() {
  static const int fd = [] {
    const std::string path(ProgramOptions().log_path);
    if (path.empty() || path == "stderr") return 2;
    if (path == "stdout") return 1;
    const std::string file = path + "." + std::to_string(getpid());
    const int opened = open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (opened >= 0) return opened;
    dprintf(2, "leash: open %s: %s: race reports go to standard error\n", file.c_str(),
            std::generic_category().message(errno).c_str());
    return 2;
  }();
  return fd;
}

void WriteAll(std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = write(LogFd(), text.data(), text.size());
    if (n > 0) {
      text.remove_prefix(static_cast<size_t>(n));
    } else if (n == 0 || errno != EINTR) {
      return;  // there is no other place to say it
    }
  }
}

void WriteCount() {
  WriteAll("Found " + std::to_string(found.load(std::memory_order_relaxed)) + " data race(s)\n");
}

// The first access of a report is the calling thread's.
bool IsOfAThreadLocal(void* from) {
  int tid = 0, size = 0, write = 0, atomic = 0;
  void *address = nullptr, *trace[1] = {};
  if (__tsan_get_report_mop(from, 0, &tid, &address, &size, &write, &atomic, trace, 1) == 0) {
    return false;
  }
  return internal::IsOwnThreadLocal(reinterpret_cast<uint64_t>(address));
}

void PrintReport(void* from) {
  WriteAll(
      ReportText(ReadReport(from), internal::DescribeForRace, ProgramOptions().strip_path_prefix));
}

}  // namespace
}  // namespace leash::race

namespace __tsan {

bool OnReport(const ReportDesc* report, bool suppressed) {
  using leash::race::ProgramOptions;
  auto* from = const_cast<ReportDesc*>(report);
  if (suppressed || leash::race::IsOfAThreadLocal(from)) return true;
  const int saved_errno = errno;
  {
    leash::race::HookMemory memory;
    leash::race::found.fetch_add(1, std::memory_order_relaxed);
    leash::internal::RunForRace(&leash::race::PrintReport, from);
    if (ProgramOptions().halt_on_error) {
      leash::race::WriteCount();
      leash::rt::ExitProcess(ProgramOptions().exitcode);
    }
  }
  errno = saved_errno;
  return true;
}

bool OnFinalize(bool failed) {
  if (leash::race::found.load(std::memory_order_relaxed) == 0) return failed;
  leash::race::WriteCount();
  return true;
}

}  // namespace __tsan
