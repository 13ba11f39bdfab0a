// Capture(), Stack() and WriteProfile().

#include <algorithm>
#include <cstring>
#include <memory>
#include <unordered_map>

#include "base/clock.h"
#include "base/race.h"
#include "debug/capture.h"
#include "debug/traceback.h"
#include "leash/debug.h"
#include "model/go_text.h"
#include "model/writer.h"
#include "sched/park.h"
#include "sched/registry.h"
#include "sched/scheduler.h"

namespace leash::rt {
namespace {

// Records captured at a time where the output is streamed.
constexpr size_t kChunk = 4096;

// Who holds a lock is recorded by id: is it still there?
class Holders {
 public:
  void Mark(Snapshot* snapshot) {
    for (const leash::WaitObject& o : snapshot->objects) {
      if (o.holder != 0 && alive_.try_emplace(o.holder, false).second) ++unknown_;
    }
    if (unknown_ != 0) LookThroughRegistry();
    for (leash::WaitObject& o : snapshot->objects) {
      if (o.holder != 0) o.holder_alive = alive_[o.holder];
    }
  }

 private:
  void LookThroughRegistry() {
    const size_t n = GCount();
    for (size_t i = 0; i < n; ++i) {
      const G* g = GAt(i);
      // Acquire: pairs with the release in StartGoroutine, so the id is this one's.
      const GStatus status = g->status.load(std::memory_order_acquire);
      if (status == GStatus::kIdle || status == GStatus::kDead) continue;
      const auto holder = alive_.find(g->id.load(std::memory_order_relaxed));
      if (holder != alive_.end()) holder->second = true;
    }
    unknown_ = 0;
  }

  std::unordered_map<uint64_t, bool> alive_;  // by id
  int unknown_ = 0;                           // of these, not looked for yet
};

// Has the compiler save all registers in the caller's frame that calls preserve: they may hold the
// program's own pointers. Returns that frame's stack pointer.
[[gnu::always_inline]] inline uint64_t SaveRegisters() {
  uint64_t sp;
#if defined(__x86_64__)
  asm volatile("mov %%rsp, %0" : "=r"(sp)::"rbx", "r12", "r13", "r14", "r15", "memory");
#else
  asm volatile("mov %0, sp"
               : "=r"(sp)::"x19", "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27", "x28",
                 "memory");
#endif
  return sp;
}

// Walking other stacks leaves pointers to them on this one, below. The next capture, made from
// deeper frames, would find them in these and take them for the program's.
[[gnu::noinline]] void WipeDeadFrames() {
  constexpr size_t kBytes = size_t{12} << 10;
  char dead[kBytes];
  explicit_bzero(dead, sizeof(dead));
}

}  // namespace

Snapshot CaptureAll(const debug::CaptureOptions& options) {
  const race::Ignore ignore;
  EnsureStarted();
  Snapshot snapshot;
  DescribeProgram(&snapshot);
  const int64_t begin = MonotonicNow();
  Capturer capturer(options, &snapshot);
  capturer.CaptureRange(0, GCount());
  if (options.mentions) {
    capturer.SetCallerSp(SaveRegisters());
    capturer.FindMentions();
  }
  // A goroutine's dead frames are not searched, and it may not have so much left.
  if (GetThread()->m == nullptr) WipeDeadFrames();
  Holders().Mark(&snapshot);
  snapshot.capture_ns = MonotonicNow() - begin;
  return snapshot;
}

Snapshot CaptureSelf() {
  const race::Ignore ignore;
  EnsureStarted();
  Snapshot snapshot;
  DescribeProgram(&snapshot);
  debug::CaptureOptions options;
  options.mentions = false;
  Capturer capturer(options, &snapshot);
  capturer.CaptureSelf();
  return snapshot;
}

std::string AllStacks(bool elide) {
  const race::Ignore ignore;
  debug::CaptureOptions options;
  options.mentions = false;
  Snapshot snapshot = CaptureAll(options);
  std::sort(snapshot.goroutines.begin(), snapshot.goroutines.end(),
            [](const leash::Goroutine& a, const leash::Goroutine& b) {
              return a.current != b.current ? a.current : a.id < b.id;
            });
  std::string text;
  for (const leash::Goroutine& g : snapshot.goroutines) {
    if (!text.empty()) text += "\n";
    internal::AppendGoroutine(snapshot, g, {.full = false, .elide = elide}, &text);
  }
  return text;
}

}  // namespace leash::rt

namespace leash::debug {

Snapshot Capture(const CaptureOptions& options) { return rt::CaptureAll(options); }

std::string Stack(bool all) {
  if (all) return rt::AllStacks(/*elide=*/false);
  const Snapshot snapshot = rt::CaptureSelf();
  std::string text;
  for (const leash::Goroutine& g : snapshot.goroutines) {
    internal::AppendGoroutine(snapshot, g, {}, &text);
  }
  return text;
}

void WriteProfile(std::ostream& out, int debug) {
  internal::StreamSink sink(&out);
  const std::unique_ptr<internal::SnapshotWriter> writer = internal::NewProfileWriter(debug, &sink);
  writer->Write(rt::CaptureSelf());
  CaptureOptions options;
  options.mentions = false;
  rt::EnsureStarted();
  rt::Holders holders;
  const size_t count = rt::GCount();
  for (size_t begin = 0; begin < count; begin += rt::kChunk) {
    Snapshot snapshot;
    rt::DescribeProgram(&snapshot);
    rt::Capturer capturer(options, &snapshot);
    capturer.SkipSelf();
    capturer.CaptureRange(begin, std::min(begin + rt::kChunk, count));
    holders.Mark(&snapshot);
    writer->Write(snapshot);
  }
  writer->Finish();
}

}  // namespace leash::debug
