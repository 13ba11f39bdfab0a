#include "integration/verify/leaks.h"

#include <atomic>

#include "leash/go.h"
#include "leash/time.h"

namespace leaks {
namespace {

std::atomic<int> never{0};

// Behind each call that blocks: a last call would have its caller's frame taken away.
void Return() { never.fetch_add(1, std::memory_order_relaxed); }

void SpawnOnce() {
  leash::go(ReceiveFromNil);
  Return();
}

}  // namespace

void Send(leash::SendChan<int> out) {
  out.Send(7);
  Return();
}

void Receive(leash::RecvChan<int> in) {
  in.Recv();
  Return();
}

void ReceiveFromNil() {
  leash::Chan<int>().Recv();
  Return();
}

void SelectNothing() {
  leash::Select();
  Return();
}

void Sleep() {
  leash::Sleep(absl::Hours(1));
  Return();
}

void Spin() {
  while (never.load(std::memory_order_relaxed) < 1'000'000) {
  }
}

void YieldForEver() {
  while (never.load(std::memory_order_relaxed) < 1'000'001) leash::Gosched();
}

void Lock(leash::Mutex* mu) {
  mu->Lock();
  Return();
}

void SpawnTwice() {
  leash::go(SpawnOnce);
  Return();
}

void EndSoon() {
  leash::Sleep(absl::Milliseconds(20));
  Return();
}

}  // namespace leaks
