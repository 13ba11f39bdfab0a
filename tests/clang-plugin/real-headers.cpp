// The public headers of leash, not the mock of the other tests: when a name
// changes there, the checks must notice.
// RUN: leash-*
// INPUTS: none
#include "leash/leash.h"

void Tick() {}

//===--- Found --------------------------------------------------------------//

void Found(leash::WaitGroup &wg) {
  leash::go([] { Tick(); });
  // CHECK-MESSAGES: :[[@LINE-1]]:3: warning: nothing can wait for this goroutine
  leash::go(Tick);
  // CHECK-MESSAGES: :[[@LINE-1]]:3: warning: nothing can wait for this goroutine
  leash::go([](int n, const std::string &) { (void)n; }, 1, "x");
  // CHECK-MESSAGES: :[[@LINE-1]]:3: warning: nothing can wait for this goroutine
  leash::GoWith({.stack_bytes = 65536}, Tick);
  // CHECK-MESSAGES: :[[@LINE-1]]:3: warning: nothing can wait for this goroutine
  leash::go([&wg] {
    wg.Add(1);
    // CHECK-MESSAGES: :[[@LINE-1]]:8: warning: 'Add' runs inside the goroutine that it counts
    // CHECK-MESSAGES: :[[@LINE-3]]:3: note: the goroutine starts here
    wg.Done();
  });
  leash::GoBackground("counts", [&wg] {
    Tick();
    wg.Add(1);
    // CHECK-MESSAGES: :[[@LINE-1]]:8: warning: 'Add' runs inside the goroutine that it counts
    // CHECK-MESSAGES: :[[@LINE-4]]:3: note: the goroutine starts here
    wg.Done();
  });
  leash::AfterFunc(absl::Seconds(1), [&wg] {
    wg.Add(1);
    // CHECK-MESSAGES: :[[@LINE-1]]:8: warning: 'Add' runs inside the goroutine that it counts
    // CHECK-MESSAGES: :[[@LINE-3]]:3: note: the goroutine starts here
    wg.Done();
  });
}
// CHECK-FIXES: {{^}}  wg.Add(1);
// CHECK-FIXES-NEXT: {{^}}  leash::go([&wg] {

//===--- Silent -------------------------------------------------------------//

void Silent(leash::WaitGroup &wg, leash::Context ctx, leash::Chan<int> ch,
            leash::Group &group, leash::Semaphore &sem) {
  wg.Add(1);
  leash::go([&wg] { wg.Done(); });
  wg.Go([] { Tick(); });
  wg.Go([&wg] {
    wg.Add(1);
    leash::go([&wg] { wg.Done(); });
  });
  group.Go([] { Tick(); });
  group.Go([&group] {
    group.Go([] { return absl::OkStatus(); });
    return absl::OkStatus();
  });
  leash::go([ctx] {
    while (ctx.Err().ok())
      leash::Sleep(absl::Seconds(1));
  });
  leash::go([ch] { ch.Send(1); });
  leash::go([](leash::RecvChan<int> in) { (void)in.Recv(); }, ch);
  leash::go([&sem] { sem.Release(); });
  leash::GoBackground("ticks until the process ends", Tick);
  leash::GoWith({.background = "ticks"}, Tick);
  auto timer = leash::AfterFunc(absl::Seconds(1), [] { Tick(); });
  timer.Stop();
  leash::go([&ctx] {
    auto [inner, cancel] = leash::WithCancel(ctx);
    cancel();
  });
}
