// Why a goroutine waits, in Go's words.

#ifndef LEASH_SCHED_WAIT_REASON_H_
#define LEASH_SCHED_WAIT_REASON_H_

#include <cstdint>
#include <string_view>

#include "leash/snapshot.h"

namespace leash::rt {

enum class WaitReason : uint8_t {
  kNone,
  kChanSend,        // "chan send"                 object: the channel
  kChanReceive,     // "chan receive"              object: the channel
  kChanSendNil,     // "chan send (nil chan)"
  kChanReceiveNil,  // "chan receive (nil chan)"
  kSelect,          // "select"                    object: the first of its waiters (chan/sudog.h)
  kSelectNoCases,   // "select (no cases)"
  kMutexLock,       // "sync.Mutex.Lock"
  kRWMutexRLock,    // "sync.RWMutex.RLock"
  kRWMutexLock,     // "sync.RWMutex.Lock"
  kWaitGroupWait,   // "sync.WaitGroup.Wait"
  kCondWait,        // "sync.Cond.Wait"
  kSemacquire,      // "semacquire"
  kSleep,           // "sleep"
  kIOWait,          // "IO wait"                   object: the descriptor's record
  kCount,
};

std::string_view WaitReasonText(WaitReason reason);

}  // namespace leash::rt

#endif  // LEASH_SCHED_WAIT_REASON_H_
