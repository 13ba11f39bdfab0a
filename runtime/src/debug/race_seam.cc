// The runtime's side of leash::race: see leash/internal/race_seam.h.
//
// ThreadSanitizer calls its hook on the stack of whoever raced, and holds locks of its own
// meanwhile that the creation of a thread, among others, would take again. So the symbols are read
// right there, on another stack, by a Symbolizer that nobody else uses.

#include "leash/internal/race_seam.h"

#include <sys/mman.h>
#include <ucontext.h>

#include <cstddef>
#include <utility>

#include "base/check.h"
#include "debug/symbolize.h"
#include "debug/symbolize_own_stack.h"
#include "sched/scheduler.h"
#include "sched/tsan_fiber.h"

namespace leash::internal {
namespace {

constexpr size_t kStackBytes = size_t{1} << 20;

struct Call {
  void (*work)(void*) = nullptr;
  void* argument = nullptr;
  ucontext_t there, back;
};
constinit Call* call = nullptr;

void RunCall() { call->work(call->argument); }

}  // namespace

std::vector<RaceFrame> DescribeForRace(uint64_t pc) {
  static auto* symbolizer = new rt::Symbolizer;
  const rt::SymbolLocation location = symbolizer->Locate(pc, /*exact=*/false);
  std::vector<RaceFrame> frames;
  for (const rt::SymbolFrame& from : location.frames) {
    frames.push_back({from.function, from.file, from.line, location.offset, from.runtime});
  }
  return frames;
}

void RunForRace(void (*work)(void*), void* argument) {
  static void* const stack = mmap(nullptr, kStackBytes, PROT_READ | PROT_WRITE,
                                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  static auto* const record = new Call;
  LEASH_CHECK(stack != MAP_FAILED);
  call = record;
  call->work = work;
  call->argument = argument;
  LEASH_CHECK(getcontext(&call->there) == 0);
  call->there.uc_stack.ss_sp = stack;
  call->there.uc_stack.ss_size = kStackBytes;
  call->there.uc_link = &call->back;
  makecontext(&call->there, &RunCall, 0);
  rt::on_own_stack = true;
  LEASH_CHECK(swapcontext(&call->back, &call->there) == 0);
  rt::on_own_stack = false;
}

// Of the program's, an M's native stack has nothing but them: goroutines have stacks of their own.
bool IsOwnThreadLocal(uint64_t address) {
  const rt::M* m = rt::GetThread()->m;
  return m != nullptr &&
         address - reinterpret_cast<uint64_t>(m->native_stack) < m->native_stack_bytes;
}

bool HasEnded(uint64_t goroutine) { return rt::IsKeptFiber(goroutine); }

}  // namespace leash::internal
