// epoll, edge-triggered, and the hand-over between a descriptor's events and who waits for them.
//
// Each direction of a descriptor has a word:
//
//              event                    commit of Park
//    kIdle ------------> kReady    kWait ------------> G*
//      ^  \                ^  |      |                  | event, deadline, close (an exchange:
//      |   \---PollWait----|--|----> |                  | whoever takes the G away readies it)
//      +-------------------+--+------+------------------+
//
// Laws: (1) one waiter for each direction.  (2) A waiter writes kWait before it looks at `flags`;
// who
//   closes or lets a deadline pass writes `flags` before it looks at the word: one of the two sees
//   the other (both seq_cst), so no wake is lost between the look and the park.  (3) Readiness may
//   be spurious (an event for the record's earlier life that was already fetched): callers try the
//   system call again.  (4) Records are recycled, never unmapped; `sequence` grows with each life
//   and is part of what epoll reports.  (5) A deadline's function acts only if the deadline that
//   stands now is due, so an old one that is still under way does no harm.
// Lock order: desc->lock (kNet) < timers; slab_lock is a leaf. Nothing is readied under either.

#include "sched/netpoll.h"

#include <sys/mman.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <limits>
#include <new>

#include "absl/base/thread_annotations.h"
#include "base/check.h"
#include "sched/netpoll_poll.h"
#include "sched/park.h"
#include "sched/raw_syscall.h"
#include "sched/sched_hooks.h"

namespace leash::rt {

namespace {

// Values of a word that are no G.
constexpr uintptr_t kIdle = 0;
constexpr uintptr_t kReadyWord = 1;
constexpr uintptr_t kWaitWord = 2;

// Bits of PollDesc::flags.
constexpr uint32_t kClosing = 1;
constexpr uint32_t kExpired[2] = {2, 4};  // by PollMode

}  // namespace

struct alignas(64) PollDesc {
  std::atomic<uintptr_t> word[2] = {};  // by PollMode
  std::atomic<uint32_t> flags{0};
  std::atomic<uint32_t> sequence{1};  // (4)
  std::atomic<int> fd{-1};            // -1: free
  uint32_t index = 0;                 // constant
  PollDesc* next_free = nullptr;      // slab_lock

