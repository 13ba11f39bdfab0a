// A program's own names.
// RUN: leash-*
// OPTION: leash-fire-and-forget-spawn.SpawnFunctions=pool::Submit; ::pool::Pool::Run ;pool::Worker
// OPTION: leash-fire-and-forget-spawn.JoinFunctions=pool::WaitForAll;pool::Joining::Join
// OPTION: leash-fire-and-forget-spawn.WaitGroupTypes=pool::Tasks
// OPTION: leash-fire-and-forget-spawn.WaitableTypes=pool::Handle
// OPTION: leash-add-inside-goroutine.SpawnFunctions=pool::Submit;pool::Joining::Run
// OPTION: leash-add-inside-goroutine.WaitGroupTypes=pool::Tasks
// OPTION: leash-add-inside-goroutine.JoinFunctions=pool::Tasks::Drain
#include "leash/leash.h"

namespace pool {
inline namespace v1 {
template <class F> int Submit(F) { return 0; }
class Pool {
public:
  template <class F> void Run(F) {}
};
class Joining {
public:
  template <class F> void Run(F) {}
  void Join();
};
class Tasks {
public:
  void Add(int);
  void Done();
  void Drain();
};
struct Handle {
  int fd;
};
void WaitForAll();
} // namespace v1
} // namespace pool

void Tick() {}

//===--- Found --------------------------------------------------------------//

void Found(pool::Pool &some, pool::Tasks &tasks) {
  pool::Submit(Tick);
  // CHECK-MESSAGES: :[[@LINE-1]]:3: warning: nothing can wait for this task, cancel it or hear from it; give it something that can be waited for [leash-fire-and-forget-spawn]
  some.Run([] { Tick(); });
  // CHECK-MESSAGES: :[[@LINE-1]]:3: warning: nothing can wait for this task
  leash::go(Tick);
  // CHECK-MESSAGES: :[[@LINE-1]]:3: warning: nothing can wait for this goroutine
  pool::Submit([&] {
    tasks.Add(1);
    // CHECK-MESSAGES: :[[@LINE-1]]:11: warning: 'Add' runs inside the task that it counts, so 'Wait' may return before it; call it before 'Submit' [leash-add-inside-goroutine]
    // CHECK-MESSAGES: :[[@LINE-3]]:3: note: the task starts here
    tasks.Done();
  });
  tasks.Drain();
}
// CHECK-FIXES: {{^}}  tasks.Add(1);
// CHECK-FIXES-NEXT: {{^}}  pool::Submit([&] {

//===--- Silent -------------------------------------------------------------//

void Joined() {
  pool::Submit(Tick);
  pool::WaitForAll();
}
void Used() {
  int handle = pool::Submit(Tick);
  (void)handle;
}
void Through(pool::Joining &workers, pool::Handle handle) {
  workers.Run([] { Tick(); });
  pool::Submit([handle] { Tick(); });
}
void WaitsItself(pool::Tasks &tasks) {
  pool::Submit([&] {
    tasks.Add(1);
    tasks.Done();
    tasks.Drain();
  });
}
