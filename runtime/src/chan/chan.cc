// Send, receive and close, with their waits. What they do under the lock: chan_core.cc.

#include <cstdint>

#include "base/check.h"
#include "base/race.h"
#include "chan/chan_core.h"
#include "chan/copy_element.h"
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
// that it should be tried again. The channel is locked; this unlocks it.
inline Outcome Wait(ChanCore* chan, G* self, CaseOp op, void* value,
                    bool again) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  Sudog sudog{.g = self,
              .chan = chan,
              .select = nullptr,
              .value = value,
              .next = nullptr,
              .prev = nullptr,
              .count = 1,
              .index = 0,
              .op = op,
              .outcome = Outcome::kNone,
              .queued = false};
  sudog.token().Release();
  rt::SudogQueue& queue = op == CaseOp::kSend ? chan->sendq : chan->recvq;
  if (again) {
    queue.PushFront(&sudog);
  } else {
    queue.PushBack(&sudog);
  }
  rt::Park(op == CaseOp::kSend ? WaitReason::kChanSend : WaitReason::kChanReceive, chan,
           &chan->lock);
  LEASH_CHECK(sudog.outcome != Outcome::kNone);
  LEASH_CHECK(!sudog.queued);
  sudog.token().Acquire();
  return sudog.outcome;
}

// What has to wait, or may throw. `locked`: the caller has the lock, and leaves it to this.
[[gnu::noinline]] void SendSlow(ChanCore* chan, void* value, bool locked) {
  for (bool again = false;; locked = false) {
    ChanLock lock(chan, locked);
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
    const Outcome outcome = Wait(lock.GiveToPark(), self, CaseOp::kSend, value, again);
    if (outcome == Outcome::kDone) return;
    if (outcome == Outcome::kClosed) PanicSendOnClosed();
    again = true;
  }
}

[[gnu::noinline]] bool RecvSlow(ChanCore* chan, void* room, bool locked) {
  for (bool again = false;; locked = false) {
    ChanLock lock(chan, locked);
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
    const Outcome outcome = Wait(lock.GiveToPark(), self, CaseOp::kRecv, room, again);
    if (outcome == Outcome::kDone) return true;
    if (outcome == Outcome::kClosed) return false;
    again = true;
  }
}

// Elements that are bytes (law (4): `plain`) need nothing that could throw, and mostly they do not
// have to wait: these two are all of a send and of a receive then. They do what SendLocked and
// RecvLocked do. Unless they are done the channel is locked still.
inline Attempt SendPlain(ChanCore* chan, void* value) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  chan->lock.lock();
  if (__builtin_expect(chan->closed.load(std::memory_order_relaxed) != 0, 0)) {
    return Attempt::kClosed;
  }
  if (Sudog* receiver = chan->recvq.Claim()) {
    rt::CopyElement(receiver->value, value, chan->type->size);
    G* g = rt::Complete(chan->recvq, receiver, Outcome::kDone);
    chan->lock.unlock();
    rt::Ready(g);
    return Attempt::kDone;
  }
  const size_t length = chan->Length();
  if (length < chan->capacity) {
    const size_t i = chan->send_index;
    rt::CopyElement(chan->Slot(i), value, chan->type->size);
    chan->send_index = chan->After(i);
    chan->length.store(length + 1, std::memory_order_relaxed);
    chan->lock.unlock();
    return Attempt::kDone;
  }
  return Attempt::kWouldBlock;
}

inline Attempt RecvPlain(ChanCore* chan, void* room) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  chan->lock.lock();
  if (chan->capacity == 0) {
    if (Sudog* sender = chan->sendq.Claim()) {
      rt::CopyElement(room, sender->value, chan->type->size);
      G* g = rt::Complete(chan->sendq, sender, Outcome::kDone);
      chan->lock.unlock();
      rt::Ready(g);
      return Attempt::kDone;
    }
  } else if (const size_t length = chan->Length(); length > 0) {
    const size_t i = chan->recv_index;
    rt::CopyElement(room, chan->Slot(i), chan->type->size);
    chan->recv_index = chan->After(i);
    if (Sudog* sender = chan->sendq.Claim()) {
      // It was full: what is received next is what the sender adds.
      rt::CopyElement(chan->Slot(chan->send_index), sender->value, chan->type->size);
      chan->send_index = chan->After(chan->send_index);
      G* g = rt::Complete(chan->sendq, sender, Outcome::kDone);
      chan->lock.unlock();
      rt::Ready(g);
      return Attempt::kDone;
    }
    chan->length.store(length - 1, std::memory_order_relaxed);
    chan->lock.unlock();
    return Attempt::kDone;
  }
  return chan->closed.load(std::memory_order_relaxed) != 0 ? Attempt::kClosed
                                                           : Attempt::kWouldBlock;
}

// The rest of such an operation, where it has to wait. A send that was closed finds that out
// by itself: like kRetry that is for the long way, and nothing is locked.
[[gnu::noinline]] Outcome WaitPlain(ChanCore* chan, CaseOp op,
                                    void* value) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  G* self = rt::CurrentGOrNull();
  if (__builtin_expect(self == nullptr, 0)) {
    chan->lock.unlock();
    return Outcome::kRetry;
  }
  return Wait(chan, self, op, value, /*again=*/false);
}

}  // namespace

void ChanSend(ChanCore* chan, void* value) {
  const race::Entry entry;
  if (chan == nullptr) ParkForEver(WaitReason::kChanSendNil);
  race::Read(&chan->race_word);
  bool locked = false;
  if (chan->plain) {
    const Attempt attempt = SendPlain(chan, value);
    if (attempt == Attempt::kDone) return;
    locked = attempt == Attempt::kClosed;
    if (!locked && WaitPlain(chan, CaseOp::kSend, value) == Outcome::kDone) return;
  }
  SendSlow(chan, value, locked);
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
  bool locked = false;
  if (chan->plain) {
    const Attempt attempt = RecvPlain(chan, room);
    if (attempt == Attempt::kDone) return true;
    locked = attempt == Attempt::kClosed;
    if (!locked) {
      const Outcome outcome = WaitPlain(chan, CaseOp::kRecv, room);
      if (outcome == Outcome::kDone) return true;
      if (outcome == Outcome::kClosed) return false;
    }
  }
  return RecvSlow(chan, room, locked);
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
  rt::WakeList woken;
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
        queue->PopFront(sudog);
        sudog->outcome = Outcome::kClosed;
        // A close orders nothing for a sender, which panics.
        if (sudog->op == CaseOp::kRecv) sudog->token().Release();
        woken.Push(sudog->g);
      }
    }
  }
  woken.ReadyAll();
}

size_t ChanLen(const ChanCore* chan) {
  return chan == nullptr || chan->flavor == ChanFlavor::kTimer ? 0 : chan->Length();
}

size_t ChanCap(const ChanCore* chan) {
  return chan == nullptr || chan->flavor == ChanFlavor::kTimer ? 0 : chan->capacity;
}

}  // namespace leash::internal