  Lock lock{LockRank::kNet};
  int64_t deadline_ns[2] ABSL_GUARDED_BY(lock) = {};  // 0: none, -1: it has passed
  RtTimer timer[2];                                   // armed and stopped under `lock`
};

namespace {

constexpr uint32_t kBlockDescs = 128;
constexpr uint32_t kBlocksMax = 1 << 15;

Lock slab_lock{LockRank::kNetpoll};
PollDesc* free_descs ABSL_GUARDED_BY(slab_lock) = nullptr;
uint32_t block_count ABSL_GUARDED_BY(slab_lock) = 0;
std::atomic<PollDesc*> blocks[kBlocksMax];

Lock init_lock{LockRank::kNetpoll};
std::atomic<bool> initialized{false};
int epoll_fd = -1;  // constant once initialized
int wake_fd = -1;   // constant once initialized
std::atomic<uint32_t> wake_pending{0};
std::atomic<int> waiters{0};
std::atomic<int> descriptors{0};
std::atomic<bool> has_pwait2{true};  // Linux 5.11: sleeps to the nanosecond

constexpr uint64_t kWakeData = 0;
uint64_t DataOf(const PollDesc* pd) {
  return uint64_t{pd->sequence.load(std::memory_order_relaxed)} << 32 | (pd->index + 1);
}

PollDesc* DescAt(uint32_t index) {
  // Acquire: pairs with the release in AllocDesc(). The block's records are made before it is seen.
  PollDesc* const block = blocks[index / kBlockDescs].load(std::memory_order_acquire);
  return block + index % kBlockDescs;
}

// Null: *error says why.
PollDesc* AllocDesc(int* error) {
  slab_lock.lock();
  while (free_descs == nullptr) {
    slab_lock.unlock();
    void* const memory = mmap(nullptr, kBlockDescs * sizeof(PollDesc), PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
      *error = ENOMEM;
      return nullptr;
    }
    auto* const block = static_cast<PollDesc*>(memory);
    for (uint32_t i = 0; i < kBlockDescs; ++i) new (block + i) PollDesc;
    slab_lock.lock();
    if (block_count == kBlocksMax) {
      slab_lock.unlock();
      munmap(memory, kBlockDescs * sizeof(PollDesc));
      *error = ENFILE;
      return nullptr;
    }
    const uint32_t number = block_count++;
    for (uint32_t i = 0; i < kBlockDescs; ++i) {
      block[i].index = number * kBlockDescs + i;
      block[i].next_free = free_descs;
      free_descs = block + i;
    }
    blocks[number].store(block, std::memory_order_release);
  }
  PollDesc* const pd = free_descs;
  free_descs = pd->next_free;
  slab_lock.unlock();
  return pd;
}

void FreeDesc(PollDesc* pd) {
  pd->sequence.fetch_add(1, std::memory_order_relaxed);
  LockHolder lock(slab_lock);
  pd->next_free = free_descs;
  free_descs = pd;
}

int RegisterDesc(const PollDesc* pd, int fd) {
  epoll_event event = {};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | static_cast<uint32_t>(EPOLLET);
  event.data.u64 = DataOf(pd);
  return raw::EpollCtl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

// Makes the epoll instance and the eventfd that wakes its sleepers. 0, or -errno.
int MakeEpoll() {
  const int epoll = raw::EpollCreate();
  if (epoll < 0) return epoll;
  const int wake = raw::EventFd();
  epoll_event event = {};
  event.events = EPOLLIN;
  event.data.u64 = kWakeData;
  const int result = wake < 0 ? wake : raw::EpollCtl(epoll, EPOLL_CTL_ADD, wake, &event);
  if (result < 0) {
    if (wake >= 0) raw::Close(wake);
    raw::Close(epoll);
    return result;
  }
  epoll_fd = epoll;
  wake_fd = wake;
  wake_pending.store(0, std::memory_order_relaxed);
  return 0;
}

PollResult StatusOf(const PollDesc* pd, PollMode mode) {
  const uint32_t flags = pd->flags.load(std::memory_order_seq_cst);  // (2)
  if (flags & kClosing) return PollResult::kClosed;
  if (flags & kExpired[static_cast<int>(mode)]) return PollResult::kTimeout;
  return PollResult::kReady;
}

// Takes the waiter of this direction away, or leaves word of the readiness. The caller readies it.
G* Unblock(PollDesc* pd, int mode, bool ready) {
  std::atomic<uintptr_t>& word = pd->word[mode];
  uintptr_t old = word.load(std::memory_order_seq_cst);  // (2)
  while (true) {
    if (old == kReadyWord) return nullptr;
    if (old == kIdle && !ready) return nullptr;
    if (word.compare_exchange_weak(old, ready ? kReadyWord : kIdle, std::memory_order_seq_cst)) {
      return old == kIdle || old == kWaitWord ? nullptr : reinterpret_cast<G*>(old);
    }
  }
}

bool CommitWait(G* g, void* word) {
  uintptr_t expected = kWaitWord;
  return static_cast<std::atomic<uintptr_t>*>(word)->compare_exchange_strong(
      expected, reinterpret_cast<uintptr_t>(g), std::memory_order_seq_cst);
}

void DeadlinePassed(RtTimer* timer, int64_t now_ns) {
  auto* const pd = static_cast<PollDesc*>(timer->arg);
  const int mode = timer == &pd->timer[0] ? 0 : 1;
  G* g;
  {
    LockHolder lock(pd->lock);
    const int64_t deadline = pd->deadline_ns[mode];
    if (deadline <= 0 || deadline > now_ns) return;  // (5)
    pd->deadline_ns[mode] = -1;
    pd->flags.fetch_or(kExpired[mode], std::memory_order_seq_cst);
    g = Unblock(pd, mode, false);
  }
  if (g != nullptr) Ready(g);
}

// The number of events, or -errno.
int WaitForEvents(epoll_event* events, int max, int64_t delay_ns) {
  if (delay_ns > 0 && has_pwait2.load(std::memory_order_relaxed)) {
    const int n = raw::EpollWait2(epoll_fd, events, max, delay_ns);
    if (n != -ENOSYS && n != -EPERM) return n;
    has_pwait2.store(false, std::memory_order_relaxed);
  }
  int timeout_ms = delay_ns < 0 ? -1 : 0;
  if (delay_ns > 0) {
    constexpr int64_t kMillisecond = 1'000'000;
    const int64_t rounded_up = (delay_ns - 1) / kMillisecond + 1;
    timeout_ms = rounded_up > std::numeric_limits<int>::max() ? std::numeric_limits<int>::max()
                                                              : static_cast<int>(rounded_up);
  }
  return raw::EpollWait(epoll_fd, events, max, timeout_ms);
}

}  // namespace

bool NetPollInitialized() { return initialized.load(std::memory_order_acquire); }

int NetPollInit() {
  if (NetPollInitialized()) return 0;
  LockHolder lock(init_lock);
  if (initialized.load(std::memory_order_relaxed)) return 0;
  if (const int result = MakeEpoll(); result < 0) return result;
  // Release: pairs with the acquire in NetPollInitialized(). Publishes the two descriptors.
  initialized.store(true, std::memory_order_release);
  return 0;
}

PollDesc* PollOpen(int fd, int* error) {
  if (const int result = NetPollInit(); result < 0) {
    *error = -result;
    return nullptr;
  }
  PollDesc* const pd = AllocDesc(error);
  if (pd == nullptr) return nullptr;
  for (int mode = 0; mode < 2; ++mode) {
    pd->word[mode].store(kIdle, std::memory_order_relaxed);
    pd->timer[mode].fn = DeadlinePassed;
    pd->timer[mode].arg = pd;
    pd->timer[mode].heap = -1;  // a new life, a new owner: the heap of this processor
  }
  {
    LockHolder lock(pd->lock);
    pd->deadline_ns[0] = pd->deadline_ns[1] = 0;
    pd->flags.store(0, std::memory_order_seq_cst);
  }
  pd->fd.store(fd, std::memory_order_relaxed);
  if (const int result = RegisterDesc(pd, fd); result < 0) {
    pd->fd.store(-1, std::memory_order_relaxed);
    FreeDesc(pd);
    *error = -result;
    return nullptr;
  }
  descriptors.fetch_add(1, std::memory_order_relaxed);
  return pd;
}

void PollClose(PollDesc* pd) {
  G* woken[2];
  {
    LockHolder lock(pd->lock);
    const uint32_t before = pd->flags.fetch_or(kClosing, std::memory_order_seq_cst);
    LEASH_CHECK(!(before & kClosing));
    for (int mode = 0; mode < 2; ++mode) {
      StopTimer(&pd->timer[mode]);
      pd->deadline_ns[mode] = 0;
      woken[mode] = Unblock(pd, mode, false);
    }
  }
  // Explicitly, and not by close(): the same open file may live on in a child process.
  epoll_event event = {};
  raw::EpollCtl(epoll_fd, EPOLL_CTL_DEL, pd->fd.load(std::memory_order_relaxed), &event);
  for (G* g : woken) {
    if (g != nullptr) Ready(g);
  }
}

void PollFree(PollDesc* pd) {
  LEASH_CHECK(pd->flags.load(std::memory_order_relaxed) & kClosing);
  LEASH_CHECK(pd->word[0].load(std::memory_order_relaxed) <= kReadyWord);
  LEASH_CHECK(pd->word[1].load(std::memory_order_relaxed) <= kReadyWord);
  pd->fd.store(-1, std::memory_order_relaxed);
  descriptors.fetch_sub(1, std::memory_order_relaxed);
  FreeDesc(pd);
}

PollResult PollPrepare(PollDesc* pd, PollMode mode) {
  const PollResult result = StatusOf(pd, mode);
  if (result != PollResult::kReady) return result;
  std::atomic<uintptr_t>& word = pd->word[static_cast<int>(mode)];
  // An edge that comes in between is lost here and seen by the system call that follows.
  if (word.load(std::memory_order_relaxed) != kIdle) word.store(kIdle, std::memory_order_seq_cst);
  return PollResult::kReady;
}

PollResult PollWait(PollDesc* pd, PollMode mode) {
  std::atomic<uintptr_t>& word = pd->word[static_cast<int>(mode)];
  while (true) {
    PollResult result = StatusOf(pd, mode);
    if (result != PollResult::kReady) return result;
    uintptr_t old = kIdle;
    while (!word.compare_exchange_weak(old, kWaitWord, std::memory_order_seq_cst)) {
      LEASH_CHECK(old <= kReadyWord);  // (1)
      if (old == kReadyWord && word.compare_exchange_strong(old, kIdle)) return PollResult::kReady;
      old = kIdle;
    }
    if (StatusOf(pd, mode) == PollResult::kReady) {  // (2)
      if (waiters.fetch_add(1, std::memory_order_seq_cst) == 0) {
        WakeNetPoller(std::numeric_limits<int64_t>::max());
      }
      Park(WaitReason::kIOWait, pd, CommitWait, &word);
      waiters.fetch_sub(1, std::memory_order_seq_cst);
    }
    old = word.exchange(kIdle, std::memory_order_seq_cst);
    LEASH_CHECK(old <= kWaitWord);
    if (old == kReadyWord) return PollResult::kReady;
    // Closed or timed out, which the next turn finds; or the deadline was moved meanwhile.
  }
}

void PollSetDeadline(PollDesc* pd, PollMode mode, int64_t when_ns) {
  const int m = static_cast<int>(mode);
  G* g = nullptr;
  {
    LockHolder lock(pd->lock);
    if (pd->flags.load(std::memory_order_relaxed) & kClosing) return;
    if (when_ns > 0 && when_ns <= Nanotime()) when_ns = -1;
    if (when_ns > 0) {
      ResetTimer(&pd->timer[m], when_ns, 0);
    } else {
      StopTimer(&pd->timer[m]);
    }
    if (when_ns >= 0) {
      pd->deadline_ns[m] = when_ns;
      pd->flags.fetch_and(~kExpired[m], std::memory_order_seq_cst);
    } else {
      pd->deadline_ns[m] = -1;
      pd->flags.fetch_or(kExpired[m], std::memory_order_seq_cst);
      g = Unblock(pd, m, false);
    }
  }
  if (g != nullptr) Ready(g);
}

int PollFd(const PollDesc* pd) { return pd->fd.load(std::memory_order_relaxed); }

int NetPoll(int64_t delay_ns, ReadyList* out) {
  if (!NetPollInitialized()) return 0;
  constexpr int kEventsMax = 128;
  epoll_event events[kEventsMax];
  int count;
  do {
    count = WaitForEvents(events, kEventsMax, delay_ns);
    // A signal ends a limited sleep: the caller computes anew how long it may take.
  } while (count == -EINTR && delay_ns <= 0);
  if (count < 0) {
    LEASH_CHECK(count == -EINTR);
    return 0;
  }
  const int before = out->n;
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[i];
    if (event.data.u64 == kWakeData) {
      // Level-triggered, and left for a sleeper by who only looks in.
      if (delay_ns != 0) {
        uint64_t value;
        (void)!raw::Read(wake_fd, &value, sizeof value);
        wake_pending.store(0, std::memory_order_seq_cst);
      }
      continue;
    }
    PollDesc* const pd = DescAt(static_cast<uint32_t>(event.data.u64) - 1);
    if (DataOf(pd) != event.data.u64) continue;  // (4)
    constexpr uint32_t kBoth = EPOLLHUP | EPOLLERR;
    if (event.events & (EPOLLIN | EPOLLRDHUP | kBoth)) {
      if (G* g = Unblock(pd, 0, true)) PushReady(out, g);
    }
    if (event.events & (EPOLLOUT | kBoth)) {
      if (G* g = Unblock(pd, 1, true)) PushReady(out, g);
    }
  }
  return out->n - before;
}

// Keeps errno: a timer's function may be called in the middle of a user's code. Not inlined:
// raw_syscall.h.
[[gnu::noinline]] void NetPollBreak() {
  if (!NetPollInitialized()) return;
  if (wake_pending.exchange(1, std::memory_order_seq_cst) != 0) return;
  const int saved_errno = errno;
  const uint64_t one = 1;
  while (raw::Write(wake_fd, &one, sizeof one) == -EINTR) {
  }
  errno = saved_errno;
}

int NetPollWaiters() { return waiters.load(std::memory_order_seq_cst); }

int NetPollDescriptors() { return descriptors.load(std::memory_order_relaxed); }

void NetPollAfterFork() ABSL_NO_THREAD_SAFETY_ANALYSIS {
  slab_lock.ResetAfterFork();
  init_lock.ResetAfterFork();
  waiters.store(0, std::memory_order_relaxed);
  if (!NetPollInitialized()) return;
  raw::Close(epoll_fd);
  raw::Close(wake_fd);
  LEASH_CHECK(MakeEpoll() == 0);
  for (std::atomic<PollDesc*>& block : blocks) {
    PollDesc* const first = block.load(std::memory_order_acquire);
    if (first == nullptr) break;
    for (PollDesc* pd = first; pd != first + kBlockDescs; ++pd) {
      pd->lock.ResetAfterFork();
      for (std::atomic<uintptr_t>& word : pd->word) word.store(kIdle, std::memory_order_relaxed);
      const int fd = pd->fd.load(std::memory_order_relaxed);
      if (fd >= 0 && !(pd->flags.load(std::memory_order_relaxed) & kClosing)) RegisterDesc(pd, fd);
    }
  }
}

}  // namespace leash::rt
