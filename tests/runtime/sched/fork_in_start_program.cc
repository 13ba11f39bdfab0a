// Forks on one thread while another one starts the runtime. The child uses leash; what became of it
// is printed. Started by fatal_test.cc.

#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <string>
#include <thread>

#include "leash/leash.h"

namespace {

std::atomic<bool> in_start{false};
std::atomic<pid_t> forker{0};  // from right before its fork
std::atomic<bool> forked{false};

// The thread waits in the kernel.
bool Sleeps(pid_t tid) {
  std::ifstream in("/proc/self/task/" + std::to_string(tid) + "/stat");
  std::string stat;
  std::getline(in, stat);
  const size_t name_end = stat.rfind(") ");
  return name_end != std::string::npos && stat[name_end + 2] == 'S';
}

int RunGoroutines() {
  leash::Chan<int> ch = leash::MakeChan<int>();
  leash::go([ch] {
    for (int i = 0; i < 1000; ++i) ch.Send(i);
    ch.Close();
  });
  int sum = 0;
  for (int v : ch) sum += v;
  return sum;
}

}  // namespace

// In the place of libc's: the start asks for the number of processors. It is kept there until the
// other thread has forked, or waits to be let.
extern "C" int sched_getaffinity(pid_t pid, size_t size, cpu_set_t* set) noexcept {
  in_start.store(true);
  while (!forked.load() && !(forker.load() != 0 && Sleeps(forker.load()))) usleep(200);
  const long written = syscall(SYS_sched_getaffinity, pid, size, set);
  if (written < 0) return -1;
  std::memset(reinterpret_cast<char*>(set) + written, 0, size - static_cast<size_t>(written));
  return 0;
}

int main() {
  std::thread forks([] {
    while (!in_start.load()) usleep(200);
    forker.store(gettid());
    const pid_t pid = fork();
    if (pid == 0) {
      alarm(30);
      _exit(RunGoroutines() == 499500 ? 0 : 4);
    }
    forked.store(true);
    int status = 0;
    waitpid(pid, &status, 0);
    std::printf("child: %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
  });
  const int sum = RunGoroutines();
  forks.join();
  std::printf("parent: %d\n", sum);
  return 0;
}
