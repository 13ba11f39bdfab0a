// RUN: leash-fire-and-forget-spawn
#include "leash/leash.h"

void Unseen();
void UnseenWith(int *);
void Print(const char *) {}
void Tick() { Print("tick"); }
leash::WaitGroup tasks;
leash::Chan<int> results;
int counter;
std::atomic<int> written;
std::atomic<bool> stop;

//===--- Found --------------------------------------------------------------//

void Lambda() {
  leash::go([] { Print("alone"); });
  // CHECK-MESSAGES: :[[@LINE-1]]:3: warning: nothing can wait for this goroutine, cancel it or hear from it; give it a WaitGroup, Context or channel, or say why it may outlive its spawner with 'GoBackground' [leash-fire-and-forget-spawn]
}
void Function() {
  leash::go(Tick);
  // CHECK-MESSAGES: :[[@LINE-1]]:3: warning: nothing can wait for this goroutine
  leash::go(&Tick);
  // CHECK-MESSAGES: :[[@LINE-1]]:3: warning: nothing can wait for this goroutine
}
int main() {
  leash::go([] {
    for (;;)
      Tick();
  });
  // CHECK-MESSAGES: :[[@LINE-4]]:3: warning: nothing can wait for this goroutine
}
void PlainData(std::string line, int *n) {
  leash::go([line, n] { ++*n; });
  // CHECK-MESSAGES: :[[@LINE-1]]:3: warning: nothing can wait for this goroutine
  leash::go([](int a) { ++a; }, 7);
  // CHECK-MESSAGES: :[[@LINE-1]]:3: warning: nothing can wait for this goroutine
}
void Variable() {
  auto work = [] { Tick(); };
  leash::go(work);
  // CHECK-MESSAGES: :[[@LINE-1]]:3: warning: nothing can wait for this goroutine
}
struct Functor {
  int n;
  void operator()() { ++n; }
};
void Object() {
  leash::go(Functor{1});
  // CHECK-MESSAGES: :[[@LINE-1]]:3: warning: nothing can wait for this goroutine
}

// Statistics and locks let nobody wait.
struct Audit {
  leash::Mutex mu;
  int lines = 0;
  void Write(const std::string &) {
    leash::MutexLock lock(&mu);
    ++lines;
    written++;
  }
};
class Server {
public:
  void Log(const std::string &line) {
    leash::go([this, line] { audit_.Write(line); });
    // CHECK-MESSAGES: :[[@LINE-1]]:5: warning: nothing can wait for this goroutine
    leash::go(&Server::Count, this);
    // CHECK-MESSAGES: :[[@LINE-1]]:5: warning: nothing can wait for this goroutine
  }
  void Count() { ++lines_; }

private:
  Audit audit_;
  int lines_ = 0;
  leash::WaitGroup conns_; // not used by these tasks
};

void Locks(leash::Mutex &mu) {
  leash::go([&mu] {
    mu.Lock();
    ++counter;
    mu.Unlock();
  });
  // CHECK-MESSAGES: :[[@LINE-5]]:3: warning: nothing can wait for this goroutine
}

// What the task makes for itself reaches nobody.
void OwnObjects() {
  leash::go([] {
    leash::WaitGroup wg;
    wg.Go([] { Tick(); });
    wg.Wait();
    for (;;) {
      leash::After({1000}).Recv();
      leash::Sleep({1000});
      Tick();
    }
  });
  // CHECK-MESSAGES: :[[@LINE-10]]:3: warning: nothing can wait for this goroutine
}

// The connection is the task's alone.
void Handle(leash::net::Conn &conn) {
  char buffer[16];
  conn.Read(buffer, 16);
}
void Serve(leash::net::Listener &listener) {
  for (;;) {
    leash::go([conn = listener.Accept()]() mutable { Handle(conn); });
    // CHECK-MESSAGES: :[[@LINE-1]]:5: warning: nothing can wait for this goroutine
  }
}

void Options() {
  leash::GoWith({.stack_bytes = 65536}, Tick);
  // CHECK-MESSAGES: :[[@LINE-1]]:3: warning: nothing can wait for this goroutine
  leash::GoWith({.name = "ticker", .background = ""}, Tick);
  // CHECK-MESSAGES: :[[@LINE-1]]:3: warning: nothing can wait for this goroutine
  leash::GoOptions options;
  options.name = "ticker";
  leash::GoWith(options, Tick);
  // CHECK-MESSAGES: :[[@LINE-1]]:3: warning: nothing can wait for this goroutine
}

// Once for all instances.
template <class T> void Instances(T value) {
  leash::go([value] { (void)value; });
  // CHECK-MESSAGES: :[[@LINE-1]]:3: warning: nothing can wait for this goroutine
}
template void Instances(int);
template void Instances(long);

#define SPAWN(f) leash::go([] { f(); })
void Macro() {
  SPAWN(Tick);
  // CHECK-MESSAGES: :[[@LINE-1]]:3: warning: nothing can wait for this goroutine
  // CHECK-MESSAGES: :[[@LINE-4]]:18: note: expanded from macro 'SPAWN'
}

// A spawn inside of another is one of its own.
void Nested(leash::WaitGroup &wg) {
  wg.Go([] {
    leash::go(Tick);
    // CHECK-MESSAGES: :[[@LINE-1]]:5: warning: nothing can wait for this goroutine
  });
}

