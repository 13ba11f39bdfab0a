// What the verifier asks of the runtime. Not for programs.

#ifndef LEASH_INTERNAL_VERIFY_SEAM_H_
#define LEASH_INTERNAL_VERIFY_SEAM_H_

#include <cstdint>
#include <string_view>
#include <vector>

namespace leash::internal {

// Names of tests. The same pointer for the same text, for ever.
const char* InternTestName(std::string_view name);

// The test that this process runs now, or null. What a thread spawns belongs to it, and so does
// whatever these goroutines spawn, then and later. Does not start the runtime.
void SetRunningTest(const char* test);

// The test that the caller belongs to: of a goroutine the one that began its ancestry, of a thread
// the one that runs now. Null: none.
const char* TestOfCaller();

// Starts the runtime, and records the calls that lead to each spawn from now on.
void RecordSpawnStacks();

// True if no goroutine exists. Some nanoseconds; true also where the runtime has not started.
bool NoGoroutines();

// One goroutine, as far as its record tells without reading its stack.
struct Glimpse {
  uint64_t id = 0;
  uint32_t seq = 0;   // changes whenever it starts or stops to run
  bool busy = false;  // running or runnable
  bool background = false;
  const char* test = nullptr;
};

// Every goroutine but the caller. Reads some words of each record; takes no lock.
std::vector<Glimpse> GlanceAtGoroutines();

// Waiting until a goroutine parks or ends:
//
//     const uint32_t ticket = WatchMoves();
//     ... look ...
//     WaitForMove(ticket, timeout_ns);
//
// returns at once if one did since WatchMoves(), else when one does or the time is over (negative:
// no limit). May return for no reason. Blocks the calling thread; a goroutine's P goes on without
// it.
uint32_t WatchMoves();
void WaitForMove(uint32_t ticket, int64_t timeout_ns);

}  // namespace leash::internal

#endif  // LEASH_INTERNAL_VERIFY_SEAM_H_
