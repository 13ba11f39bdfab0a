// RUN: leash-add-inside-goroutine
#include "leash/leash.h"

void Work();
void Note(int);

//===--- Found --------------------------------------------------------------//

void First(leash::WaitGroup &wg) {
  leash::go([&] {
    wg.Add(1);
    // CHECK-MESSAGES: :[[@LINE-1]]:8: warning: 'Add' runs inside the goroutine that it counts, so 'Wait' may return before it; call it before 'go' [leash-add-inside-goroutine]
    // CHECK-MESSAGES: :[[@LINE-3]]:3: note: the goroutine starts here
    Work();
    wg.Done();
  });
}
// CHECK-FIXES: void First(leash::WaitGroup &wg) {
// CHECK-FIXES-NEXT: {{^}}  wg.Add(1);
// CHECK-FIXES-NEXT: {{^}}  leash::go([&] {
// CHECK-FIXES-NEXT: // CHECK-MESSAGES

void NotFirst() {
  leash::WaitGroup wg;
  for (int i = 0; i < 3; ++i) {
    leash::go([&wg] {
      Work();
      wg.Add(1);  // one more
      // CHECK-MESSAGES: :[[@LINE-1]]:10: warning: 'Add' runs inside
      // CHECK-MESSAGES: :[[@LINE-4]]:5: note: the goroutine starts here
      Work();
      wg.Done();
    });
  }
  wg.Wait();
}
// CHECK-FIXES: for (int i = 0; i < 3; ++i) {
// CHECK-FIXES-NEXT: {{^}}    wg.Add(1);
// CHECK-FIXES-NEXT: {{^}}    leash::go([&wg] {
// CHECK-FIXES-NEXT: {{^}}      Work();
// CHECK-FIXES-NEXT: {{^}}      // one more

void OneLine(leash::WaitGroup &wg) {
  int n = 0; leash::go([&wg] { wg.Add(2); wg.Done(); wg.Done(); });
  // CHECK-MESSAGES: :[[@LINE-1]]:35: warning: 'Add' runs inside
  // CHECK-MESSAGES: :[[@LINE-2]]:14: note: the goroutine starts here
  Note(n);
}
// CHECK-FIXES: int n = 0; wg.Add(2); leash::go([&wg] { wg.Done(); wg.Done(); });

// Each Add is a fault of its own; one fix moves all of them.
void Two(leash::WaitGroup &wg) {
  leash::go([&wg] {
    wg.Add(1);
    wg.Add(2);
    wg.Done();
    wg.Done();
    wg.Done();
  });
  // CHECK-MESSAGES: :[[@LINE-6]]:8: warning: 'Add' runs inside
  // CHECK-MESSAGES: :[[@LINE-8]]:3: note: the goroutine starts here
  // CHECK-MESSAGES: :[[@LINE-7]]:8: warning: 'Add' runs inside
  // CHECK-MESSAGES: :[[@LINE-10]]:3: note: the goroutine starts here
}
// CHECK-FIXES: void Two(leash::WaitGroup &wg) {
// CHECK-FIXES-NEXT: {{^}}  wg.Add(1);
// CHECK-FIXES-NEXT: {{^}}  wg.Add(2);
// CHECK-FIXES-NEXT: {{^}}  leash::go([&wg] {
// CHECK-FIXES-NEXT: {{^}}    wg.Done();

// A conditional Add stays: moved out it would count a task that does not run.
void Conditional(leash::WaitGroup &wg, bool more) {
  leash::go([&wg, more] {
    if (more) {
      wg.Add(1);
      // CHECK-MESSAGES: :[[@LINE-1]]:10: warning: 'Add' runs inside
      // CHECK-MESSAGES: :[[@LINE-4]]:3: note: the goroutine starts here
      wg.Done();
    }
  });
}
// CHECK-FIXES: if (more) {
// CHECK-FIXES-NEXT: {{^}}      wg.Add(1);

