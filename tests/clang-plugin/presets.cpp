// Libraries that have nothing to do with leash.
// RUN: leash-*
// OPTION: leash-fire-and-forget-spawn.Presets=std;pthread;boost.fiber;marl
// OPTION: leash-add-inside-goroutine.Presets=std;pthread;boost.fiber;marl
#include "leash/leash.h"

namespace std {
class thread {
public:
  thread();
  thread(thread &&);
  template <class F, class... A> explicit thread(F, A &&...) {}
  ~thread();
  void detach();
  void join();
  bool joinable() const;
};
class jthread {
public:
  template <class F, class... A> explicit jthread(F, A &&...) {}
  ~jthread();
  void detach();
};
template <class F> future<int> async(F) { return {}; }
} // namespace std
using pthread_t = unsigned long;
struct pthread_attr_t;
extern "C" int pthread_create(pthread_t *, const pthread_attr_t *,
                              void *(*)(void *), void *);
extern "C" int pthread_detach(pthread_t);
extern "C" int pthread_join(pthread_t, void **);
namespace boost::fibers {
class fiber {
public:
  template <class F> explicit fiber(F) {}
  void detach();
  void join();
};
template <class F> std::future<int> async(F) { return {}; }
} // namespace boost::fibers
namespace marl {
struct WaitGroup {
  void add(unsigned count = 1) const;
  bool done() const;
  void wait() const;
};
template <class F, class... A> void schedule(F, A &&...) {}
} // namespace marl

void Tick() {}
void *Run(void *) { return nullptr; }

//===--- Found --------------------------------------------------------------//

void Threads() {
  std::thread([] { Tick(); }).detach();
  // CHECK-MESSAGES: :[[@LINE-1]]:3: warning: nothing can wait for this thread, cancel it or hear from it; join it, or give it something that can be waited for [leash-fire-and-forget-spawn]
  std::thread t(Tick);
  // CHECK-MESSAGES: :[[@LINE-1]]:15: warning: nothing can wait for this thread
  if (t.joinable())
    t.detach();
  std::jthread([] { Tick(); }).detach();
  // CHECK-MESSAGES: :[[@LINE-1]]:3: warning: nothing can wait for this thread
}
void Posix() {
  pthread_t t;
  pthread_create(&t, nullptr, Run, nullptr);
  // CHECK-MESSAGES: :[[@LINE-1]]:3: warning: nothing can wait for this thread
  pthread_detach(t);
}
void Fibers() {
  boost::fibers::fiber(Tick).detach();
  // CHECK-MESSAGES: :[[@LINE-1]]:3: warning: nothing can wait for this fiber
  boost::fibers::async(Tick);
  // CHECK-MESSAGES: :[[@LINE-1]]:3: warning: nothing can wait for this fiber
  (void)boost::fibers::async(Tick);
  // CHECK-MESSAGES: :[[@LINE-1]]:9: warning: nothing can wait for this fiber
}
void Marl(const marl::WaitGroup &wg) {
  marl::schedule(Tick);
  // CHECK-MESSAGES: :[[@LINE-1]]:3: warning: nothing can wait for this task, cancel it or hear from it; give it a marl::WaitGroup or marl::Event
  marl::schedule([wg] {
    wg.add();
    // CHECK-MESSAGES: :[[@LINE-1]]:8: warning: 'add' runs inside the task that it counts, so 'Wait' may return before it; call it before 'schedule' [leash-add-inside-goroutine]
    // CHECK-MESSAGES: :[[@LINE-3]]:3: note: the task starts here
    wg.done();
  });
  wg.wait();
}
// CHECK-FIXES: {{^}}  wg.add();
// CHECK-FIXES-NEXT: {{^}}  marl::schedule([wg] {

//===--- Silent -------------------------------------------------------------//

void Keep(std::thread);
void Joined(std::promise<int> *promise) {
  std::thread t([] { Tick(); });
  t.join();
  std::thread(Tick).join();
  std::vector<std::thread *> list;
  list.push_back(new std::thread(Tick));
  Keep(std::thread(Tick));
  std::thread([promise] { promise->set_value(1); }).detach();
  std::thread both(Tick);
  if (both.joinable())
    both.join();
  else
    both.detach();
}
void Dropped() {
  std::jthread([] { Tick(); });
  std::async([] { Tick(); });
  std::jthread scoped(Tick);
}
pthread_t Handle(void *argument) {
  pthread_t t;
  pthread_create(&t, nullptr, Run, nullptr);
  pthread_join(t, nullptr);
  pthread_t given;
  pthread_create(&given, nullptr, Run, nullptr);
  pthread_t opaque;
  pthread_create(&opaque, nullptr, Run, argument);
  pthread_detach(opaque);
  return given;
}
void FibersJoined() {
  boost::fibers::fiber f(Tick);
  f.join();
  std::future<int> result = boost::fibers::async(Tick);
  result.get();
}
void Counted(const marl::WaitGroup &wg) {
  wg.add(1);
  marl::schedule([wg] { wg.done(); });
  wg.wait();
}
// The names of a preset that is not chosen.
void NotChosen() { leash::go(Tick); }
