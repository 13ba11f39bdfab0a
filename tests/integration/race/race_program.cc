// Commits one data race, chosen by name, as the programs behind Go's own reports do. Nothing is
// ordered by sleeping: a spinning look at what ThreadSanitizer does not see comes before the second
// access, so that each race is reported in each run.

#include <atomic>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "leash/leash.h"
#include "support/wait_until_blocked.h"

// Not of this file alone: else the compiler drops stores that nothing reads.
int shared = 0;
std::atomic<int> seen{0};

namespace {

// Waits for a step of another goroutine without a happens-before edge: this function and its word
// are not instrumented.
class Steps {
 public:
  __attribute__((disable_sanitizer_instrumentation)) void Reach() {
    __atomic_fetch_add(&reached_, 1, __ATOMIC_SEQ_CST);
  }
  __attribute__((disable_sanitizer_instrumentation)) void WaitFor(int n) {
    while (__atomic_load_n(&reached_, __ATOMIC_SEQ_CST) < n) leash::Gosched();
  }

 private:
  int reached_ = 0;
};
Steps steps;

// Likewise: to count them orders nothing.
void WaitUntilAllHaveEnded() {
  while (leash::NumGoroutine() > 0) leash::Gosched();
}

int hits = 0;

__attribute__((noinline)) void Bump() { hits++; }

// The first is still there when the second comes.
void Counter() {
  leash::WaitGroup wg;
  wg.Add(2);
  leash::go([&wg] {
    Bump();
    steps.Reach();
    steps.WaitFor(2);
    wg.Done();
  });
  leash::go([&wg] {
    steps.WaitFor(1);
    Bump();
    steps.Reach();
    wg.Done();
  });
  wg.Wait();
}

void LoopVariable() {
  leash::WaitGroup wg;
  wg.Add(3);
  for (int i = 0; i < 3; ++i) {
    leash::go([&] {
      seen.fetch_add(i, std::memory_order_relaxed);
      wg.Done();
    });
    WaitUntilAllHaveEnded();
  }
  wg.Wait();
}

void WaitGroupAdd() {
  leash::WaitGroup wg;
  const auto let_go = leash::MakeChan<int>();
  leash::go([&wg, let_go] {
    wg.Add(1);  // NOLINT(leash-add-inside-goroutine): it is the race
    steps.Reach();
    static_cast<void>(let_go.Recv());
    wg.Done();
  });
  steps.WaitFor(1);
  leash::go([let_go] {
    leash::testing::WaitUntilBlocked(1, "sync.WaitGroup.Wait");
    let_go.Send(1);
  });
  wg.Wait();
}

void CloseSend() {
  const auto ch = leash::MakeChan<int>(1);
  leash::go([ch] { ch.Send(1); });
  WaitUntilAllHaveEnded();
  ch.Close();
}

void Finished() {
  auto value = std::make_unique<int>(0);
  leash::go([v = value.get()] { *v = 1; });
  WaitUntilAllHaveEnded();
  *value = 2;
}

class Account {
 public:
  void Deposit(int n) {
    mu_.Lock();
    balance_ += n;
    mu_.Unlock();
  }
  __attribute__((noinline)) int Peek() const { return balance_; }

 private:
  leash::Mutex mu_;
  int balance_ = 0;
};

void HalfLocked() {
  Account account;
  leash::go([&account] { account.Deposit(5); });
  WaitUntilAllHaveEnded();
  if (account.Peek() > 5) printf("more\n");
}

void SelectSend() {
  const auto ch = leash::MakeChan<int>(1);
  leash::go([ch] { leash::Select(leash::OnSend(ch, 1, [] {})); });
  WaitUntilAllHaveEnded();
  ch.Close();
}

// A thread that is no goroutine, and a goroutine.
void Thread() {
  std::thread thread([] {
    shared = 1;
    steps.Reach();
    steps.WaitFor(2);
  });
  leash::go([] {
    steps.WaitFor(1);
    shared = 2;
    steps.Reach();
  });
  thread.join();
}

// One ends, then `others` more do, then comes the access that races with its.
void LongGone(int others) {
  leash::go([] { shared = 1; });
  WaitUntilAllHaveEnded();
  for (int i = 0; i < others; ++i) {
    leash::go([] {});
    WaitUntilAllHaveEnded();
  }
  shared = 2;
}

// Several words, each raced for at a line of its own by four goroutines at once: while one race is
// reported, others find theirs.
constexpr int kWords = 64;
int words[kWords];

template <int N>
__attribute__((noinline)) void BumpThree() {
  words[N]++;
  words[(N + 7) % kWords]++;
  words[(N + 13) % kWords]++;
}

template <int N>
void RaceForThree() {
  leash::WaitGroup wg;
  for (int g = 0; g < 4; ++g) {
    wg.Go([] {
      for (int i = 0; i < 20000; ++i) BumpThree<N>();
    });
  }
  wg.Wait();
}

template <int... N>
void Many(std::integer_sequence<int, N...>) {
  (RaceForThree<N>(), ...);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view name = argc > 1 ? argv[1] : "";
  if (name == "counter") {
    Counter();
  } else if (name == "loop-variable") {
    LoopVariable();
  } else if (name == "waitgroup-add") {
    WaitGroupAdd();
  } else if (name == "close-send") {
    CloseSend();
  } else if (name == "select-send") {
    SelectSend();
  } else if (name == "finished") {
    Finished();
  } else if (name == "half-locked") {
    HalfLocked();
  } else if (name == "thread") {
    Thread();
  } else if (name == "many") {
    Many(std::make_integer_sequence<int, kWords>());
  } else if (name == "long-gone") {
    LongGone(argc > 2 ? std::stoi(argv[2]) : 0);
  } else {
    fprintf(stderr, "race_program: which race?\n");
    return 2;
  }
  printf("done\n");
  return 0;
}