// So does one behind an early return.
void AfterReturn(leash::WaitGroup &wg, bool stop) {
  leash::go([&wg, stop] {
    if (stop)
      return;
    wg.Add(1);
    // CHECK-MESSAGES: :[[@LINE-1]]:8: warning: 'Add' runs inside
    // CHECK-MESSAGES: :[[@LINE-5]]:3: note: the goroutine starts here
    wg.Done();
  });
}
// CHECK-FIXES: return;
// CHECK-FIXES-NEXT: {{^}}    wg.Add(1);

// Each way out gives back what was taken, no more.
void EarlyDone(leash::WaitGroup &wg, bool bad) {
  leash::go([&wg, bad] {
    wg.Add(1);
    // CHECK-MESSAGES: :[[@LINE-1]]:8: warning: 'Add' runs inside
    // CHECK-MESSAGES: :[[@LINE-3]]:3: note: the goroutine starts here
    if (bad) {
      wg.Done();
      return;
    }
    Work();
    wg.Done();
  });
}

// The count that the spawner takes before is another task's.
void OfAnother(leash::WaitGroup &wg) {
  wg.Add(1);
  leash::go([&] { Work(); wg.Done(); });
  leash::go([&] {
    wg.Add(1);
    // CHECK-MESSAGES: :[[@LINE-1]]:8: warning: 'Add' runs inside
    // CHECK-MESSAGES: :[[@LINE-3]]:3: note: the goroutine starts here
    Work();
    wg.Done();
  });
}

// A value that only the task has cannot be moved out.
void Computed(leash::WaitGroup &wg, int n) {
  leash::go([&wg, n] {
    wg.Add(n);
    // CHECK-MESSAGES: :[[@LINE-1]]:8: warning: 'Add' runs inside
    // CHECK-MESSAGES: :[[@LINE-3]]:3: note: the goroutine starts here
  });
}
void InnerConstant() {
  leash::WaitGroup wg;
  leash::go([&] {
    constexpr int kOne = 1;
    wg.Add(kOne);
    // CHECK-MESSAGES: :[[@LINE-1]]:8: warning: 'Add' runs inside
    // CHECK-MESSAGES: :[[@LINE-4]]:3: note: the goroutine starts here
    wg.Done();
  });
  wg.Wait();
}
// CHECK-FIXES: constexpr int kOne = 1;
// CHECK-FIXES-NEXT: {{^}}    wg.Add(kOne);

// Without braces there is no room before the spawn.
void NoBlock(leash::WaitGroup &wg) {
  for (int i = 0; i < 3; ++i)
    leash::go([&] {
      wg.Add(1);
      // CHECK-MESSAGES: :[[@LINE-1]]:10: warning: 'Add' runs inside
      // CHECK-MESSAGES: :[[@LINE-3]]:5: note: the goroutine starts here
      wg.Done();
    });
}
// CHECK-FIXES: for (int i = 0; i < 3; ++i)
// CHECK-FIXES-NEXT: {{^}}    leash::go([&] {
// CHECK-FIXES-NEXT: {{^}}      wg.Add(1);

class Server {
public:
  void Accept() {
    leash::go([this] {
      conns_.Add(1);
      // CHECK-MESSAGES: :[[@LINE-1]]:14: warning: 'Add' runs inside
      // CHECK-MESSAGES: :[[@LINE-3]]:5: note: the goroutine starts here
      Handle();
      conns_.Done();
    });
    leash::go(&Server::Loop, this);
  }
  void Shutdown() { conns_.Wait(); }

private:
  void Handle();
  void Loop() {
    conns_.Add(1);
    // CHECK-MESSAGES: :[[@LINE-1]]:12: warning: 'Add' runs inside
    // CHECK-MESSAGES: :[[@LINE-9]]:5: note: the goroutine starts here
    conns_.Done();
  }
  leash::WaitGroup conns_;
};
// CHECK-FIXES: conns_.Add(1);
// CHECK-FIXES-NEXT: {{^}}    leash::go([this] {

