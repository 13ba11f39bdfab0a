// The words that the objects of <leash/sync.h> are made of. Not for use outside of leash.
//
// Every object begins with a SyncHeader, so that a reader of a dump can tell from a raw copy of its
// bytes what it is and how many wait for it (runtime/src/sync/sync_facts.h). All of it is
// constant-initialised and trivially destroyed; who may touch what, and when for the last time, is
// said in runtime/src/sync/wait_queue.h.

#ifndef LEASH_INTERNAL_SYNC_WORDS_H_
#define LEASH_INTERNAL_SYNC_WORDS_H_

#include <atomic>
#include <cstdint>

namespace leash {

namespace rt {
struct SyncWaiter;
}  // namespace rt

namespace internal {

// What an object is. Four bytes that are unlikely to be found by chance in memory that has been
// freed and used again since: a dump reads without stopping anyone.
enum class SyncTag : uint32_t {
  kMutex = 0x6c73'5901,
  kRWMutex = 0x6c73'5902,
  kWaitGroup = 0x6c73'5903,
  kOnce = 0x6c73'5904,
  kCond = 0x6c73'5905,
  kSemaphore = 0x6c73'5906,
};

// A queue of waiters, which live on their own stacks: a ring, entered at its last.
struct WaitQueue {
  rt::SyncWaiter* tail = nullptr;    // guarded by the object's queue lock
  std::atomic<uint32_t> length = 0;  // written under the queue lock, read by anyone
};

struct SyncHeader {
  constexpr explicit SyncHeader(SyncTag t) : tag(t) {}
  const SyncTag tag;
  WaitQueue waiters;
};

// Mutex, and the writers' side of RWMutex.
struct LockWord {
  constexpr explicit LockWord(SyncTag tag) : header(tag) {}
  SyncHeader header;
  std::atomic<uint64_t> state =
      0;  // flags, and above them the readers that hold it (sync/lock_word.h)
  std::atomic<uint64_t> holder = 0;  // the id of the goroutine that locked it last
};

struct RWMutexWords {
  LockWord word{SyncTag::kRWMutex};
  WaitQueue readers;                   // those that wait for a writer
  rt::SyncWaiter* draining = nullptr;  // the writer that waits for the readers that hold it
};

struct WaitGroupWords {
  SyncHeader header{SyncTag::kWaitGroup};
  std::atomic<uint64_t> state = 0;  // the counter, and below it 32 bits of waiters
};

struct OnceWords {
  SyncHeader header{SyncTag::kOnce};
  std::atomic<uint32_t> state = 0;   // kOnce...
  std::atomic<uint64_t> holder = 0;  // who runs the function
};
inline constexpr uint32_t kOnceNew = 0, kOnceRunning = 1, kOnceDone = 2;

struct SemaphoreWords {
  constexpr explicit SemaphoreWords(int64_t n) : size(n) {}
  SyncHeader header{SyncTag::kSemaphore};
  const int64_t size;
  int64_t used = 0;  // guarded by the queue lock
};

}  // namespace internal
}  // namespace leash

#endif  // LEASH_INTERNAL_SYNC_WORDS_H_
