// What AddressSanitizer and LeakSanitizer should find, and what they should not: `asan_program
// KIND`. Started by asan_test.cc. Each kind is what a user's program would do, and knows no more of
// leash.

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "leash/leash.h"

namespace {

// What has its address taken lies in a fake frame. (Not by inline assembly: a function that has any
// gets no fake frame.)
const void* volatile escaped;
[[gnu::noinline]] void EscapeAddress(const void* p) { escaped = p; }
template <class T>
void Escape(const T& object) {
  EscapeAddress(&object);
  EscapeAddress(nullptr);
}

// Pointers to these are not to be found in registers, or in what earlier calls left behind.
[[gnu::noinline]] std::string* NewText() { return new std::string(100, 'x'); }

struct Holder {
  std::string* text = nullptr;
};

[[gnu::noinline]] void HoldAndWait(leash::Chan<int> held, leash::Chan<int> never) {
  Holder holder;
  Escape(holder);
  holder.text = NewText();
  held.Send(1);
  never.Recv();
  delete holder.text;
}

// 100 goroutines wait for ever, each with memory that only it holds.
void Waiting(leash::Chan<int> never) {
  leash::Chan<int> held = leash::MakeChan<int>();
  for (int i = 0; i < 100; ++i) leash::go([=] { HoldAndWait(held, never); });
  for (int i = 0; i < 100; ++i) held.Recv();
}

// The same with what it was started with, small and large, started or not.
void Captured(leash::Chan<int> never) {
  struct Large {
    char padding[2000];
    std::unique_ptr<std::string> text;
  };
  for (int i = 0; i < 10; ++i) {
    leash::go([=, text = std::unique_ptr<std::string>(NewText())] { never.Recv(); });
    leash::go([=, large = Large{{}, std::unique_ptr<std::string>(NewText())}] { never.Recv(); });
  }
}

// One waits with all that the others, who come and go as fast as they can, do not have.
void Moving() {
  for (int i = 0; i < 8; ++i) {
    leash::go([] {
      for (;;) {
        leash::Chan<Holder> ch = leash::MakeChan<Holder>();
        leash::go([ch] {
          Holder mine;
          Escape(mine);
          mine.text = NewText();
          ch.Send(mine);
        });
        Holder theirs;
        Escape(theirs);
        theirs = *ch.Recv();
        leash::Gosched();
        delete theirs.text;
      }
    });
  }
}

// Lost by goroutines that have ended: many, since a word that was left somewhere may hide one.
void Leak() {
  leash::WaitGroup wg;
  for (int i = 0; i < 100; ++i) {
    wg.Go([] {
      std::string* text = NewText();
      Escape(text);
    });
  }
  wg.Wait();
}

// Lost with the closures.
void LeakOfClosure() {
  leash::WaitGroup wg;
  for (int i = 0; i < 100; ++i) {
    wg.Add(1);
    leash::go([&wg, text = NewText()] {
      if (text->empty()) std::abort();
      wg.Done();
    });
  }
  wg.Wait();
}

// A child of fork has lost what waits here; it is not to answer for that.
int ExitInChild(leash::Chan<int> never) {
  Waiting(never);
  const pid_t pid = fork();
  if (pid == 0) {
    leash::WaitGroup wg;
    wg.Go([] { leash::Gosched(); });
    wg.Wait();
    std::exit(0);
  }
  int status = 0;
  waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 100 + WTERMSIG(status);
}

// The classic: the spawner's local, after the spawner has returned. `ends`: the spawner is a
// goroutine that has ended, too.
[[gnu::noinline]] void SpawnWithLocal(leash::Chan<int> go_on, leash::Chan<int> out) {
  int local = 42;
  Escape(local);
  leash::go([=, &local] {
    go_on.Recv();
    out.Send(local);
  });
}
void UseAfterReturn(bool ends) {
  leash::Chan<int> go_on = leash::MakeChan<int>(), out = leash::MakeChan<int>();
  leash::WaitGroup wg;
  leash::Chan<int> returned = leash::MakeChan<int>(1), wait = leash::MakeChan<int>();
  wg.Go([=] {
    SpawnWithLocal(go_on, out);
    returned.Send(1);
    if (!ends) wait.Recv();
  });
  returned.Recv();
  if (ends) wg.Wait();
  go_on.Send(1);
  out.Recv();
  wait.Close();
  wg.Wait();
}

// What a goroutine was started with, after it has ended.
template <size_t kBytes>
void UseOfClosure() {
  struct Value {
    int number = 42;
    char more[kBytes];
  };
  const Value* captured = nullptr;
  leash::WaitGroup wg;
  wg.Add(1);
  leash::go([&, value = Value()] {
    captured = &value;
    wg.Done();
  });
  wg.Wait();
  // Done is before the end.
  while (leash::NumGoroutine() != 0) leash::Gosched();
  std::printf("%d\n", captured->number);
}

extern "C" int __lsan_do_recoverable_leak_check();

}  // namespace

int main(int argc, char** argv) {
  const std::string_view kind = argc > 1 ? argv[1] : "";
  static leash::Chan<int> never = leash::MakeChan<int>();
  if (kind == "waiting") {
    Waiting(never);
  } else if (kind == "captured") {
    Captured(never);
  } else if (kind == "moving") {
    Moving();
    for (int i = 0; i < 20; ++i) {
      if (__lsan_do_recoverable_leak_check() != 0) return 3;
      leash::Sleep(absl::Milliseconds(1));
    }
  } else if (kind == "leak") {
    Leak();
  } else if (kind == "leak-of-closure") {
    LeakOfClosure();
  } else if (kind == "use-after-return") {
    UseAfterReturn(/*ends=*/false);
  } else if (kind == "use-after-end") {
    UseAfterReturn(/*ends=*/true);
  } else if (kind == "use-of-closure") {
    UseOfClosure<4>();
  } else if (kind == "use-of-large-closure") {
    UseOfClosure<1000>();
  } else if (kind == "exit-in-child") {
    return ExitInChild(never);
  } else if (kind == "exit-in-goroutine") {
    Waiting(never);
    leash::go([] {
      Holder holder;
      Escape(holder);
      holder.text = NewText();
      std::exit(0);
    });
    never.Recv();
  } else {
    return 2;
  }
  std::printf("end of main\n");
  std::fflush(stdout);
  return 0;
}
