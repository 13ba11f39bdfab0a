// Select: waiting for several channels at once.
//
// The cases are tried in a random order, each under the lock of its own channel: one that is ready
// may be taken whatever the others are. If none was, all channels are locked, ascending by address,
// and tried again, as in Go: that nothing is ready, which lets a default through or makes the
// caller wait, is so of one moment only if it is seen under all locks. Then one sudog for each goes
// into the queues and the goroutine parks, and the channels are unlocked once it is parked. Who
// completes one of them wins the select by an exchange (sudog.h), so the others pass it by; it
// takes its other sudogs off the queues itself.
//
// A timeout is a timer on the select's own stack, armed while the channels are still locked and the
// goroutine is parked already, so that it may fire at once. It competes for the select as a waker
// does.
//
// Laws: (1) ParkCommitted runs on another stack while the select's goroutine may be running again:
//   after it has unlocked the last channel (or, if there is none, armed the timer) it touches
//   nothing of the select's frame. Until then the frame is there: whoever wakes up has sudogs in
//   the queues of all channels that are still locked, and must lock those to take them off. (2) The
//   timer is neither armed nor running when the frame is left. (3) A select that was told to retry
//   by one channel tries that case first: it was woken in place of others who wait there.

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/race.h"
#include "chan/chan_core.h"
#include "chan/sudog.h"
#include "leash/chan.h"
#include "leash/go.h"
#include "leash/internal/select_case.h"
#include "sched/park.h"
#include "sched/timer.h"

namespace leash::rt {
namespace {

using internal::CaseRecord;

constexpr size_t kNone = SIZE_MAX;
constexpr size_t kCasesMax = 65536;  // Go's limit; an index fits in 16 bits

// Numbers from 0 to n - 1, for n = 1, 2, 3, ...: the digits of one random fraction to mixed bases.
// (After 8 of them, 8! = 40320, a new fraction: so the bias is below 2^-16.)
class RandomDigits {
 public:
  uint32_t Below(uint32_t n) {
    if (n % 8 == 1) fraction_ = CheapRandom();
    const uint64_t product = uint64_t{fraction_} * n;
    fraction_ = static_cast<uint32_t>(product);
    return static_cast<uint32_t>(product >> 32);
  }

 private:
  uint32_t fraction_ = 0;
};

struct Selection;
void TimedOut(RtTimer* timer, int64_t now_ns);
bool ParkCommitted(G* g, void* arg);

// One call of SelectWait.
struct Selection {
  CaseRecord* cases;
  size_t n;
  Sudog* sudogs;         // n of them
  uint16_t* poll_order;  // cases that can become ready, shuffled
  uint16_t* lock_order;  // those on a channel, ascending by its address
  size_t polled = 0;
  size_t locked = 0;
  size_t default_case = kNone;
  size_t timeout_case = kNone;  // the earliest, if it is yet to come
  int64_t deadline_ns = 0;
  RtTimer* timer = nullptr;
  bool closed = false;  // the case taken is a send on a closed channel
  SelectState state;
  Sudog timeout_sudog;
  G* g = nullptr;
  G* wake = nullptr;

  size_t Run();

