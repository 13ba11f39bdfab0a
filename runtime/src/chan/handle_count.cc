// The counts of a channel's handles: its lifetime, and who could still use it.
//
// Laws: (1) A handle adds its rights to `handles`, and to `elsewhere` iff it does not lie in the
//   memory of goroutines; the place of an object never changes, so what is added is taken away. (2)
//   A right can only be copied from a handle that has it: when one's own is the last of its kind,
//   no other will come by copying. So its drop can be written down before the count goes to zero,
//   and has to be: afterwards the channel may be gone.
//
// Out of line and never instrumented: no race detector sees these atomics, so they order nothing in
// its eyes.

#include <atomic>
#include <cstdint>

#include "base/check.h"
#include "chan/chan_core.h"
#include "leash/internal/chan_handle.h"
#include "sched/park.h"

namespace leash::internal {
namespace {

constexpr uint64_t Senders(uint64_t handles) { return handles >> 32; }
constexpr uint64_t Receivers(uint64_t handles) { return handles & UINT32_MAX; }

// Far below what the halves hold, so that even threads that count at the same time cannot overflow.
constexpr uint64_t kHandlesMax = uint64_t{1} << 31;

void Record([[maybe_unused]] rt::LastDrop& drop, [[maybe_unused]] void* pc) {
#if LEASH_RECORD
  drop.pc.store(reinterpret_cast<uint64_t>(pc), std::memory_order_relaxed);
  const rt::G* self = rt::CurrentGOrNull();
  drop.by.store(self == nullptr ? 0 : rt::IdOf(self), std::memory_order_relaxed);
#endif
}

}  // namespace

void HandleAdded(rt::ChanCore* chan, uint64_t rights, [[maybe_unused]] const void* at) noexcept {
  const uint64_t old = chan->handles.fetch_add(rights, std::memory_order_relaxed);
  LEASH_CHECK(Senders(old) < kHandlesMax);
  LEASH_CHECK(Receivers(old) < kHandlesMax);
#if LEASH_RECORD
  if (!rt::IsGoroutineMemory(at)) chan->elsewhere.fetch_add(rights, std::memory_order_relaxed);
#endif
}

void HandleMoved([[maybe_unused]] rt::ChanCore* chan, [[maybe_unused]] uint64_t rights,
                 [[maybe_unused]] const void* from, [[maybe_unused]] const void* to) noexcept {
#if LEASH_RECORD
  const bool was_elsewhere = !rt::IsGoroutineMemory(from);
  const bool is_elsewhere = !rt::IsGoroutineMemory(to);
  if (was_elsewhere == is_elsewhere) return;
  chan->elsewhere.fetch_add(is_elsewhere ? rights : -rights, std::memory_order_relaxed);
#endif
}

[[gnu::noinline]] void HandleDropped(rt::ChanCore* chan, uint64_t rights,
                                     [[maybe_unused]] const void* at) noexcept {
#if LEASH_RECORD
  if (!rt::IsGoroutineMemory(at)) chan->elsewhere.fetch_sub(rights, std::memory_order_relaxed);
#endif
  uint64_t old = chan->handles.load(std::memory_order_relaxed);
  do {
    LEASH_CHECK(Senders(old) >= Senders(rights));
    LEASH_CHECK(Receivers(old) >= Receivers(rights));
    if (old != rights) {  // (2)
      void* pc = __builtin_return_address(0);
      const bool sends = Senders(rights) != 0, receives = Receivers(rights) != 0;
      if (sends && Senders(old) == Senders(rights)) Record(chan->last_sender, pc);
      if (receives && Receivers(old) == Receivers(rights)) Record(chan->last_receiver, pc);
    }
    // Release: what this holder did to the channel's memory. Acquire: what the others did, before
    // the last one frees it.
  } while (!chan->handles.compare_exchange_weak(old, old - rights, std::memory_order_acq_rel,
                                                std::memory_order_relaxed));
  if (old == rights) rt::ChanUnreferenced(chan);
}

}  // namespace leash::internal
