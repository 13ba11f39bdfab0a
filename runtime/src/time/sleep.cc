// leash::Sleep and leash::Now.

#include <atomic>
#include <cstdint>

#include "leash/time.h"
#include "sched/park.h"
#include "sched/timer.h"
#include "time/clock.h"

namespace leash {
namespace rt {
namespace {

// On the sleeper's stack. `word` is empty, the G that sleeps, or kFired. The timer is armed before
// the caller parks, where a failure to arm it can still be thrown; it may fire before that too.
struct Sleeper {
  RtTimer timer;
  std::atomic<uintptr_t> word{0};
};
constexpr uintptr_t kFired = 1;

void Fire(RtTimer* timer, int64_t) {
  auto* const sleeper = static_cast<Sleeper*>(timer->arg);
  // After this the sleeper may be gone.
  const uintptr_t old = sleeper->word.exchange(kFired, std::memory_order_acq_rel);
  if (old != 0) Ready(reinterpret_cast<G*>(old));
}

bool CommitSleep(G* g, void* arg) {
  uintptr_t expected = 0;
  return static_cast<Sleeper*>(arg)->word.compare_exchange_strong(
      expected, reinterpret_cast<uintptr_t>(g), std::memory_order_acq_rel);
}

}  // namespace
}  // namespace rt

void Sleep(absl::Duration duration) {
  if (duration <= absl::ZeroDuration()) return;
  rt::CurrentG();  // a thread's first call starts the runtime, which its timer needs
  rt::Sleeper sleeper;
  sleeper.timer.fn = rt::Fire;
  sleeper.timer.arg = &sleeper;
  rt::StartTimer(&sleeper.timer, rt::WhenAfter(duration), 0);
  rt::Park(rt::WaitReason::kSleep, nullptr, rt::CommitSleep, &sleeper);
}

absl::Time Now() { return rt::WallNow(); }

}  // namespace leash