void Counted(leash::WaitGroup &wg) {
  wg.Add(1);
  Work();
  wg.Done();
}
void Helper() {
  leash::WaitGroup wg;
  leash::go([&] {
    Counted(wg);
    // CHECK-MESSAGES: :[[@LINE-1]]:5: warning: 'Counted' leads to 'Add' inside the goroutine that it counts, so 'Wait' may return before it; call 'Add' before 'go' [leash-add-inside-goroutine]
    // CHECK-MESSAGES: :[[@LINE-9]]:6: note: 'Add' is called here
    // CHECK-MESSAGES: :[[@LINE-4]]:3: note: the goroutine starts here
  });
  wg.Wait();
}

void LocalLambda() {
  leash::WaitGroup wg;
  auto start = [&wg] { wg.Add(1); };
  leash::go([&] {
    start();
    // CHECK-MESSAGES: :[[@LINE-1]]:5: warning: 'start' leads to 'Add' inside the goroutine
    // CHECK-MESSAGES: :[[@LINE-4]]:27: note: 'Add' is called here
    // CHECK-MESSAGES: :[[@LINE-4]]:3: note: the goroutine starts here
    wg.Done();
  });
  wg.Wait();
}

void Named(leash::WaitGroup *wg) {
  wg->Add(1);
  // CHECK-MESSAGES: :[[@LINE-1]]:7: warning: 'Add' runs inside
  // CHECK-MESSAGES: :[[@LINE+6]]:3: note: the goroutine starts here
  Work();
  wg->Done();
}
void SpawnsNamed() {
  leash::WaitGroup wg;
  leash::go(Named, &wg);
  wg.Wait();
}

void Shared() {
  auto wg = std::make_shared<leash::WaitGroup>();
  leash::go([wg] {
    wg->Add(1);
    // CHECK-MESSAGES: :[[@LINE-1]]:9: warning: 'Add' runs inside
    // CHECK-MESSAGES: :[[@LINE-3]]:3: note: the goroutine starts here
    wg->Done();
  });
  wg->Wait();
}
// CHECK-FIXES: make_shared<leash::WaitGroup>();
// CHECK-FIXES-NEXT: {{^}}  wg->Add(1);
// CHECK-FIXES-NEXT: {{^}}  leash::go([wg] {

// A background task is a task here as everywhere.
void Background(leash::WaitGroup &wg) {
  leash::GoBackground("flushes logs", [&] {
    wg.Add(1);
    // CHECK-MESSAGES: :[[@LINE-1]]:8: warning: 'Add' runs inside the goroutine that it counts, so 'Wait' may return before it; call it before 'GoBackground'
    // CHECK-MESSAGES: :[[@LINE-3]]:3: note: the goroutine starts here
    wg.Done();
  });
}

void TimerCallback(leash::WaitGroup &wg) {
  leash::AfterFunc({1000}, [&] {
    wg.Add(1);
    // CHECK-MESSAGES: :[[@LINE-1]]:8: warning: 'Add' runs inside the goroutine that it counts, so 'Wait' may return before it; call it before 'AfterFunc'
    // CHECK-MESSAGES: :[[@LINE-3]]:3: note: the goroutine starts here
    wg.Done();
  });
}

// A WaitGroup::Go body is a task, and counted by its own WaitGroup only.
void OtherGroup(leash::WaitGroup &outer, leash::WaitGroup &inner) {
  outer.Go([&] {
    inner.Add(1);
    // CHECK-MESSAGES: :[[@LINE-1]]:11: warning: 'Add' runs inside the goroutine that it counts, so 'Wait' may return before it; call it before 'Go'
    // CHECK-MESSAGES: :[[@LINE-3]]:3: note: the goroutine starts here
    inner.Done();
  });
}