 private:
  void Plan();
  void PlanLocks();
  size_t TakeReady() ABSL_NO_THREAD_SAFETY_ANALYSIS;
  bool HasDuplicate(size_t i) const {
    return i > 0 && cases[lock_order[i]].chan == cases[lock_order[i - 1]].chan;
  }
  void LockAll() ABSL_NO_THREAD_SAFETY_ANALYSIS;
  void UnlockAll() ABSL_NO_THREAD_SAFETY_ANALYSIS;
  size_t PollLocked(size_t first) ABSL_NO_THREAD_SAFETY_ANALYSIS;
  Attempt TryLocked(CaseRecord& record, G** waken) ABSL_NO_THREAD_SAFETY_ANALYSIS;
  void EnqueueLocked();
  void Dequeue();
  [[noreturn]] void WaitForEver();
  [[noreturn]] void PanicClosed();
};

// Sorts the cases out: what can be polled, and in which order.
void Selection::Plan() {
  RandomDigits digits;
  int64_t shortest_ns = INT64_MAX;
  for (size_t i = 0; i < n; ++i) {
    const CaseRecord& record = cases[i];
    switch (record.op) {
      case CaseOp::kDefault:
        if (default_case != kNone) Panic("SelectN: multiple default cases");
        default_case = i;
        continue;
      case CaseOp::kTimeout:
        if (record.timeout_ns > 0) {
          if (record.timeout_ns < shortest_ns) {
            shortest_ns = record.timeout_ns;
            timeout_case = i;
          }
          continue;
        }
        break;
      case CaseOp::kSend:
      case CaseOp::kRecv:
        if (record.chan == nullptr) continue;
        lock_order[locked++] = static_cast<uint16_t>(i);
        break;
    }
    // Fisher and Yates, from the inside out.
    const size_t j = digits.Below(static_cast<uint32_t>(polled + 1));
    poll_order[polled++] = poll_order[j];
    poll_order[j] = static_cast<uint16_t>(i);
  }
}

// In which order the channels are locked.
void Selection::PlanLocks() {
  const auto before = [this](uint16_t a, uint16_t b) {
    return std::less<>()(cases[a].chan, cases[b].chan);
  };
  if (locked > 16) {
    std::sort(lock_order, lock_order + locked, before);
    return;
  }
  for (size_t i = 1; i < locked; ++i) {
    const uint16_t index = lock_order[i];
    size_t j = i;
    for (; j > 0 && before(index, lock_order[j - 1]); --j) lock_order[j] = lock_order[j - 1];
    lock_order[j] = index;
  }
}

// Takes a case that is ready by itself; kNone: there was none, each in its moment.
size_t Selection::TakeReady() {
  for (size_t i = 0; i < polled; ++i) {
    CaseRecord& record = cases[poll_order[i]];
    if (record.op == CaseOp::kTimeout) return poll_order[i];
    ChanCore* chan = record.chan;
    // In this order: ChanTrySend and ChanTryRecv say why.
    if (record.op == CaseOp::kSend ? !chan->Closed() && chan->SeemsFull()
                                   : chan->SeemsEmpty() && !chan->Closed()) {
      continue;
    }
    ChanLock lock(chan);
    const Attempt attempt = TryLocked(record, &lock.wake);
    if (attempt == Attempt::kWouldBlock) continue;
    closed = attempt == Attempt::kClosed;
    return poll_order[i];
  }
  return kNone;
}

void Selection::LockAll() {
  for (size_t i = 0; i < locked; ++i) {
    if (!HasDuplicate(i)) cases[lock_order[i]].chan->lock.lock();
  }
}

void Selection::UnlockAll() {
  for (size_t i = locked; i-- > 0;) {
    if (HasDuplicate(i)) continue;
    ChanCore* chan = cases[lock_order[i]].chan;
    race::Release(&chan->life);
    chan->lock.unlock();
  }
  if (wake != nullptr) Ready(std::exchange(wake, nullptr));
}

Attempt Selection::TryLocked(CaseRecord& record, G** waken) {
  if (record.op == CaseOp::kTimeout) return Attempt::kDone;
  if (record.op == CaseOp::kSend) {
    race::Read(&record.chan->race_word);
    return SendLocked(record.chan, record.value, waken);
  }
  const Attempt attempt = RecvLocked(record.chan, record.value, waken);
  record.received = attempt == Attempt::kDone;
  if (attempt != Attempt::kClosed) return attempt;
  record.chan->close_token.Acquire();
  return Attempt::kDone;
}

// Takes the first case that is ready, `first` before all others if there is one. Sets `closed` if
// that was a send on a closed channel.
size_t Selection::PollLocked(size_t first) {
  const auto take = [this](size_t index) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    const Attempt attempt = TryLocked(cases[index], &wake);
    closed = attempt == Attempt::kClosed;
    return attempt != Attempt::kWouldBlock;
  };
  if (first != kNone && take(first)) return first;
  for (size_t i = 0; i < polled; ++i) {
    if (take(poll_order[i])) return poll_order[i];
  }
  return kNone;
}

void Selection::EnqueueLocked() {
  for (size_t i = 0; i < n; ++i) {
    Sudog& sudog = sudogs[i];
    sudog = Sudog{};
    sudog.g = g;
    sudog.chan = cases[i].chan;
    sudog.select = &state;
    sudog.value = cases[i].value;
    sudog.count = static_cast<uint32_t>(n - i);
    sudog.index = static_cast<uint32_t>(i);
    sudog.op = cases[i].op;
    sudog.token().Release();
  }
  for (size_t i = 0; i < locked; ++i) {
    Sudog* sudog = &sudogs[lock_order[i]];
    (sudog->op == CaseOp::kSend ? sudog->chan->sendq : sudog->chan->recvq).PushBack(sudog);
  }
  if (timer != nullptr) {
    timeout_sudog = Sudog{};
    timeout_sudog.index = static_cast<uint32_t>(timeout_case);
    timeout_sudog.op = CaseOp::kTimeout;
    timeout_sudog.outcome = Outcome::kDone;
  }
  state.winner.store(nullptr, std::memory_order_relaxed);
}

void Selection::Dequeue() {
  const Sudog* winner = state.winner.load(std::memory_order_relaxed);
  for (size_t i = 0; i < locked; ++i) {
    Sudog* sudog = &sudogs[lock_order[i]];
    if (sudog == winner) continue;
    ChanLock lock(sudog->chan);
    if (!sudog->queued) continue;  // dropped by a waker who lost
    (sudog->op == CaseOp::kSend ? sudog->chan->sendq : sudog->chan->recvq).Remove(sudog);
  }
}

void Selection::WaitForEver() {
  EnqueueLocked();
  for (;;) {
    Park(n == 0 ? WaitReason::kSelectNoCases : WaitReason::kSelect, n == 0 ? nullptr : sudogs,
         nullptr);
  }
}

void Selection::PanicClosed() { Panic("send on closed channel"); }

size_t Selection::Run() {
  Plan();
  g = CurrentG();
  if (locked == 0 && polled == 0) {
    if (default_case != kNone) return default_case;
    if (timeout_case == kNone) WaitForEver();
  }
  if (const size_t taken = TakeReady(); taken != kNone) {
    if (closed) PanicClosed();
    return taken;
  }
  PlanLocks();
  size_t retried = kNone;
  for (;;) {
    LockAll();
    size_t taken;
    try {
      taken = PollLocked(retried);
    } catch (...) {
      UnlockAll();
      throw;
    }
    if (taken == kNone && retried != kNone && timeout_case != kNone && Nanotime() >= deadline_ns) {
      taken = timeout_case;
    }
    if (taken == kNone) taken = default_case;
    if (taken != kNone) {
      UnlockAll();
      if (closed) PanicClosed();
      return taken;
    }
    if (timer != nullptr && retried == kNone) {
      // Saturated: a timeout of centuries is none.
      if (__builtin_add_overflow(Nanotime(), cases[timeout_case].timeout_ns, &deadline_ns)) {
        timer = nullptr;
        timeout_case = kNone;
      }
    }
    EnqueueLocked();
    Park(WaitReason::kSelect, sudogs, ParkCommitted, this);
    if (timer != nullptr && !StopTimer(timer)) FinishTimer(timer);  // (2)
    Dequeue();
    Sudog* winner = state.winner.load(std::memory_order_relaxed);
    LEASH_CHECK(winner != nullptr);
    if (winner == &timeout_sudog) return timeout_case;
    LEASH_CHECK(!winner->queued);
    winner->token().Acquire();
    CaseRecord& record = cases[winner->index];
    switch (winner->outcome) {
      case Outcome::kNone:
        InternalError("select: woken by nobody");
      case Outcome::kDone:
        record.received = record.op == CaseOp::kRecv;
        return winner->index;
      case Outcome::kClosed:
        if (record.op == CaseOp::kSend) PanicClosed();
        record.received = false;
        return winner->index;
      case Outcome::kRetry:
        retried = winner->index;
        break;
    }
  }
}

bool ParkCommitted(G*, void* arg) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  Selection* s = static_cast<Selection*>(arg);
  const CaseRecord* cases = s->cases;
  const uint16_t* order = s->lock_order;
  const size_t locked = s->locked;
  if (s->timer != nullptr) StartTimer(s->timer, s->deadline_ns, 0);
  // From here on it may have been woken; if there is a channel, it will wait for its lock: (1). So
  // the next channel is looked up before the one before it is unlocked.
  ChanCore* held = nullptr;
  const auto unlock_held = [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    race::Release(&held->life);
    held->lock.unlock();
  };
  for (size_t i = 0; i < locked; ++i) {
    ChanCore* chan = cases[order[i]].chan;
    if (held != nullptr && held != chan) unlock_held();
    held = chan;
  }
  if (held != nullptr) unlock_held();
  return true;
}

