// Ends as programs should not: `sched_program KIND`. Started by fatal_test.cc.

#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <thread>

#include "absl/status/statusor.h"
#include "leash/leash.h"
#include "leash/net.h"

namespace {

void Explode() { throw std::runtime_error("boom\ngoroutine 7 [fake]:"); }

int64_t Deep(int64_t n) {
  volatile char frame[2000];
  frame[0] = static_cast<char>(n);
  return n < 0 ? 0 : Deep(n + 1) + frame[0];  // never negative
}

// With frames so small that the guard page may be met by what it calls.
int64_t last;
[[gnu::noinline]] int64_t Thin(int64_t n) {
  last = n;
  if (n < 0) return 0;  // never
  const int64_t deeper = Thin(n + 1);
  asm volatile("" ::: "memory");  // after the call, or there would be a loop
  return deeper;
}

void Forever() { leash::Chan<int>().Recv(); }

// A fork in the middle of everything: the child starts afresh.
int ForkAndGoOn() {
  leash::WaitGroup wg;
  for (int i = 0; i < 100; ++i) wg.Go([] { leash::Gosched(); });
  wg.Wait();
  leash::go([] { leash::Chan<int>().Recv(); });
  leash::go([] { leash::Sleep(absl::Hours(1)); });
  const pid_t pid = fork();
  if (pid == 0) {
    if (leash::NumGoroutine() != 0) _exit(3);
    leash::Chan<int> ch = leash::MakeChan<int>();
    leash::go([ch] {
      for (int i = 0; i < 1000; ++i) ch.Send(i);
      ch.Close();
    });
    int sum = 0;
    for (int v : ch) sum += v;
    leash::Sleep(absl::Milliseconds(1));
    _exit(sum == 499500 ? 0 : 4);
  }
  int status = 0;
  waitpid(pid, &status, 0);
  std::printf("child: %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : 100 + WTERMSIG(status));
  return 0;
}

int64_t ProcessCpuNs() {
  timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return t.tv_sec * int64_t{1'000'000'000} + t.tv_nsec;
}

// How much processor time a program uses that waits for things which do not come.
int Idle() {
  leash::Chan<int> never = leash::MakeChan<int>();
  leash::Mutex mu;
  mu.Lock();
  for (int i = 0; i < 100; ++i) {
    leash::go([never] { never.Recv(); });
    leash::go([] { leash::Sleep(absl::Hours(1)); });
    leash::go([&mu] { mu.Lock(); });
  }
  const leash::Ticker unread(absl::Seconds(1));
  const leash::Timer far(absl::Hours(1));
  leash::go([] {
    // Somebody had a network connection: epoll is there, and a descriptor is waited for.
    absl::StatusOr<leash::net::Listener> listener = leash::net::Listen("tcp", "127.0.0.1:0");
    if (listener.ok()) (void)listener->Accept();
  });
  usleep(300000);  // until all of them wait
  // The least of some windows: what an idle program uses is the same in each, and a machine that is
  // busy otherwise only adds to it (cold caches, time stolen from its processors).
  int64_t least = INT64_MAX;
  for (int i = 0; i < 3 && least > 1'000'000; ++i) {
    const int64_t before = ProcessCpuNs();
    sleep(2);
    least = std::min(least, ProcessCpuNs() - before);
  }
  std::printf("%lld\n", static_cast<long long>(least));
  std::fflush(stdout);
  _exit(0);
}

struct UsesLeashLate {
  ~UsesLeashLate() {
    leash::Chan<int> ch = leash::MakeChan<int>();
    leash::go([ch] { ch.Send(5); });
    std::printf("after main: %d\n", *ch.Recv());
    std::fflush(stdout);
  }
};

int before_main = [] {
  leash::Chan<int> ch = leash::MakeChan<int>();
  leash::go([ch] { ch.Send(3); });
  return *ch.Recv();
}();

}  // namespace

int main(int argc, char** argv) {
  const std::string kind = argc > 1 ? argv[1] : "";
  if (kind == "panic") {
    leash::go(Explode);
    Forever();
  } else if (kind == "panic-thread") {
    leash::Panic("on the main thread");
  } else if (kind == "panic-int") {
    leash::go([] { throw 42; });
    Forever();
  } else if (kind == "deadlock") {
    leash::Chan<int> ch = leash::MakeChan<int>();
    leash::go([ch] { ch.Send(1); });
    leash::WaitGroup wg;
    wg.Add(1);
    wg.Wait();
  } else if (kind == "deadlock-main") {
    Forever();
  } else if (kind == "deadlock-ticker") {
    leash::Ticker ticker(absl::Milliseconds(1));
    Forever();
  } else if (kind == "no-deadlock-ticker") {
    leash::Ticker ticker(absl::Milliseconds(1));
    for (int i = 0; i < 20; ++i) ticker.C().Recv();
    ticker.Stop();
    std::puts("fine");
  } else if (kind == "no-deadlock-thread") {
    leash::Chan<int> ch = leash::MakeChan<int>();
    std::thread other([ch] {
      usleep(100000);  // it is this very pause that must not look like a deadlock
      ch.Send(1);
    });
    ch.Recv();
    other.join();
    std::puts("fine");
  } else if (kind == "no-deadlock-sleep") {
    leash::WaitGroup wg;
    wg.Go([] { leash::Sleep(absl::Milliseconds(50)); });
    wg.Wait();
    std::puts("fine");
  } else if (kind == "overflow") {
    leash::go([] { Deep(0); });
    Forever();
  } else if (kind == "overflow-from") {
    // So far from the top, so that it is another instruction that meets the guard page.
    const size_t bytes = std::strtoul(argv[2], nullptr, 10);
    leash::go([bytes] {
      auto* pad = static_cast<volatile char*>(__builtin_alloca(bytes + 16));
      pad[0] = 0;
      Thin(0);
      pad[0] = 0;
    });
    Forever();
  } else if (kind == "goexit-caught") {
    leash::go([] {
      try {
        leash::Goexit();
      } catch (...) {
      }
    });
    Forever();
  } else if (kind == "unlock") {
    leash::Mutex mu;
    mu.Unlock();
  } else if (kind == "fork") {
    return ForkAndGoOn();
  } else if (kind == "idle") {
    return Idle();
  } else if (kind == "late") {
    static UsesLeashLate late;
    std::printf("before main: %d\n", before_main);
  } else if (kind == "park-100k") {
    leash::Chan<leash::Unit> gate = leash::MakeChan<leash::Unit>();
    leash::WaitGroup up, down;
    for (int i = 0; i < 100000; ++i) {
      up.Add(1);
      down.Go([&] {
        up.Done();
        gate.Recv();
      });
    }
    up.Wait();
    gate.Close();
    down.Wait();
    std::puts("released");
  } else if (kind == "quit") {
    std::puts("ready");
    std::fflush(stdout);
    leash::go([] { leash::Sleep(absl::Hours(1)); });
    leash::Sleep(absl::Hours(1));
  } else {
    std::fprintf(stderr, "unknown kind\n");
    return 64;
  }
  return 0;
}
