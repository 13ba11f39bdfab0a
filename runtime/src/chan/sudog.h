// Sudog: one goroutine's place in one channel's queue. It lies on the stack of the goroutine that
// waits, so blocking allocates nothing.
//
// A goroutine that waits in Select has several, in one array in the order of its cases: the object
// of WaitReason::kSelect is the first of them, and `count` says how many there are. Cases that are
// on a nil channel, or on none, have one as well and are in no queue. Plain words: a dump may read
// them while they change.
//
// Laws: (1) A sudog is in a queue iff `queued`, and both change under its channel's lock. (2) A
// waker
//   sets `outcome` and takes the sudog off the queue under the channel's lock, then calls Ready
//   once, after unlocking. (3) For a select that is the one whose sudog became `winner`, by an
//   exchange: every other waker drops its sudog from the queue and looks further. (4) The
//   goroutine leaves the frame of its sudogs only when none of them is queued.

#ifndef LEASH_CHAN_SUDOG_H_
#define LEASH_CHAN_SUDOG_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "chan/token.h"
#include "leash/internal/select_case.h"
#include "sched/g.h"

namespace leash::rt {

struct ChanCore;
struct SelectState;

using internal::CaseOp;

enum class Outcome : uint8_t {
  kNone,    // waits
  kDone,    // its value was handed over, or it was handed one
  kClosed,  // the channel was closed
  kRetry,   // something changed: it shall try again by itself
};

struct Sudog {
  G* g;
  ChanCore* chan;       // null: a case that can never be ready, or a timeout
  SelectState* select;  // null: a plain send or receive
  void* value;          // a sender's element; where a receiver wants it
  Sudog* next;          // in the queue
  Sudog* prev;
  uint32_t count;  // how many sudogs there are from this on in the array, this included
  uint32_t index;  // which case this is
  CaseOp op;
  Outcome outcome;
  bool queued;

  // Between this goroutine and the one that completes it. One for all cases: it waits once at a
  // time, and one completes it. It lies in the goroutine's record, since what ThreadSanitizer keeps
  // of a token points there for ever: into a stack, that would be taken for a pointer of the
  // program's to what lies there (debug/outside_memory.h).
#if LEASH_RACE
  Token& token() const { return *reinterpret_cast<Token*>(&g->wait_token); }
#else
  static Token token() { return {}; }
#endif
};

// What the cases of one waiting select have in common.
struct SelectState {
  // Who completes it: (3). Release in the winner's exchange and acquire in the losers' are not
  // needed, both hold locks; the waiter reads it after Park, which acquires.
  std::atomic<Sudog*> winner{nullptr};

  bool Win(Sudog* sudog) {
    Sudog* nobody = nullptr;
    return winner.compare_exchange_strong(nobody, sudog, std::memory_order_relaxed);
  }
};

// First in, first out. Guarded by its channel's lock, but for the question whether it is empty.
class SudogQueue {
 public:
  // A moment's answer for those without the lock.
  bool Empty() const { return first_.load(std::memory_order_relaxed) == nullptr; }
  Sudog* First() const { return first_.load(std::memory_order_relaxed); }

  void PushBack(Sudog* s) {
    s->queued = true;
    s->next = nullptr;
    s->prev = last_;
    (last_ != nullptr ? SetNext(last_, s) : SetFirst(s));
    last_ = s;
  }
  // For one that was at the front already.
  void PushFront(Sudog* s) {
    s->queued = true;
    s->prev = nullptr;
    s->next = First();
    (s->next != nullptr ? s->next->prev : last_) = s;
    SetFirst(s);
  }
  void Remove(Sudog* s) {
    LEASH_CHECK(s->queued);  // (1)
    s->queued = false;
    (s->prev != nullptr ? SetNext(s->prev, s->next) : SetFirst(s->next));
    (s->next != nullptr ? s->next->prev : last_) = s->prev;
  }
  // Remove for the first one.
  void PopFront(Sudog* s) {
    LEASH_CHECK(s->queued);  // (1)
    LEASH_DCHECK(s == First());
    s->queued = false;
    Sudog* next = s->next;
    (next != nullptr ? next->prev : last_) = nullptr;
    SetFirst(next);
  }
  // The first one that can be completed; if it belongs to a select, the caller has won that. Stays
  // in the queue.
  Sudog* Claim() {
    for (;;) {
      Sudog* s = First();
      if (s == nullptr || s->select == nullptr || s->select->Win(s)) return s;
      PopFront(s);  // (3)
    }
  }

 private:
  void SetFirst(Sudog* s) { first_.store(s, std::memory_order_relaxed); }
  static void SetNext(Sudog* s, Sudog* next) { s->next = next; }

  std::atomic<Sudog*> first_{nullptr};
  Sudog* last_ = nullptr;
};

}  // namespace leash::rt

#endif  // LEASH_CHAN_SUDOG_H_
