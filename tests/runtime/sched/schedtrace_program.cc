// Runs under LEASH_DEBUG=schedtrace and ends when it has seen of its own trace what it waits for:
// `schedtrace_program KIND`. Started by schedtrace_test.cc.

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <string>

#include "leash/leash.h"

namespace {

// Standard error, read back line by line: each is passed on to where it should have gone.
class OwnTrace {
 public:
  // Before the runtime starts.
  OwnTrace() : real_(dup(2)) {
    int ends[2];
    if (real_ < 0 || pipe(ends) != 0 || dup2(ends[1], 2) < 0) std::abort();
    close(ends[1]);
    in_ = fdopen(ends[0], "r");
  }

  std::string NextLine() {
    char* text = nullptr;
    size_t room = 0;
    const ssize_t n = getline(&text, &room, in_);
    if (n < 0) std::abort();
    const std::string line(text, static_cast<size_t>(n));
    std::free(text);
    if (write(real_, line.data(), line.size()) < 0) std::abort();
    return line;
  }

  std::string NextHead() {
    for (;;) {
      std::string line = NextLine();
      if (line.starts_with("SCHED ")) return line;
    }
  }

 private:
  int real_;
  FILE* in_ = nullptr;
};

// The figure behind " name=".
int Field(const std::string& line, const std::string& name) {
  const size_t at = line.find(" " + name + "=");
  return at == std::string::npos ? -1 : std::atoi(line.c_str() + at + name.size() + 2);
}

// How many Ps the line lists.
int ListedPs(const std::string& line) {
  const size_t begin = line.find("[ ");
  const size_t end = line.find(']');
  if (begin == std::string::npos || end == std::string::npos) return -1;
  std::istringstream list(line.substr(begin + 2, end - begin - 2));
  int n = 0;
  for (std::string word; list >> word;) ++n;
  return n;
}

// Twice as many goroutines as Ps, all of which compute: half of them run because Ps were replaced.
void Compute(OwnTrace& trace) {
  const int procs = leash::GOMAXPROCS(0);
  std::atomic<bool> stop{false};
  leash::WaitGroup wg;
  for (int i = 0; i < 2 * procs; ++i) {
    wg.Go([&stop] {
      while (!stop.load(std::memory_order_relaxed)) {
      }
    });
  }
  for (;;) {
    const std::string line = trace.NextHead();
    if (ListedPs(line) - Field(line, "idleprocs") == 2 * procs && Field(line, "runqueue") == 0) {
      break;
    }
  }
  stop.store(true);
  wg.Wait();
}

// Nothing runs, sysmon sleeps, and the trace goes on.
void Idle(OwnTrace& trace) {
  leash::Chan<int> ch = leash::MakeChan<int>();
  leash::WaitGroup wg;
  wg.Go([ch] { ch.Recv(); });
  const auto asleep = [](const std::string& line) {
    return Field(line, "idleprocs") == Field(line, "gomaxprocs") &&
           line.find(" sysmonwait=true") != std::string::npos;
  };
  for (int seen = 0; seen < 3;) {
    if (asleep(trace.NextHead())) ++seen;
  }
  while (!trace.NextLine().starts_with("  G")) {
  }
  ch.Send(1);
  wg.Wait();
}

// The child of a fork has a trace of its own.
void Fork(OwnTrace& trace) {
  leash::WaitGroup wg;
  wg.Go([] {});
  wg.Wait();
  trace.NextHead();
  const pid_t pid = fork();
  if (pid == 0) {
    OwnTrace own;
    leash::Chan<int> ch = leash::MakeChan<int>();
    leash::go([ch] { ch.Send(1); });
    ch.Recv();
    own.NextHead();
    own.NextHead();
    _exit(0);
  }
  int status = 0;
  waitpid(pid, &status, 0);
  std::printf("child: %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : 100 + WTERMSIG(status));
}

}  // namespace

int main(int argc, char** argv) {
  const std::string kind = argc > 1 ? argv[1] : "";
  OwnTrace trace;
  if (kind == "compute") {
    Compute(trace);
  } else if (kind == "idle") {
    Idle(trace);
  } else if (kind == "fork") {
    Fork(trace);
  } else {
    return 64;
  }
  return 0;
}