void TimedOut(RtTimer* timer, int64_t) {
  Selection* s = static_cast<Selection*>(timer->arg);
  G* g = s->g;
  if (s->state.Win(&s->timeout_sudog)) Ready(g);
}

size_t RunWithTimer(Selection& selection) {
  const bool waits =
      std::any_of(selection.cases, selection.cases + selection.n, [](const CaseRecord& record) {
        return record.op == CaseOp::kTimeout && record.timeout_ns > 0 &&
               record.timeout_ns != INT64_MAX;
      });
  if (!waits) return selection.Run();
  RtTimer timer;
  timer.fn = TimedOut;
  timer.arg = &selection;
  selection.timer = &timer;
  return selection.Run();
}

// Room for up to kCases on the stack.
template <size_t kCases>
[[gnu::noinline]] size_t SelectSmall(CaseRecord* cases, size_t n) {
  Sudog sudogs[kCases];
  uint16_t orders[2 * kCases];
  Selection selection{cases, n, sudogs, orders, orders + kCases};
  return RunWithTimer(selection);
}

[[gnu::noinline]] size_t SelectLarge(CaseRecord* cases, size_t n) {
  if (n > kCasesMax) Panic("SelectN: too many cases");
  auto sudogs = std::make_unique_for_overwrite<Sudog[]>(n);
  auto orders = std::make_unique_for_overwrite<uint16_t[]>(2 * n);
  Selection selection{cases, n, sudogs.get(), orders.get(), orders.get() + n};
  return RunWithTimer(selection);
}

}  // namespace
}  // namespace leash::rt

namespace leash {

size_t internal::SelectWait(CaseRecord* cases, size_t n) {
  const rt::race::Entry entry;
  if (n <= 4) return rt::SelectSmall<4>(cases, n);
  if (n <= 16) return rt::SelectSmall<16>(cases, n);
  return rt::SelectLarge(cases, n);
}

size_t SelectN(std::span<SelectCase> cases) {
  const rt::race::Entry entry;
  constexpr size_t kOnStack = 16;
  std::array<internal::CaseRecord, kOnStack> few;
  std::vector<internal::CaseRecord> many;
  internal::CaseRecord* records = few.data();
  if (cases.size() > kOnStack) {
    many.resize(cases.size());
    records = many.data();
  }
  for (size_t i = 0; i < cases.size(); ++i) cases[i].Fill(records[i]);
  const size_t taken = internal::SelectWait(records, cases.size());
  cases[taken].Run(records[taken]);
  return taken;
}

}  // namespace leash
