// Reading the words of <leash/internal/sync_words.h> from a copy.

#include "sync/sync_facts.h"

#include <cstring>
#include <type_traits>

#include "leash/internal/sync_words.h"
#include "leash/sync.h"
#include "sync/lock_word.h"

namespace leash::rt {
namespace {

using internal::LockWord;
using internal::OnceWords;
using internal::RWMutexWords;
using internal::SemaphoreWords;
using internal::SyncHeader;
using internal::SyncTag;
using internal::WaitGroupWords;

// offsetof needs these, and a copy starts with the words themselves.
static_assert(std::is_standard_layout_v<LockWord> && std::is_standard_layout_v<RWMutexWords>);
static_assert(std::is_standard_layout_v<WaitGroupWords> && std::is_standard_layout_v<OnceWords>);
static_assert(std::is_standard_layout_v<SemaphoreWords> && std::is_standard_layout_v<Cond>);
static_assert(sizeof(Mutex) == sizeof(LockWord) && sizeof(RWMutex) == sizeof(RWMutexWords));
static_assert(sizeof(WaitGroup) == sizeof(WaitGroupWords) && sizeof(Once) == sizeof(OnceWords));
static_assert(sizeof(Semaphore) == sizeof(SemaphoreWords) && sizeof(Cond) >= sizeof(SyncHeader));
static_assert(sizeof(RWMutex) <= kSyncObjectBytesMax && sizeof(Mutex) <= kSyncObjectBytesMax);
static_assert(sizeof(std::atomic<uint64_t>) == 8 && sizeof(std::atomic<uint32_t>) == 4);

template <class T>
T At(const void* bytes, size_t offset) {
  T value;
  std::memcpy(&value, static_cast<const char*>(bytes) + offset, sizeof value);
  return value;
}

constexpr size_t kLengthOffset =
    offsetof(SyncHeader, waiters) + offsetof(internal::WaitQueue, length);

}  // namespace

size_t SyncObjectBytes(const void* first_bytes) {
  switch (static_cast<SyncTag>(At<uint32_t>(first_bytes, offsetof(SyncHeader, tag)))) {
    case SyncTag::kMutex:
      return sizeof(LockWord);
    case SyncTag::kRWMutex:
      return sizeof(RWMutexWords);
    case SyncTag::kWaitGroup:
      return sizeof(WaitGroupWords);
    case SyncTag::kOnce:
      return sizeof(OnceWords);
    case SyncTag::kCond:
      return sizeof(SyncHeader);
    case SyncTag::kSemaphore:
      return sizeof(SemaphoreWords);
  }
  return 0;
}

std::optional<SyncFacts> DecodeSyncObject(const void* bytes, size_t size) {
  if (size < sizeof(SyncHeader)) return std::nullopt;
  const size_t needed = SyncObjectBytes(bytes);
  if (needed == 0 || size < needed) return std::nullopt;
  SyncFacts facts;
  facts.waiters = At<uint32_t>(bytes, kLengthOffset);
  switch (static_cast<SyncTag>(At<uint32_t>(bytes, offsetof(SyncHeader, tag)))) {
    case SyncTag::kMutex: {
      facts.kind = ObjectKind::kMutex;
      facts.held = (At<uint64_t>(bytes, offsetof(LockWord, state)) & kHeld) != 0;
      if (facts.held) facts.holder = At<uint64_t>(bytes, offsetof(LockWord, holder));
      break;
    }
    case SyncTag::kRWMutex: {
      constexpr size_t kWord = offsetof(RWMutexWords, word);
      const uint64_t state = At<uint64_t>(bytes, kWord + offsetof(LockWord, state));
      facts.kind = ObjectKind::kRWMutex;
      facts.readers = static_cast<int64_t>(ReadersIn(state));
      // While there are readers, kHeld is a writer that waits for them.
      facts.held = (state & kHeld) != 0 && facts.readers == 0;
      if (facts.held) facts.holder = At<uint64_t>(bytes, kWord + offsetof(LockWord, holder));
      facts.waiters += At<uint32_t>(
          bytes, offsetof(RWMutexWords, readers) + offsetof(internal::WaitQueue, length));
      if (At<const void*>(bytes, offsetof(RWMutexWords, draining)) != nullptr) ++facts.waiters;
      break;
    }
    case SyncTag::kWaitGroup:
      facts.kind = ObjectKind::kWaitGroup;
      facts.counter =
          static_cast<int32_t>(At<uint64_t>(bytes, offsetof(WaitGroupWords, state)) >> 32);
      break;
    case SyncTag::kOnce:
      facts.kind = ObjectKind::kOnce;
      facts.held = At<uint32_t>(bytes, offsetof(OnceWords, state)) == internal::kOnceRunning;
      if (facts.held) facts.holder = At<uint64_t>(bytes, offsetof(OnceWords, holder));
      break;
    case SyncTag::kCond:
      facts.kind = ObjectKind::kCond;
      break;
    case SyncTag::kSemaphore:
      facts.kind = ObjectKind::kSemaphore;
      facts.size = At<int64_t>(bytes, offsetof(SemaphoreWords, size));
      facts.counter = facts.size - At<int64_t>(bytes, offsetof(SemaphoreWords, used));
      break;
  }
  return facts;
}

bool WaitsForSyncObject(WaitReason reason) {
  switch (reason) {
    case WaitReason::kMutexLock:
    case WaitReason::kRWMutexRLock:
    case WaitReason::kRWMutexLock:
    case WaitReason::kWaitGroupWait:
    case WaitReason::kCondWait:
    case WaitReason::kSemacquire:
      return true;
    default:
      return false;
  }
}

}  // namespace leash::rt
