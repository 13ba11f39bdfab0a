// Ends, while LEASH_TRACE is set, in the way that its argument names.

#include <leash/debug.h>
#include <leash/leash.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace {

// Some goroutines that come and go, one of them with a name.
void Work() {
  leash::WaitGroup wg;
  for (int i = 0; i < 10; ++i) {
    wg.Go([] {
      leash::debug::Region region("work");
      leash::Gosched();
    });
  }
  leash::Chan<int> done = leash::MakeChan<int>();
  leash::GoWith({.name = "keeper"}, [done] { done.Send(1); });
  done.Recv();
  wg.Wait();
}

[[gnu::noinline]] int Deep(int n) {
  volatile char here[4096];
  here[0] = static_cast<char>(n);
  if (n == 0) return 0;
  return Deep(n - 1) + here[0];
}

void Fork(bool uses_leash) {
  Work();
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    if (uses_leash) {
      for (int i = 0; i < 100; ++i) leash::GoWith({.name = "the child's"}, [] {});
      leash::Sleep(absl::Milliseconds(20));
    }
    std::exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  Work();
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view how = argc > 1 ? argv[1] : "return";
  if (how == "nothing") return 0;
  if (how == "fork") {
    Fork(true);
    return 0;
  }
  if (how == "fork-silent") {
    Fork(false);
    return 0;
  }
  Work();
  if (how == "exit") leash::go([] { std::exit(3); });
  if (how == "deadlock") leash::MakeChan<int>().Recv();
  if (how == "panic") leash::go([] { leash::Panic("no more"); });
  if (how == "overflow") leash::go([] { std::exit(Deep(1 << 30)); });
  if (how == "code") {
    leash::debug::Trace mine("/dev/null");
    std::printf("%s\n", std::string(mine.status().message()).c_str());
    return 0;
  }
  if (how != "return") leash::MakeChan<int>().Recv();  // until the other one has ended us
  return 0;
}
