// AddressSanitizer and LeakSanitizer with goroutines, at their defaults: what they find, and that
// they do not report what is in order.

#include <cstdlib>
#include <string>
#include <vector>

#include "base/sanitizers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "leash/debug.h"
#include "leash/leash.h"
#include "sched/park.h"
#include "stack/arena.h"
#include "support/run_program.h"
#include "support/wait_until_blocked.h"

namespace leash::testing {
namespace {

using ::testing::HasSubstr;

const void* volatile escaped;
[[gnu::noinline]] void EscapeAddress(const void* p) { escaped = p; }
template <class T>
void Escape(const T& object) {
  EscapeAddress(&object);
  EscapeAddress(nullptr);
}

ProgramResult RunKind(const std::string& kind) {
  // Nothing of how the tests themselves are run.
  std::vector<std::string> env = {"ASAN_OPTIONS", "LSAN_OPTIONS"};
  if (const char* procs = getenv("LEASH_MAXPROCS")) {
    env.push_back(std::string("LEASH_MAXPROCS=") + procs);
  }
  return RunProgram({LEASH_ASAN_PROGRAM, kind}, std::move(env));
}

TEST(LeakCheckTest, WhatWaitingGoroutinesHoldIsNotLeaked) {
  const ProgramResult r = RunKind("waiting");
  EXPECT_EQ(r.status, 0);
  EXPECT_EQ(r.err, "");
}

TEST(LeakCheckTest, WhatGoroutinesWereStartedWithIsNotLeaked) {
  const ProgramResult r = RunKind("captured");
  EXPECT_EQ(r.status, 0);
  EXPECT_EQ(r.err, "");
}

TEST(LeakCheckTest, WhatPassesBetweenGoroutinesIsNotLeaked) {
  const ProgramResult r = RunKind("moving");
  EXPECT_EQ(r.status, 0);
  EXPECT_EQ(r.err, "");
}

TEST(LeakCheckTest, AnExitInAGoroutineIsAnExit) {
  const ProgramResult r = RunKind("exit-in-goroutine");
  EXPECT_EQ(r.status, 0);
  EXPECT_EQ(r.err, "");
}

TEST(LeakCheckTest, AChildOfForkDoesNotAnswerForWhatItHasLost) {
  const ProgramResult r = RunKind("exit-in-child");
  EXPECT_EQ(r.status, 0);
  EXPECT_EQ(r.err, "");
}

TEST(LeakCheckTest, WhatAGoroutineLostIsReported) {
  const ProgramResult r = RunKind("leak");
  EXPECT_NE(r.status, 0);
  EXPECT_THAT(r.err, HasSubstr("ERROR: LeakSanitizer: detected memory leaks"));
  EXPECT_THAT(r.err, HasSubstr("NewText"));
}

TEST(LeakCheckTest, WhatWasLostWithAClosureIsReported) {
  const ProgramResult r = RunKind("leak-of-closure");
  EXPECT_NE(r.status, 0);
  EXPECT_THAT(r.err, HasSubstr("ERROR: LeakSanitizer: detected memory leaks"));
  EXPECT_THAT(r.err, HasSubstr("NewText"));
}

TEST(FakeStackTest, TheSpawnersLocalsAfterItReturnedAreFound) {
  const ProgramResult r = RunKind("use-after-return");
  EXPECT_NE(r.status, 0);
  EXPECT_THAT(r.err, HasSubstr("ERROR: AddressSanitizer: stack-use-after-return"));
}

TEST(FakeStackTest, TheSpawnersLocalsAfterItEndedAreFound) {
  const ProgramResult r = RunKind("use-after-end");
  EXPECT_NE(r.status, 0);
  EXPECT_THAT(r.err, HasSubstr("ERROR: AddressSanitizer: stack-use-after-return"));
}

TEST(FakeStackTest, AClosureAfterItsGoroutineEndedIsFound) {
  for (const char* kind : {"use-of-closure", "use-of-large-closure"}) {
    const ProgramResult r = RunKind(kind);
    EXPECT_NE(r.status, 0);
    EXPECT_THAT(r.err, HasSubstr("ERROR: AddressSanitizer: use-after-poison"));
  }
}

// True where clang's default is in force: else there are no fake frames to look into.
bool HaveFakeStacks() { return __asan_get_current_fake_stack() != nullptr; }

TEST(FakeStackTest, LocalsAreGoroutineMemoryWhoeverAsks) {
  if (!HaveFakeStacks()) GTEST_SKIP() << "detect_stack_use_after_return=0";
  Chan<int*> address = MakeChan<int*>();
  Chan<int> end = MakeChan<int>();
  WaitGroup wg;
  for (int i = 0; i < 50; ++i) {
    wg.Go([&] {
      int local = 0;
      Escape(local);
      EXPECT_FALSE(rt::InArena(&local));  // a fake frame
      EXPECT_TRUE(rt::IsGoroutineMemory(&local));
      address.Send(&local);
      end.Recv();
    });
  }
  for (int i = 0; i < 50; ++i) EXPECT_TRUE(rt::IsGoroutineMemory(*address.Recv()));
  end.Close();
  wg.Wait();
  int own = 0;
  Escape(own);
  EXPECT_FALSE(rt::IsGoroutineMemory(&own));
}

TEST(FakeStackTest, ALockNamedInAFakeFrameIsMentioned) {
  struct Holder {
    Mutex* mu = nullptr;
    char more[100];
  };
  Mutex mu;
  mu.Lock();
  Chan<int> end = MakeChan<int>();
  WaitGroup wg;
  uint64_t holds = 0, waits = 0;
  Chan<int> started = MakeChan<int>();
  wg.Go([&started, &holds, end, p = &mu]() mutable {
    Holder holder;
    Escape(holder);
    holder.mu = p;
    p = nullptr;
    holds = GoroutineId();
    started.Send(1);
    end.Recv();
    Escape(holder);
  });
  wg.Go([&] {
    waits = GoroutineId();
    started.Send(1);
    mu.Lock();
    mu.Unlock();
  });
  started.Recv();
  started.Recv();
  WaitUntilBlocked(holds, "chan receive");
  WaitUntilBlocked(waits, "sync.Mutex.Lock");
  const Snapshot s = debug::Capture();
  ObjectId lock = 0;
  for (const Goroutine& g : s.goroutines) {
    if (g.id == waits && !g.waits.empty()) lock = g.waits[0].object;
  }
  ASSERT_NE(lock, 0u);
  for (const Goroutine& g : s.goroutines) {
    if (g.id == holds) EXPECT_THAT(g.mentions, ::testing::Contains(lock));
  }
  mu.Unlock();
  end.Close();
  wg.Wait();
}

// Records are used again with the fake stacks of those who had them, whatever they left there.
TEST(FakeStackTest, GoroutinesThatEndInEveryWayLeaveNothingThatHarms) {
  for (int round = 0; round < 200; ++round) {
    WaitGroup wg;
    for (int i = 0; i < 20; ++i) {
      wg.Go([i] {
        char local[200];
        Escape(local);
        try {
          if (i % 4 == 1) throw i;
        } catch (int) {
          Gosched();
        }
        if (i % 4 == 2) Goexit();
        Chan<int> ch = MakeChan<int>(1);
        Select(OnSend(ch, i), OnTimeout(absl::Hours(1)));
        EXPECT_EQ(*ch.Recv(), i);
      });
    }
    wg.Wait();
  }
}

}  // namespace
}  // namespace leash::testing
