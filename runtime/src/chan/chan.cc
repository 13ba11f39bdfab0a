// Send, receive and close, with their waits. What they do under the lock: chan_core.cc.

#include <cstdint>

#include "base/check.h"
#include "base/race.h"
#include "chan/chan_core.h"
#include "chan/sudog.h"
#include "leash/go.h"
#include "leash/internal/chan_handle.h"
#include "sched/park.h"

namespace leash::internal {
namespace {

using rt::Attempt;
using rt::ChanCore;
using rt::ChanLock;
using rt::G;
using rt::Outcome;
using rt::Sudog;
using rt::WaitReason;
namespace race = rt::race;

[[noreturn]] void ParkForEver(WaitReason reason) {
  static_cast<void>(rt::CurrentG());
  for (;;) rt::Park(reason, nullptr, nullptr);
}

[[noreturn]] void PanicSendOnClosed() { Panic("send on closed channel"); }

// Waits in a queue of `chan` until somebody completes the operation, closes the channel or finds
// that it should be tried again. Drops `lock`.
Outcome Wait(ChanCore* chan, ChanLock& lock, G* self, CaseOp op, void* value,
             bool again) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  Sudog sudog{};
  sudog.g = self;
  sudog.chan = chan;
  sudog.value = value;
  sudog.count = 1;
  sudog.op = op;
  sudog.token.Release();
  rt::SudogQueue& queue = op == CaseOp::kSend ? chan->sendq : chan->recvq;
  if (again) {
    queue.PushFront(&sudog);
  } else {
    queue.PushBack(&sudog);
  }
  rt::Park(op == CaseOp::kSend ? WaitReason::kChanSend : WaitReason::kChanReceive, chan,
           lock.GiveToPark());
  LEASH_CHECK(sudog.outcome != Outcome::kNone);
  LEASH_CHECK(!sudog.queued);
  sudog.token.Acquire();
  return sudog.outcome;
}

}  // namespace

void ChanSend(ChanCore* chan, void* value) {
  const race::Entry entry;
  if (chan == nullptr) ParkForEver(WaitReason::kChanSendNil);
  race::Read(&chan->race_word);
  for (bool again = false;;) {
    ChanLock lock(chan);
    const Attempt attempt = rt::SendLocked(chan, value, &lock.wake);
    if (attempt == Attempt::kDone) return;
    if (attempt == Attempt::kClosed) {
      lock.Unlock();
      PanicSendOnClosed();
    }
    G* self = rt::CurrentGOrNull();
    if (self == nullptr) {
      // Its first use of leash, which may start the runtime: not under a lock.
      lock.Unlock();
      static_cast<void>(rt::CurrentG());
      continue;
    }
    const Outcome outcome = Wait(chan, lock, self, CaseOp::kSend, value, again);
    if (outcome == Outcome::kDone) return;
    if (outcome == Outcome::kClosed) PanicSendOnClosed();
    again = true;
  }
}

bool ChanTrySend(ChanCore* chan, void* value) {
  const race::Entry entry;
  if (chan == nullptr) return false;
  race::Read(&chan->race_word);
  // In this order: a closed channel stays closed, so it was open when it was full.
  if (!chan->Closed() && chan->SeemsFull()) return false;
  ChanLock lock(chan);
  const Attempt attempt = rt::SendLocked(chan, value, &lock.wake);
  lock.Unlock();
  if (attempt == Attempt::kClosed) PanicSendOnClosed();
  return attempt == Attempt::kDone;
}

bool ChanRecv(ChanCore* chan, void* room) {
  const race::Entry entry;
  if (chan == nullptr) ParkForEver(WaitReason::kChanReceiveNil);
  for (bool again = false;;) {
    ChanLock lock(chan);
    const Attempt attempt = rt::RecvLocked(chan, room, &lock.wake);
    if (attempt == Attempt::kDone) return true;
    if (attempt == Attempt::kClosed) {
      chan->close_token.Acquire();
      return false;
    }
    G* self = rt::CurrentGOrNull();
    if (self == nullptr) {
      lock.Unlock();
      static_cast<void>(rt::CurrentG());
      continue;
    }
    const Outcome outcome = Wait(chan, lock, self, CaseOp::kRecv, room, again);
    if (outcome == Outcome::kDone) return true;
    if (outcome == Outcome::kClosed) return false;
    again = true;
  }
}

TryResult ChanTryRecv(ChanCore* chan, void* room) {
  const race::Entry entry;
  if (chan == nullptr) return TryResult::kWouldBlock;
  // Open after it was empty: nothing was there at that moment. (The other order would miss what was
  // sent, and the close after it, in between.)
  if (chan->SeemsEmpty() && !chan->Closed()) return TryResult::kWouldBlock;
  ChanLock lock(chan);
  const Attempt attempt = rt::RecvLocked(chan, room, &lock.wake);
  if (attempt == Attempt::kClosed) chan->close_token.Acquire();
  lock.Unlock();
  return attempt == Attempt::kDone     ? TryResult::kDone
         : attempt == Attempt::kClosed ? TryResult::kClosed
                                       : TryResult::kWouldBlock;
}

void ChanClose(ChanCore* chan) {
  const race::Entry entry;
  if (chan == nullptr) Panic("close of nil channel");
  Sudog* woken = nullptr;
  {
    ChanLock lock(chan);
    if (chan->closed.load(std::memory_order_relaxed) != 0) {
      lock.Unlock();
      Panic("close of closed channel");
    }
    race::Write(&chan->race_word);
    chan->close_token.Release();
    // Release: pairs with the acquire in Closed().
    chan->closed.store(1, std::memory_order_release);
    for (rt::SudogQueue* queue : {&chan->recvq, &chan->sendq}) {
      while (Sudog* sudog = queue->Claim()) {
        queue->Remove(sudog);
        sudog->outcome = Outcome::kClosed;
        // A close orders nothing for a sender, which panics.
        if (sudog->op == CaseOp::kRecv) sudog->token.Release();
        sudog->next = woken;
        woken = sudog;
      }
    }
  }
  // The list is last in, first out: turned round, so that they wake in the order of their waits.
  Sudog* in_order = nullptr;
  while (woken != nullptr) {
    Sudog* next = woken->next;
    woken->next = in_order;
    in_order = woken;
    woken = next;
  }
  while (in_order != nullptr) {
    G* g = in_order->g;
    in_order = in_order->next;  // gone, once its goroutine runs
    rt::Ready(g);
  }
}

size_t ChanLen(const ChanCore* chan) {
  return chan == nullptr || chan->flavor == ChanFlavor::kTimer ? 0 : chan->Length();
}

size_t ChanCap(const ChanCore* chan) {
  return chan == nullptr || chan->flavor == ChanFlavor::kTimer ? 0 : chan->capacity;
}

}  // namespace leash::internal
