// Ticks: sending on a timer's channel, and taking back what was sent.

#include "chan/timer_chan.h"

#include "base/check.h"
#include "chan/chan_core.h"

namespace leash::rt {

bool TimerSend(ChanCore* chan, void* value) {
  LEASH_CHECK(chan->flavor == ChanFlavor::kTimer);
  ChanLock lock(chan);
  const Attempt attempt = SendLocked(chan, value, &lock.wake);
  LEASH_CHECK(attempt != Attempt::kClosed);
  return attempt == Attempt::kDone;
}

bool ClearBuffer(ChanCore* chan) {
  LEASH_CHECK(chan->flavor == ChanFlavor::kTimer);
  ChanLock lock(chan);
  if (chan->Length() == 0) return false;
  if (chan->type->destroy != nullptr) chan->type->destroy(chan->Slot(chan->recv_index));
  chan->recv_index = chan->After(chan->recv_index);
  chan->length.store(chan->Length() - 1, std::memory_order_relaxed);
  return true;
}

bool HasReceivers(const ChanCore* chan) { return !chan->recvq.Empty(); }

}  // namespace leash::rt
