// Making and destroying channels, and the steps of send and receive under the lock.

#include "chan/chan_core.h"

#include <algorithm>
#include <cstdint>
#include <new>
#include <utility>

#include "base/check.h"
#include "base/sanitizers.h"
#include "chan/copy_element.h"
#include "leash/go.h"
#include "sched/park.h"

namespace leash::rt {
namespace {

inline void Construct(const ElementType* type, void* slot, void* from) {
  if (type->construct == nullptr) {
    CopyElement(slot, from, type->size);
  } else {
    type->construct(slot, from);
  }
}

inline void Receive(const ElementType* type, void* room, void* from) {
  if (type->construct == nullptr) {
    CopyElement(room, from, type->size);
  } else {
    type->receive(room, from);
  }
}

// Law (4). The first waiter, to be told that there may be something for it.
inline G* TellToRetry(SudogQueue& queue) {
  Sudog* waiter = queue.Claim();
  return waiter == nullptr ? nullptr : Complete(queue, waiter, Outcome::kRetry);
}

// Law (3). The move between the caller and this claimed waiter has thrown.
G* MoveFailed(SudogQueue& queue, Sudog* waiter) {
  waiter->token().Release();  // the next one moves what this one has touched
  return waiter->select == nullptr ? nullptr : Complete(queue, waiter, Outcome::kRetry);
}

// Adds to the ring. REQUIRES: it is not full.
void Put(ChanCore* chan, void* value) {
  Token& token = chan->SlotToken(chan->send_index);
  token.Acquire();
  Construct(chan->type, chan->Slot(chan->send_index), value);
  token.Release();
  chan->send_index = chan->After(chan->send_index);
  chan->length.store(chan->Length() + 1, std::memory_order_relaxed);
}

// Takes from the ring. REQUIRES: it is not empty.
void Get(ChanCore* chan, void* room) {
  Token& token = chan->SlotToken(chan->recv_index);
  char* slot = chan->Slot(chan->recv_index);
  token.Acquire();
  Receive(chan->type, room, slot);
  if (chan->type->destroy != nullptr) chan->type->destroy(slot);
  token.Release();
  chan->recv_index = chan->After(chan->recv_index);
  chan->length.store(chan->Length() - 1, std::memory_order_relaxed);
}

void* AllocMemory(size_t bytes, size_t align) {
  return align <= __STDCPP_DEFAULT_NEW_ALIGNMENT__ ? ::operator new(bytes)
                                                   : ::operator new(bytes, std::align_val_t(align));
}

void FreeMemory(void* memory, size_t align) {
  if (align <= __STDCPP_DEFAULT_NEW_ALIGNMENT__) {
    ::operator delete(memory);
  } else {
    ::operator delete(memory, std::align_val_t(align));
  }
}

#if LEASH_RACE
// Fibers that free channels: see the end of chan_core.h. Used by one thread at a time, so they are
// kept in a pool; one more than this many at the same time is made and destroyed.
constexpr int kReapersMax = 16;
Lock reapers_lock{LockRank::kLeaf};
void* reapers[kReapersMax];
int reapers_count = 0;

void FreeUnseen(ChanCore* chan) {
  race::Release(&chan->life);
  void* reaper = nullptr;
  {
    LockHolder lock(reapers_lock);
    if (reapers_count > 0) reaper = reapers[--reapers_count];
  }
  if (reaper == nullptr) reaper = __tsan_create_fiber(0);
  void* self = __tsan_get_current_fiber();
  __tsan_switch_to_fiber(reaper, kTsanNoSync);
  race::Acquire(&chan->life);
  FreeMemory(chan, chan->align);
  __tsan_switch_to_fiber(self, kTsanNoSync);
  {
    LockHolder lock(reapers_lock);
    if (reapers_count < kReapersMax) {
      reapers[reapers_count++] = reaper;
      reaper = nullptr;
    }
  }
  if (reaper != nullptr) __tsan_destroy_fiber(reaper);
}
#else
void FreeUnseen(ChanCore* chan) { FreeMemory(chan, chan->align); }
#endif

size_t RoundUp(size_t n, size_t align) { return (n + align - 1) / align * align; }

}  // namespace

void ChanLock::WakeOne() { Ready(std::exchange(wake, nullptr)); }

Attempt SendLocked(ChanCore* chan, void* value, G** wake) {
  if (chan->closed.load(std::memory_order_relaxed) != 0) return Attempt::kClosed;
  if (chan->hand_over) {
    if (Sudog* receiver = chan->recvq.Claim()) {
      receiver->token().Acquire();
      try {
        Receive(chan->type, receiver->value, value);
      } catch (...) {
        *wake = MoveFailed(chan->recvq, receiver);
        throw;
      }
      receiver->token().Release();
      *wake = Complete(chan->recvq, receiver, Outcome::kDone);
      return Attempt::kDone;
    }
  }
  if (chan->Length() == chan->capacity) return Attempt::kWouldBlock;
  if (chan->hand_over) {
    Put(chan, value);
    return Attempt::kDone;
  }
  try {
    Put(chan, value);
  } catch (...) {
    chan->SlotToken(chan->send_index).Release();  // the next one moves into what this one touched
    *wake = TellToRetry(chan->sendq);
    throw;
  }
  *wake = TellToRetry(chan->recvq);
  return Attempt::kDone;
}

Attempt RecvLocked(ChanCore* chan, void* room, G** wake) {
  if (chan->capacity == 0) {
    if (Sudog* sender = chan->sendq.Claim()) {
      sender->token().Acquire();
      try {
        Receive(chan->type, room, sender->value);
      } catch (...) {
        *wake = MoveFailed(chan->sendq, sender);
        throw;
      }
      sender->token().Release();
      *wake = Complete(chan->sendq, sender, Outcome::kDone);
      return Attempt::kDone;
    }
  } else if (chan->Length() > 0) {
    if (chan->hand_over) {
      Get(chan, room);
      if (Sudog* sender = chan->sendq.Claim()) {
        Put(chan, sender->value);
        *wake = Complete(chan->sendq, sender, Outcome::kDone);
      }
      return Attempt::kDone;
    }
    try {
      Get(chan, room);
    } catch (...) {
      chan->SlotToken(chan->recv_index).Release();
      *wake = TellToRetry(chan->recvq);
      throw;
    }
    *wake = TellToRetry(chan->sendq);
    return Attempt::kDone;
  }
  return chan->closed.load(std::memory_order_relaxed) != 0 ? Attempt::kClosed
                                                           : Attempt::kWouldBlock;
}

void ChanUnreferenced(ChanCore* chan) {
  {
    // Also waits for an operation that has done its work and still unlocks: law (2).
    LockHolder lock(chan->lock);
    if (!chan->recvq.Empty() || !chan->sendq.Empty()) return;  // (6)
  }
  if (chan->type->destroy != nullptr) {
    for (size_t n = chan->Length(), i = chan->recv_index; n > 0; --n, i = chan->After(i)) {
      chan->SlotToken(i).Acquire();
      chan->type->destroy(chan->Slot(i));
    }
  }
  chan->magic = 0;
  FreeUnseen(chan);
}

}  // namespace leash::rt