// The child is no better off for its parent's count.
void ChildAddsForItself(leash::WaitGroup &wg) {
  wg.Go([&wg] {
    leash::go([&wg] {
      wg.Add(1);
      // CHECK-MESSAGES: :[[@LINE-1]]:10: warning: 'Add' runs inside
      // CHECK-MESSAGES: :[[@LINE-3]]:5: note: the goroutine starts here
      wg.Done();
    });
  });
}

struct Guard {
  leash::WaitGroup *wg;
  explicit Guard(leash::WaitGroup *w) : wg(w) {}
  ~Guard() { wg->Done(); }
};
void Guarded(leash::WaitGroup &wg) {
  leash::go([&wg] {
    wg.Add(1);
    // CHECK-MESSAGES: :[[@LINE-1]]:8: warning: 'Add' runs inside
    // CHECK-MESSAGES: :[[@LINE-3]]:3: note: the goroutine starts here
    Guard done(&wg);
    Work();
  });
}

// Once, whatever the number of instances.
template <class T> void Template(leash::WaitGroup &wg, T value) {
  leash::go([&wg, value] {
    wg.Add(1);
    // CHECK-MESSAGES: :[[@LINE-1]]:8: warning: 'Add' runs inside
    // CHECK-MESSAGES: :[[@LINE-3]]:3: note: the goroutine starts here
    wg.Done();
  });
}
template void Template(leash::WaitGroup &, int);
template void Template(leash::WaitGroup &, long);

// Macros are reported and left as they are.
#define SPAWN_COUNTED(wg, body) leash::go([&] { (wg).Add(1); body; (wg).Done(); })
void Macro(leash::WaitGroup &group) {
  SPAWN_COUNTED(group, Work());
  // CHECK-MESSAGES: :[[@LINE-1]]:3: warning: 'Add' runs inside
  // CHECK-MESSAGES: :[[@LINE-4]]:54: note: expanded from macro 'SPAWN_COUNTED'
  // CHECK-MESSAGES: :[[@LINE-3]]:3: note: the goroutine starts here
  // CHECK-MESSAGES: :[[@LINE-6]]:33: note: expanded from macro 'SPAWN_COUNTED'
}
// CHECK-FIXES: {{^}}  SPAWN_COUNTED(group, Work());

//===--- Silent -------------------------------------------------------------//

void Before(leash::WaitGroup &wg) {
  wg.Add(1);
  leash::go([&] {
    Work();
    wg.Done();
  });
}

void GoDoesItAll(leash::WaitGroup &wg) {
  wg.Go([] { Work(); });
  wg.Wait();
}

// A task that holds a count adds for its children.
void FanOut() {
  leash::WaitGroup wg;
  wg.Add(1);
  leash::go([&wg] {
    for (int i = 0; i < 3; ++i) {
      wg.Add(1);
      leash::go([&wg] {
        Work();
        wg.Done();
      });
    }
    wg.Done();
  });
  wg.Wait();
}
void FanOutFromGo(leash::WaitGroup &wg) {
  wg.Go([&wg] {
    wg.Add(1);
    leash::go([&wg] { wg.Done(); });
  });
}
void FanOutGuarded(leash::WaitGroup &wg) {
  wg.Add(1);
  leash::go([&wg] {
    Guard done(&wg);
    wg.Add(2);
    leash::go([&wg] { wg.Done(); });
    leash::go([&wg] { wg.Done(); });
  });
}
// It was counted by whoever called Launch.
class Tree {
public:
  void Start() {
    wg_.Add(1);
    Launch();
  }
  void Join() { wg_.Wait(); }

private:
  void Launch() {
    leash::go([this] {
      wg_.Add(1);
      leash::go([this] { wg_.Done(); });
      wg_.Done();
    });
  }
  leash::WaitGroup wg_;
};
void Recurse(leash::WaitGroup &wg, int depth) {
  if (depth > 0) {
    wg.Add(1);
    leash::go(Recurse, std::ref(wg), depth - 1);
  }
  wg.Done();
}
void StartsRecursion() {
  leash::WaitGroup wg;
  wg.Add(1);
  leash::go(Recurse, std::ref(wg), 4);
  wg.Wait();
}

