// What a dump says of a lock, a WaitGroup, ...: read from a copy of the object's bytes, which may
// be from this process or another one.
//
// The wait object of kMutexLock, kRWMutexRLock, kRWMutexLock, kWaitGroupWait, kCondWait and
// kSemacquire is the address of the object itself, whatever the reason: a wait for kMutexLock may
// be for a Mutex, a Once or the write side of an RWMutex, and the tag in the first bytes tells
// which. A Group shows as the WaitGroup and the Semaphore inside it.

#ifndef LEASH_SYNC_SYNC_FACTS_H_
#define LEASH_SYNC_SYNC_FACTS_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "leash/snapshot.h"
#include "sched/wait_reason.h"

namespace leash::rt {

struct SyncFacts {
  ObjectKind kind = ObjectKind::kUnknown;
  // Mutex, RWMutex: the goroutine that has locked it (of an RWMutex: for writing). Once: the one
  // that runs the function. 0: nobody, or not recorded.
  uint64_t holder = 0;
  bool held = false;     // locks: by a writer; Once: its function runs
  int64_t readers = 0;   // RWMutex: how many hold it
  int64_t counter = 0;   // WaitGroup: the counter. Semaphore: the units that are free.
  int64_t size = 0;      // Semaphore: the units that there are
  uint64_t waiters = 0;  // in its queues, those of a semaphore that ask for too much excepted
};

// Enough bytes of any object for DecodeSyncObject.
inline constexpr size_t kSyncObjectBytesMax = 96;
// How many bytes an object of the kind has that its first bytes tell; 0 if they tell none. Needs
// four.
size_t SyncObjectBytes(const void* first_bytes);

// Reads a copy of an object. Nothing: too few bytes, or not one of ours (freed and used again).
std::optional<SyncFacts> DecodeSyncObject(const void* bytes, size_t size);

// Whether a wait for this reason has such an object.
bool WaitsForSyncObject(WaitReason reason);

}  // namespace leash::rt

#endif  // LEASH_SYNC_SYNC_FACTS_H_