//===--- Silent -------------------------------------------------------------//

void Captures(leash::WaitGroup &wg, leash::Context ctx, leash::Chan<int> ch,
              leash::Semaphore &sem, std::condition_variable &cv,
              std::stop_token token) {
  wg.Add(1);
  leash::go([&wg] { wg.Done(); });
  leash::go([ctx] { Tick(); });
  leash::go([ch] { ch.Send(1); });
  leash::go([&sem] { sem.Release(); });
  leash::go([&cv] { cv.notify_all(); });
  leash::go([token] { Tick(); });
  leash::go([out = leash::SendChan<int>(ch)] { out.Send(1); });
}
void Promise() {
  std::promise<int> promise;
  std::future<int> future = promise.get_future();
  leash::go([p = std::move(promise)]() mutable { p.set_value(1); });
  future.get();
}
void Consume(leash::Chan<int> from) {
  for (int n : from)
    counter += n;
}
void Finish(leash::WaitGroup *wg) { wg->Done(); }
void Arguments(leash::Chan<int> ch, leash::WaitGroup &wg) {
  leash::go(Consume, ch);
  leash::go(Finish, &wg);
  leash::go([](leash::WaitGroup &w) { w.Done(); }, std::ref(wg));
}
void Groups(leash::WaitGroup &wg, leash::Group &group) {
  wg.Go([] { Tick(); });
  group.Go([] { Tick(); });
  group.TryGo([] { Tick(); });
}

// Members and globals that the task uses, however deep.
void Report(int n) { results.Send(n); }
void Deeper(int n) { Report(n + 1); }
class Pool {
public:
  void Start() {
    leash::go([this] { Loop(); });
    leash::go([this] { done_.Done(); });
    leash::go(&Pool::Loop, this);
    leash::go([] { tasks.Done(); });
    leash::go([] { Deeper(1); });
    leash::go(Deeper, 1);
  }

private:
  void Loop() {
    for (int n : queue_)
      counter += n;
  }
  leash::Chan<int> queue_;
  leash::WaitGroup done_;
};

// In containers, smart pointers and classes that the task owns.
struct Job {
  int id;
  leash::Chan<int> reply;
};
void Carriers(std::vector<leash::Chan<int>> sinks, Job job,
              std::shared_ptr<Job> shared, std::unique_ptr<Job> unique,
              Job *pointer) {
  leash::go([sinks] { Tick(); });
  leash::go([job] { Tick(); });
  leash::go([shared] { Tick(); });
  leash::go([u = std::move(unique)] { Tick(); });
  leash::go([pointer] { pointer->reply.Send(1); });
}

// It can be stopped: by a flag, by closing what it reads.
void Stoppable(leash::net::Listener &listener,
               std::shared_ptr<leash::net::Conn> conn) {
  leash::go([] {
    while (!stop.load())
      Tick();
  });
  leash::go([&listener] {
    for (;;)
      listener.Accept();
  });
  leash::go([conn] { conn->Close(); });
}

// To unlock what another has locked is a signal; to lock and unlock is none.
void HandsOver(leash::Mutex &mu) {
  mu.Lock();
  leash::go([&mu] { mu.Unlock(); });
  mu.Lock();
}

// It ends a life that others wait for.
struct Signal {
  ~Signal() { tasks.Done(); }
};
void Destructors() {
  leash::go([] {
    Signal signal;
    Tick();
  });
}

// What cannot be seen may do anything.
struct Hidden;
struct Interface {
  virtual void Run() = 0;
};
void Invisible(std::function<void()> f, void (*pointer)(), Hidden *hidden,
               Interface *interface, void *any) {
  leash::go(Unseen);
  leash::go(UnseenWith, &counter);
  leash::go([] { Unseen(); });
  leash::go(f);
  leash::go([f] { f(); });
  leash::go(pointer);
  leash::go([pointer] { pointer(); });
  leash::go([interface] { interface->Run(); });
  leash::go([](void *p) { static_cast<Job *>(p)->reply.Send(1); }, any);
  leash::go([h = std::unique_ptr<Hidden>{hidden}] { Tick(); });
}

// The opt-out, in words.
void Background() {
  leash::GoBackground("flushes metrics until the process ends", Tick);
  leash::GoWith({.background = "flushes metrics"}, Tick);
  leash::GoOptions options;
  options.background = "flushes metrics";
  leash::GoWith(options, Tick);
}
void Given(const leash::GoOptions &options) { leash::GoWith(options, Tick); }

// A timer can be stopped, and ends by itself.
void Timers(leash::Context ctx) {
  leash::Timer timer = leash::AfterFunc({1000}, [] { Tick(); });
  leash::AfterFunc(ctx, [] { Tick(); });
  timer.Stop();
}

// One instance is waited for: the caller of the others is to blame, not this.
template <class F> void Run(F f) { leash::go(f); }
void Instantiate(leash::Chan<int> ch) {
  Run([ch] { ch.Send(1); });
  Run([] { Tick(); });
}
template <class F> void NotInstantiated(F f) {
  leash::go(f);
  leash::go([f] { f(); });
}

namespace other {
template <class F> void go(F) {}
} // namespace other
void OtherNames() {
  other::go(Tick);
  auto go = [](auto f) { f(); };
  go(Tick);
}

void Suppressed() {
  leash::go(Tick); // NOLINT(leash-fire-and-forget-spawn)
}
