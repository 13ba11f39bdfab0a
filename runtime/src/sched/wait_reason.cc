#include "sched/wait_reason.h"

#include "base/check.h"

namespace leash::rt {

std::string_view WaitReasonText(WaitReason reason) {
  switch (reason) {
    case WaitReason::kNone:
      return "";
    case WaitReason::kChanSend:
      return "chan send";
    case WaitReason::kChanReceive:
      return "chan receive";
    case WaitReason::kChanSendNil:
      return "chan send (nil chan)";
    case WaitReason::kChanReceiveNil:
      return "chan receive (nil chan)";
    case WaitReason::kSelect:
      return "select";
    case WaitReason::kSelectNoCases:
      return "select (no cases)";
    case WaitReason::kMutexLock:
      return "sync.Mutex.Lock";
    case WaitReason::kRWMutexRLock:
      return "sync.RWMutex.RLock";
    case WaitReason::kRWMutexLock:
      return "sync.RWMutex.Lock";
    case WaitReason::kWaitGroupWait:
      return "sync.WaitGroup.Wait";
    case WaitReason::kCondWait:
      return "sync.Cond.Wait";
    case WaitReason::kSemacquire:
      return "semacquire";
    case WaitReason::kSleep:
      return "sleep";
    case WaitReason::kIOWait:
      return "IO wait";
    case WaitReason::kCount:
      break;
  }
  return "???";
}

}  // namespace leash::rt
