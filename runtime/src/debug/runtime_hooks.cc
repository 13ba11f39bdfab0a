// The reports that end the process, and what else the scheduler asks of this part: see
// sched/start_hooks.h.
//
// Reports of a healthy process (a panic, a fatal error, SIGQUIT) are made with everything there is:
// symbols with lines, inlined calls, allocation. Where the process is not to be trusted (a stack
// has run over, in whatever it was doing) nothing is allocated and names come without lines.

#include <unistd.h>

#include <cstring>
#include <string>

#include "base/check.h"
#include "base/env.h"
#include "base/raw_print.h"
#include "debug/pretty_site.h"
#include "debug/symbolize.h"
#include "debug/trace_session.h"
#include "debug/traceback.h"
#include "model/go_text.h"
#include "sched/park.h"
#include "sched/scheduler.h"
#include "sched/start_hooks.h"
#include "stack/unwind.h"
#include "stack/unwind_table.h"
#include "sync/wait_queue.h"

// Set by leash::debug_server where it is linked: LEASH_DEBUG_ADDR.
extern "C" [[gnu::weak]] void leash_debug_server_start();

namespace leash::rt {
namespace {

void PrintAllStacks(bool) {
  if (GetSettings().traceback == Traceback::kNone) return;
  RawPrinter() << "\n" << AllStacks(/*elide=*/true);
}

// The frames of throwing and terminating, innermost: what the panic is reported from.
bool IsThrowing(std::string_view function) {
  for (std::string_view name :
       {"__cxa_throw", "__cxa_rethrow", "std::terminate", "__cxxabiv1::__terminate", "leash::Panic",
        "std::rethrow_exception", "__gxx_personality"}) {
    if (function.starts_with(name)) return true;
  }
  return false;
}

// Leaves the frames out that lead from the throw to the report.
void DropThrowing(Snapshot* snapshot, leash::Goroutine* g) {
  leash::Stack stack = snapshot->stacks[g->stack];
  size_t keep = 0;
  for (size_t i = 0; i < stack.locations.size(); ++i) {
    for (const Frame& frame : snapshot->locations[stack.locations[i]].frames) {
      if (IsThrowing(snapshot->String(frame.function))) keep = i + 1;
    }
  }
  stack.locations.erase(stack.locations.begin(),
                        stack.locations.begin() + static_cast<ptrdiff_t>(keep));
  g->stack = snapshot->AddStack(std::move(stack));
}

constexpr int kOverflowFramesMax = 16384;
constexpr int kOverflowFramesShown = 50;  // from each end, as Go
uint64_t overflow_pcs[kOverflowFramesMax];

void PrintCrashFrame(RawPrinter& out, uint64_t pc) {
  char name[512];
  SymbolizeForCrash(pc, name, sizeof(name));
  out << name << "\n\t";
  out.Hex(pc) << "\n";
}

}  // namespace

void OnRuntimeStart() {
  SetTraceback(&PrintAllStacks);
  InstallQuitHandler();
  TraceFromEnvironment();
  if (leash_debug_server_start != nullptr) leash_debug_server_start();
}

void OnFork() {
  ResetQueueLocksAfterFork();
  ForgetTraceSession();
}

// Made before it is needed: the report of a stack overflow cannot make it.
void OnSysmonStart() { CurrentUnwindTable(); }

void PrintPanicStacks(G*, bool all) {
  Snapshot self = CaptureSelf();
  std::string text = "\n";
  for (leash::Goroutine& g : self.goroutines) {
    DropThrowing(&self, &g);
    internal::AppendGoroutine(self, g, {.full = false, .elide = true}, &text);
  }
  if (all) {
    debug::CaptureOptions options;
    options.mentions = false;
    const Snapshot others = CaptureAll(options);
    for (const leash::Goroutine& g : others.goroutines) {
      if (g.current) continue;
      text += "\n";
      internal::AppendGoroutine(others, g, {.full = false, .elide = true}, &text);
    }
  }
  RawPrinter() << text;
}

void PrintOverflowStack(G* g, const void* ucontext) {
  const UnwindRegs regs = RegsFromUcontext(ucontext);
  const auto high = reinterpret_cast<uint64_t>(StackTopOf(g));
  // The stack pointer may stand in the guard page: what lies there cannot be read.
  const auto low = reinterpret_cast<uint64_t>(StackLow(g->stack)) + 4096;
  const uint64_t from = regs.sp < low ? low : regs.sp;
  // sysmon makes it when it starts; a program that overflows in its first milliseconds waits for
  // that.
  const UnwindTable* table = LatestUnwindTable();
  for (int i = 0; table == nullptr && i < 2000; ++i) {
    usleep(1000);
    table = LatestUnwindTable();
  }
  const int n = table == nullptr
                    ? 0
                    : Unwind(*table, regs, /*exact_pc=*/true, MemoryView::Live(from, high),
                             overflow_pcs, kOverflowFramesMax);
  RawPrinter out;
  out << "goroutine " << IdOf(g) << " [running]:\n";
  for (int i = 0; i < n; ++i) {
    if (n > 2 * kOverflowFramesShown && i == kOverflowFramesShown) {
      out << "..." << n - 2 * kOverflowFramesShown << " frames elided...\n";
      i = n - kOverflowFramesShown;
    }
    PrintCrashFrame(out, overflow_pcs[i]);
  }
  out << "created by " << g->site.function_name() << " in goroutine " << g->parent_id << "\n\t"
      << g->site.file_name() << ":" << static_cast<int64_t>(g->site.line()) << "\n";
}

}  // namespace leash::rt