// The WaitGroup is the task's own.
void OwnGroup() {
  leash::go([] {
    leash::WaitGroup wg;
    wg.Add(1);
    leash::go([&wg] { wg.Done(); });
    wg.Wait();
  });
}
void Local() {
  leash::WaitGroup mine;
  mine.Add(1);
  leash::go([&mine] { mine.Done(); });
  mine.Wait();
}
void OwnGroupInHelper() {
  leash::go([] { Local(); });
  leash::go(Local);
}
// It is the only one that waits.
void WaitsItself(leash::WaitGroup &wg) {
  leash::go([&wg] {
    wg.Add(1);
    leash::go([&wg] { wg.Done(); });
    wg.Wait();
  });
}
void NobodyWaits() {
  leash::WaitGroup wg;
  leash::go([&wg] {
    wg.Add(1);
    wg.Done();
  });
}

// The spawner hears of the Add before it waits.
void Handshake() {
  leash::WaitGroup wg;
  leash::Chan<leash::Unit> started = leash::MakeChan<leash::Unit>();
  leash::go([&wg, started] {
    wg.Add(1);
    started.Send({});
    Work();
    wg.Done();
  });
  started.Recv();
  wg.Wait();
}

// What cannot be followed is not judged.
void Take(leash::WaitGroup *);
void Escapes(leash::WaitGroup &wg) {
  leash::go([&wg] {
    wg.Add(1);
    Take(&wg);
  });
}
leash::WaitGroup &Lookup(int);
void Unnamed() {
  leash::go([] { Lookup(3).Add(1); });
}
void EachOf(std::vector<leash::WaitGroup *> &groups) {
  for (leash::WaitGroup *wg : groups)
    leash::go([wg] { wg->Add(1); });
}
void InArray(leash::WaitGroup *groups) {
  leash::go([groups] { groups[1].Add(1); });
}

// No positive delta.
void Minus(leash::WaitGroup &wg, int n) {
  wg.Add(n);
  leash::go([&wg, n] {
    wg.Add(-1);
    wg.Add(-n);
  });
}

// A lambda that the task makes and does not call.
void Deferred(leash::WaitGroup &wg, std::vector<std::function<void()>> &later) {
  leash::go([&] {
    auto start = [&wg] { wg.Add(1); };
    later.push_back(start);
  });
}
// Called by the spawner, not by the task.
void CalledOutside(leash::WaitGroup &wg) {
  auto start = [&wg] { wg.Add(1); };
  start();
  leash::go([&wg] { wg.Done(); });
}
void SameFunctionOutside() {
  leash::WaitGroup wg;
  Counted(wg);
  wg.Go([] { Work(); });
  wg.Wait();
}

// Other things are called Add as well.
struct Sum {
  void Add(int);
};
void NoWaitGroup(Sum &sum) {
  leash::go([&] { sum.Add(1); });
}
namespace other {
struct WaitGroup {
  void Add(int);
};
template <class F> void go(F) {}
} // namespace other
void OtherNames(leash::WaitGroup &wg, other::WaitGroup &theirs) {
  leash::go([&] { theirs.Add(1); });
  other::go([&] { wg.Add(1); });
}

// Not instantiated: nothing is known of it.
template <class Group> void Dependent(Group &wg) {
  leash::go([&wg] {
    wg.Add(1);
    wg.Done();
  });
}

void Suppressed(leash::WaitGroup &wg) {
  leash::go([&wg] {
    wg.Add(1); // NOLINT(leash-add-inside-goroutine)
    wg.Done();
  });
}
