// What tests of channels share: waiting until others wait on a channel, and joining goroutines.

#ifndef LEASH_TESTS_RUNTIME_CHAN_CHAN_TEST_SUPPORT_H_
#define LEASH_TESTS_RUNTIME_CHAN_CHAN_TEST_SUPPORT_H_

#include <gtest/gtest.h>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <random>
#include <string>
#include <utility>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "chan/chan_core.h"
#include "chan/chan_facts.h"
#include "leash/chan.h"
#include "leash/go.h"

namespace leash::testing {

// How many wait on this channel, selects included.
template <class C>
size_t Waiters(const C& chan, bool senders) {
  rt::ChanCore* core = internal::ChanAccess::Core(chan);
  rt::LockHolder lock(core->lock);
  size_t n = 0;
  const rt::Sudog* s = (senders ? core->sendq : core->recvq).First();
  for (; s != nullptr; s = s->next) ++n;
  return n;
}

template <class C>
void WaitForWaiters(const C& chan, bool senders, size_t n) {
  const absl::Time deadline = absl::Now() + absl::Minutes(1);
  while (Waiters(chan, senders) != n) {
    ASSERT_LT(absl::Now(), deadline) << Waiters(chan, senders) << " wait, want " << n;
    Gosched();
  }
}
template <class C>
void WaitForReceivers(const C& chan, size_t n) {
  WaitForWaiters(chan, false, n);
}
template <class C>
void WaitForSenders(const C& chan, size_t n) {
  WaitForWaiters(chan, true, n);
}

// Goroutines, and waiting for all of them. Made of a channel, so that nothing else is needed.
class Crew {
 public:
  template <class F>
  void Go(F fn) {
    ++started_;
    leash::go([done = done_, fn = std::move(fn)]() mutable {
      fn();
      done.Send({});
    });
  }
  void Wait() {
    for (; started_ > 0; --started_) done_.Recv();
  }
  ~Crew() { Wait(); }

 private:
  Chan<Unit> done_ = MakeChan<Unit>(64);
  int started_ = 0;
};

// The text of the panic that `fn` ends with; "" if it does not.
template <class F>
std::string PanicOf(F fn) {
  try {
    fn();
  } catch (const PanicError& e) {
    return e.what();
  }
  return "";
}

template <class C>
rt::ChanFacts Facts(const C& chan) {
  rt::ChanFacts facts;
  EXPECT_TRUE(rt::ReadChanFacts(internal::ChanAccess::Core(chan), &facts));
  return facts;
}

// The number that a text begins with. (Not std::stoi: it writes errno, which goroutines of one
// thread share, and a race detector minds.)
inline int64_t NumberOf(const std::string& text) {
  int64_t number = -1;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// Printed by a test that uses it, and taken back from LEASH_SEED.
inline uint64_t Seed() {
  static const uint64_t seed = [] {
    const char* given = std::getenv("LEASH_SEED");
    return given != nullptr ? std::strtoull(given, nullptr, 0) : std::random_device()();
  }();
  return seed;
}

}  // namespace leash::testing

#endif  // LEASH_TESTS_RUNTIME_CHAN_CHAN_TEST_SUPPORT_H_
