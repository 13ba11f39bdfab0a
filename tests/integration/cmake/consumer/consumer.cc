// A program that links what an installed leash offers to programs.

#include <leash/debug.h>
#include <leash/leash.h>

#include <cstdio>

int main() {
  const leash::Chan<int> answer = leash::MakeChan<int>();
  leash::go([answer] { answer.Send(42); });
  std::printf("%d\n", answer.Recv().value_or(0));
  auto server = leash::debug::Serve("127.0.0.1:0");
  return server.ok() ? 0 : 1;
}