namespace leash::internal {

rt::ChanCore* ChanMake(const ElementType* type, size_t capacity, std::string_view name,
                       std::source_location site, ChanFlavor flavor, const void* handle) {
  using rt::ChanCore;
  const size_t align = std::max(alignof(ChanCore), type->align);
  const size_t slots_at = rt::RoundUp(
      sizeof(ChanCore) + (rt::race::kEnabled ? capacity * sizeof(rt::Token) : 0), type->align);
  size_t slots_bytes = 0, bytes = 0;
  if (capacity > PTRDIFF_MAX / 64 || __builtin_mul_overflow(capacity, type->size, &slots_bytes) ||
      __builtin_add_overflow(slots_at, slots_bytes, &bytes) ||
      __builtin_add_overflow(bytes, name.size(), &bytes) || bytes > PTRDIFF_MAX) {
    Panic("makechan: size out of range");
  }
  char* memory = static_cast<char*>(rt::AllocMemory(bytes, align));
  ChanCore* chan = ::new (memory) ChanCore;
  chan->capacity = capacity;
  chan->type = type;
  chan->slots = memory + slots_at;
  chan->slot_bytes = type->size;
  chan->tokens = reinterpret_cast<rt::Token*>(memory + sizeof(ChanCore));
  chan->hand_over =
      capacity == 0 || (!rt::race::kEnabled && (type->construct == nullptr || type->nothrow));
  chan->plain = !rt::race::kEnabled && chan->hand_over && type->construct == nullptr;
  chan->flavor = flavor;
  chan->align = align;
  chan->element_function_name = type->function_name;
  chan->name = memory + slots_at + slots_bytes;
  chan->name_bytes = name.copy(memory + slots_at + slots_bytes, name.size());
  chan->handles.store(kSendAndRecv, std::memory_order_relaxed);
#if LEASH_RECORD
  chan->made_at = site;
  chan->made_by = rt::IdOf(rt::CurrentG());
  if (!rt::IsGoroutineMemory(handle)) {
    chan->elsewhere.store(kSendAndRecv, std::memory_order_relaxed);
  }
#else
  static_cast<void>(site);
  static_cast<void>(handle);
#endif
  return chan;
}

}  // namespace leash::internal
