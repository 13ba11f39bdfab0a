// Guards. MADV_GUARD_INSTALL (Linux 6.13, madvise(2)) marks a page without a mapping of its own:
// 0.4 us each in batches of process_madvise(2), no limit. Before that, mprotect(2) splits the
// mapping in two for each guard, and vm.max_map_count ends that after about 32,000 stacks: from
// there on stacks have no guard, and that is said once.

#include "stack/stack.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>

#include "base/check.h"
#include "base/env.h"
#include "base/lock.h"
#include "base/raw_print.h"

namespace leash::rt {

constinit int default_stack_class = 1;

namespace {

constexpr size_t kPage = 4096;
constexpr int kMadvGuardInstall = 102;
constexpr int kPidfdSelf = -10000;
constexpr uint32_t kEndOfList = ~uint32_t{0};

// What is known of each slot beside its memory. Lies in a mapping of its own (3).
struct SlotInfo {
  uint32_t next;    // on the free list: an index of the same class
  uint8_t idle;     // how often TrimStacks has seen it free; kTrimmed: has no pages
  uint8_t guarded;  // constant after it was made
};
constexpr uint8_t kTrimmed = 255;

struct StackClassState {
  Lock lock{LockRank::kStack};
  SlotInfo* info = nullptr;
  uint32_t limit = 0;      // slots that the arena has room for
  uint32_t committed = 0;  // slots made so far; lock held to change
  uint32_t free_head = kEndOfList;
  uint32_t free_count = 0;
};

constinit StackClassState classes[kStackClasses];
constinit std::atomic<uint64_t> unguarded_bytes{0};
constinit std::atomic<int64_t> mprotect_guards_left{0};
constinit std::atomic<bool> said_unguarded{false};
constinit Guards guards = Guards::kNone;
constinit bool have_madvise = false;

bool ProbeMadvise() {
  void* p = mmap(nullptr, kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED) return false;
  // qemu-user takes any advice and does nothing: what does not exist must be refused.
  constexpr int kNoSuchAdvice = 0x7fffffff;
  const bool ok =
      madvise(p, kPage, kNoSuchAdvice) != 0 && madvise(p, kPage, kMadvGuardInstall) == 0;
  munmap(p, kPage);
  return ok;
}

int64_t MaxMapCount() {
  char text[32] = {};
  const int fd = open("/proc/sys/vm/max_map_count", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 65530;
  const ssize_t n = read(fd, text, sizeof(text) - 1);
  close(fd);
  return n > 0 ? std::strtoll(text, nullptr, 10) : 65530;
}

void SayUnguarded(bool limit) {
  if (said_unguarded.exchange(true)) return;
  RawPrinter out;
  if (limit) {
    out << "leash: further goroutine stacks have no guard page: this kernel has no "
           "MADV_GUARD_INSTALL, and vm.max_map_count is "
        << MaxMapCount() << "\n";
  } else {
    out << "leash: goroutine stacks have no guard page: the kernel refused it\n";
  }
}

// Guards the slots [first, first + n) of a class. Returns how many are guarded: always the first
// ones.
uint32_t InstallGuards(int stack_class, uint32_t first, uint32_t n) {
  if (guards == Guards::kNone) return 0;
  char* low = arena.stacks[stack_class].begin;
  const size_t bytes = kStackClassBytes[stack_class];
  if (guards == Guards::kMadvise) {
    constexpr uint32_t kBatch = 64;
    uint32_t done = 0;
    while (done < n) {
      iovec pieces[kBatch];
      const uint32_t batch = n - done < kBatch ? n - done : kBatch;
      for (uint32_t i = 0; i < batch; ++i) {
        pieces[i] = {low + bytes * (first + done + i), kPage};
      }
      const long rc = syscall(SYS_process_madvise, kPidfdSelf, pieces, batch, kMadvGuardInstall, 0);
      if (rc != static_cast<long>(batch * kPage)) {
        // Kernels before 6.14 have no PIDFD_SELF. Guarding a page twice does no harm.
        for (uint32_t i = 0; i < batch; ++i) {
          if (madvise(pieces[i].iov_base, kPage, kMadvGuardInstall) != 0) {
            SayUnguarded(false);
            return done + i;
          }
        }
      }
      done += batch;
    }
    return n;
  }
  for (uint32_t i = 0; i < n; ++i) {
    if (mprotect_guards_left.fetch_sub(1, std::memory_order_relaxed) <= 0 ||
        mprotect(low + bytes * (first + i), kPage, PROT_NONE) != 0) {
      SayUnguarded(true);
      return i;
    }
  }
  return n;
}

// How many slots are made at a time: enough to spread the system calls, not much more than is used.
uint32_t BatchOf(int stack_class) {
  constexpr uint32_t kBatch[kStackClasses] = {64, 64, 16, 4, 1, 1};
  return kBatch[stack_class];
}

// Makes more slots and puts them on the free list. False: no room or no memory.
bool GrowLocked(int stack_class, StackClassState& c) {
  uint32_t n = BatchOf(stack_class);
  if (n > c.limit - c.committed) n = c.limit - c.committed;
  if (n == 0) return false;
  const size_t bytes = kStackClassBytes[stack_class];
  char* low = arena.stacks[stack_class].begin + bytes * c.committed;
  if (!CommitArena(low, bytes * n)) {
    if (n == 1 || !CommitArena(low, bytes)) return false;
    n = 1;
  }
  const uint32_t guarded = InstallGuards(stack_class, c.committed, n);
  unguarded_bytes.fetch_add((n - guarded) * bytes, std::memory_order_relaxed);
  // The lowest is taken first.
  for (uint32_t i = n; i-- > 0;) {
    const uint32_t index = c.committed + i;
    c.info[index] = {c.free_head, kTrimmed, i < guarded};
    c.free_head = index;
  }
  c.free_count += n;
  c.committed += n;
  return true;
}

}  // namespace

int StackClassFor(size_t bytes) {
  for (int i = 0; i < kStackClasses; ++i) {
    // The largest class counts whole, guard and all: 1 GiB is what is promised there.
    if (bytes <= kStackClassBytes[i]) return i;
  }
  return -1;
}

StackSlot AllocStackShared(StackCache* cache, int stack_class) {
  const bool cached = stack_class == default_stack_class && cache != nullptr;
  StackClassState& c = classes[stack_class];
  LockHolder hold(c.lock);
  if (c.free_head == kEndOfList && !GrowLocked(stack_class, c)) return kNoStack;
  const auto take = [&] {
    const uint32_t index = c.free_head;
    c.free_head = c.info[index].next;
    c.info[index].idle = 0;
    --c.free_count;
    return index << 3 | static_cast<uint32_t>(stack_class);
  };
  const StackSlot slot = take();
  // A few more while the lock is held; cold ones go below warm ones.
  if (cached) {
    while (cache->count < StackCache::kCapacity / 4 && c.free_head != kEndOfList) {
      cache->slots[cache->count++] = take();
    }
    // What was taken first is used first.
    for (int i = 0, j = cache->count - 1; i < j; ++i, --j) {
      const StackSlot s = cache->slots[i];
      cache->slots[i] = cache->slots[j];
      cache->slots[j] = s;
    }
  }
  return slot;
}

void FreeStackShared(StackCache* cache, StackSlot slot) {
  const int stack_class = StackClass(slot);
  if (cache != nullptr && stack_class == default_stack_class) {
    // The coldest half goes.
    StackClassState& c = classes[stack_class];
    constexpr int kHalf = StackCache::kCapacity / 2;
    LEASH_CHECK(cache->count == StackCache::kCapacity);
    {
      LockHolder hold(c.lock);
      for (int i = 0; i < kHalf; ++i) {
        const uint32_t index = cache->slots[i] >> 3;
        c.info[index].next = c.free_head;
        c.info[index].idle = 0;
        c.free_head = index;
      }
      c.free_count += kHalf;
    }
    for (int i = kHalf; i < StackCache::kCapacity; ++i) cache->slots[i - kHalf] = cache->slots[i];
    cache->count = StackCache::kCapacity - kHalf;
    cache->slots[cache->count++] = slot;
    return;
  }
  StackClassState& c = classes[stack_class];
  LockHolder hold(c.lock);
  const uint32_t index = slot >> 3;
  c.info[index].next = c.free_head;
  c.info[index].idle = 0;
  c.free_head = index;
  ++c.free_count;
}

void DrainStackCache(StackCache* cache) {
  while (cache->count > 0) FreeStack(nullptr, cache->slots[--cache->count]);
}

int TrimStacks() {
  int trimmed = 0;
  for (int k = 0; k < kStackClasses; ++k) {
    StackClassState& c = classes[k];
    // The whole list is taken away while it is looked through, so that nobody waits for the madvise
    // calls; slots asked for meanwhile are made anew. Neighbours on the list that are neighbours in
    // memory, too, are released in one call.
    uint32_t head;
    uint32_t count;
    {
      LockHolder hold(c.lock);
      head = c.free_head;
      count = c.free_count;
      c.free_head = kEndOfList;
      c.free_count = 0;
    }
    if (count == 0) continue;
    uint32_t kept_head = kEndOfList;
    uint32_t run_first = kEndOfList;
    uint32_t run_last = 0;
    const size_t bytes = kStackClassBytes[k];
    const auto release = [&] {
      if (run_first == kEndOfList) return;
      const uint32_t low = run_first < run_last ? run_first : run_last;
      const uint32_t high = run_first < run_last ? run_last : run_first;
      // Guards survive MADV_DONTNEED.
      madvise(arena.stacks[k].begin + bytes * low, bytes * (high - low + 1), MADV_DONTNEED);
      run_first = kEndOfList;
    };
    uint32_t kept_tail = kEndOfList;
    for (uint32_t i = head, next; i != kEndOfList; i = next) {
      next = c.info[i].next;
      SlotInfo& info = c.info[i];
      if (info.idle == 1) {
        info.idle = kTrimmed;
        ++trimmed;
        const bool joins = run_first != kEndOfList && (i == run_last + 1 || i + 1 == run_last);
        if (!joins) {
          release();
          run_first = i;
        }
        run_last = i;
      } else if (info.idle == 0) {
        info.idle = 1;
      }
      info.next = kEndOfList;
      if (kept_tail == kEndOfList) {
        kept_head = i;
      } else {
        c.info[kept_tail].next = i;
      }
      kept_tail = i;
    }
    release();
    LockHolder hold(c.lock);
    c.info[kept_tail].next = c.free_head;
    c.free_head = kept_head;
    c.free_count += count;
  }
  return trimmed;
}

StackStats GetStackStats() {
  StackStats stats{0, unguarded_bytes.load(std::memory_order_relaxed)};
  for (int k = 0; k < kStackClasses; ++k) {
    LockHolder hold(classes[k].lock);
    stats.committed_bytes += classes[k].committed * kStackClassBytes[k];
  }
  return stats;
}

bool IsGuardPage(const void* address, StackSlot* slot) {
  const char* p = static_cast<const char*>(address);
  for (int k = 0; k < kStackClasses; ++k) {
    if (p < arena.stacks[k].begin || p >= arena.stacks[k].end) continue;
    const size_t offset = static_cast<size_t>(p - arena.stacks[k].begin);
    const auto index = static_cast<uint32_t>(offset / kStackClassBytes[k]);
    if (index >= classes[k].committed || offset % kStackClassBytes[k] >= kPage) return false;
    *slot = index << 3 | static_cast<uint32_t>(k);
    return classes[k].info[index].guarded != 0;
  }
  return false;
}

bool HaveMadviseGuards() { return have_madvise; }

void InitStacks() {
  for (int k = 0; k < kStackClasses; ++k) {
    StackClassState& c = classes[k];
    c.limit = static_cast<uint32_t>(
        static_cast<size_t>(arena.stacks[k].end - arena.stacks[k].begin) / kStackClassBytes[k]);
    if (c.limit == 0) continue;
    void* p = mmap(nullptr, c.limit * sizeof(SlotInfo), PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED) {
      c.limit = 0;
    } else {
      c.info = static_cast<SlotInfo*>(p);
    }
  }
  const Settings& settings = GetSettings();
  if (settings.stack_bytes != 0) default_stack_class = StackClassFor(settings.stack_bytes);
  have_madvise = ProbeMadvise();
  guards = settings.guards;
  if (guards == Guards::kAuto) guards = have_madvise ? Guards::kMadvise : Guards::kMprotect;
  // Two map entries for each; the program needs some itself.
  const int64_t maps = MaxMapCount();
  mprotect_guards_left.store((maps - maps / 8) / 2 - 512, std::memory_order_relaxed);
}

void StacksAfterFork() {
  for (StackClassState& c : classes) {
    if (c.lock.IsHeld()) {
      // Somebody was changing the list, or had put slots on it that are not counted yet: better
      // lost than handed out twice.
      c.free_head = kEndOfList;
      c.free_count = 0;
    }
    c.lock.ResetAfterFork();
  }
}

}  // namespace leash::rt
