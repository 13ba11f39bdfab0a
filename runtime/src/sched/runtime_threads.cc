// Laws: (1) `count` grows when the thread runs already and shrinks while it still does: one that is
//   counted and not there would stand for another in the deadlock check.  (2) Of a slot only the
//   thread that has taken it writes the stack, between kTaken and its tid. So whoever reads the
//   same tid before and after the stack has read that thread's stack, and not a mixture of two.

#include "sched/runtime_threads.h"

#include <atomic>

#include "base/race.h"
#include "sched/scheduler.h"

namespace leash::rt {
namespace {

struct Slot {
  std::atomic<int32_t> tid{0};
  std::atomic<uint64_t> low{0}, top{0};
};
constexpr int32_t kFree = 0;
constexpr int32_t kTaken = -1;  // and not yet filled in
constexpr int kKnownMax = 256;

// ThreadSanitizer keeps a thread of its own, which a child after fork() may be without.
constinit std::atomic<int> count{race::kEnabled ? 1 : 0};
constinit Slot known[kKnownMax];

}  // namespace

void RegisterRuntimeThread() {
  count.fetch_add(1, std::memory_order_seq_cst);  // (1)
  const ThreadStack stack = CurrentThreadStack();
  const int32_t tid = CurrentTid();
  for (Slot& slot : known) {
    int32_t nobody = kFree;
    if (!slot.tid.compare_exchange_strong(nobody, kTaken, std::memory_order_relaxed)) continue;
    // Pairs with the acquire fence in IsRuntimeThread: who reads a word of this stack sees that the
    // slot was taken, and not the tid before that (2).
    std::atomic_thread_fence(std::memory_order_release);
    slot.low.store(stack.low, std::memory_order_relaxed);
    slot.top.store(stack.top, std::memory_order_relaxed);
    // Release: pairs with the acquire in IsRuntimeThread, which reads the stack after it (2).
    slot.tid.store(tid, std::memory_order_release);
    return;
  }
}

void UnregisterRuntimeThread() {
  count.fetch_sub(1, std::memory_order_seq_cst);  // (1)
  const int32_t tid = CurrentTid();
  for (Slot& slot : known) {
    int32_t self = tid;
    if (slot.tid.compare_exchange_strong(self, kFree, std::memory_order_relaxed)) return;
  }
}

void ForgetRuntimeThreads() {
  count.store(0, std::memory_order_seq_cst);
  for (Slot& slot : known) slot.tid.store(kFree, std::memory_order_relaxed);
}

int CountRuntimeThreads() { return count.load(std::memory_order_seq_cst); }

bool IsRuntimeThread(int32_t tid, ThreadStack* stack) {
  for (const Slot& slot : known) {
    if (slot.tid.load(std::memory_order_acquire) != tid) continue;
    const ThreadStack read{slot.low.load(std::memory_order_relaxed),
                           slot.top.load(std::memory_order_relaxed)};
    std::atomic_thread_fence(std::memory_order_acquire);
    if (slot.tid.load(std::memory_order_relaxed) != tid) continue;  // (2)
    if (stack != nullptr) *stack = read;
    return true;
  }
  return false;
}

}  // namespace leash::rt
