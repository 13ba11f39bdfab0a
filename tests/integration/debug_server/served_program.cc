// A program that does nothing about being served: LEASH_DEBUG_ADDR is to do all of it. Runs until
// it is killed; says "started" when its first goroutine has run.

#include <unistd.h>

#include "leash/leash.h"

int main() {
  const auto ran = leash::MakeChan<int>();
  leash::go([ran] {
    ran.Close();
    leash::MakeChan<int>().Recv();
  });
  ran.Recv();
  if (write(STDOUT_FILENO, "started\n", 8) != 8) return 1;
  for (;;) pause();
}
