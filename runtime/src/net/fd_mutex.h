// FdMutex: who may use a descriptor. Reads wait for each other, writes too, and the descriptor is
// closed when it is given up and the last call on it has ended. Go's fdMutex, with waiters in a
// list of ours: they are served in order.
//
// Laws: (1) `state` holds the number of references (calls under way, those that hold a direction
// too),
//   a bit for each held direction, one for each that has waiters, and kClosed, which stays.  (2) A
//   direction with waiters is handed over held, with the reference, to the first.  (3) Nobody waits
//   once it is closed: Close takes all waiters away, and none comes after.  (4) Exactly one call
//   returns "last": the one that makes a closed one's references zero.

#ifndef LEASH_NET_FD_MUTEX_H_
#define LEASH_NET_FD_MUTEX_H_

#include <atomic>
#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "base/lock.h"
#include "sched/netpoll.h"
#include "sched/park.h"

namespace leash::rt {

class FdMutex {
 public:
  // Takes a reference; false: closed.
  bool Ref();
  // Gives it back. True: it was the last of a closed one.
  bool Unref();

  // Waits for the direction and takes it with a reference; false: closed. `object` is shown as what
  // is waited for, with [IO wait].
  bool Acquire(PollMode mode, const void* object);
  // Gives both back. True: it was the last of a closed one.
  bool Release(PollMode mode);

  // Closes it and takes a reference, for the closer; false: closed before. Who waits for a
  // direction is sent away.
  bool CloseAndRef();

 private:
  struct Waiter {
    G* g;
    Waiter* next = nullptr;
    bool closed = false;
  };

  static constexpr uint64_t kClosed = 1;
  static constexpr uint64_t kHeld[2] = {2, 4};
  static constexpr uint64_t kWaiters[2] = {8, 16};
  static constexpr uint64_t kReference = 32;

  std::atomic<uint64_t> state_{0};
  Lock lock_{LockRank::kNet};
  Waiter* first_[2] ABSL_GUARDED_BY(lock_) = {};
  Waiter* last_[2] ABSL_GUARDED_BY(lock_) = {};
};

}  // namespace leash::rt

#endif  // LEASH_NET_FD_MUTEX_H_
