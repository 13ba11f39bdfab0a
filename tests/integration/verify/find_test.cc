// Find() in this process.

#include <atomic>
#include <string>
#include <thread>

#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "integration/verify/leaks.h"
#include "integration/verify/report_text.h"
#include "leash/chan.h"
#include "leash/debug.h"
#include "leash/go.h"
#include "leash/sync.h"
#include "leash/verify.h"
#include "support/wait_until_blocked.h"

namespace leash::verify {
namespace {

using leash::testing::Normalized;
using ::testing::HasSubstr;

std::string Message(const absl::Status& status) { return std::string(status.message()); }

// Until `n` goroutines wait at this: not the name of anything that a test leaves behind for ever.
void WaitUntilStuck(int n, std::string_view gate = "gate") {
  leash::testing::WaitUntilSnapshot(
      [&](const Snapshot& s) {
        int stuck = 0;
        for (const Goroutine& g : s.goroutines) {
          for (const Wait& wait : g.waits) stuck += s.String(s.objects[wait.object].name) == gate;
        }
        return stuck >= n;
      },
      "goroutines at the gate");
}

// Goroutines that wait for this one's end, so that each test leaves nothing behind.
class Stuck {
 public:
  explicit Stuck(int n, std::string_view name = "") : gate_(MakeChan<int>(0, "gate")) {
    for (int i = 0; i < n; ++i) {
      leash::GoWith({.name = name}, leaks::Receive, RecvChan<int>(gate_));
    }
    WaitUntilStuck(n);
  }
  ~Stuck() {
    gate_.Close();
    EXPECT_EQ(Message(Find(MaxWait(absl::Minutes(1)))), "");
  }

 private:
  const Chan<int> gate_;
};

TEST(FindTest, NobodyIsLeft) { EXPECT_TRUE(Find().ok()); }

TEST(FindTest, SomebodyIsStillThere) {
  Stuck stuck(3);
  const absl::Status status = Find(MaxWait(absl::Milliseconds(20)));
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(Normalized(Message(status) + "\n"),
            R"report(leash: FindTest.SomebodyIsStillThere leaked 3 goroutines in 1 group

3 goroutines [chan receive] still there
    leaks::Receive(leash::RecvChan<int>)  leaks.cc:29
    created by leash::verify::Stuck::Stuck at find_test.cc:45 in goroutine 1
    waits for Chan<int> "gate" (cap 0) made at find_test.cc:43
    goroutines N, N, N; waiting T
see: leash explain "chan receive"
)report");
}

TEST(FindTest, WaitsForWhatEnds) {
  std::atomic<bool> ended{false};
  const Chan<Unit> gate = MakeChan<Unit>();
  leash::go([&, gate] {
    gate.Recv();
    ended = true;
  });
  std::thread closer([&] { gate.Close(); });
  EXPECT_TRUE(Find(MaxWait(absl::Minutes(1))).ok());
  EXPECT_TRUE(ended);
  closer.join();
}

TEST(FindTest, ReturnsAtOnceForWhatIsProved) {
  leash::go(leaks::ReceiveFromNil);
  const absl::Time start = absl::Now();
  const absl::Status status = Find(MaxWait(absl::Hours(1)));
  EXPECT_LT(absl::Now() - start, absl::Minutes(1));
  EXPECT_THAT(Message(status), HasSubstr("] proved: the channel is nil\n"));
}

TEST(FindTest, WaitsForTheLastHandleToGoAndProvesThen) {
  auto gate = MakeChan<Unit>(0, "gate");
  const absl::Time start = absl::Now();
  {
    auto never = MakeChan<int>(0, "never");
    leash::go(leaks::Receive, RecvChan<int>(never));
    // Holds a sender until the gate opens.
    leash::go([sender = SendChan<int>(never), gate] { gate.Recv(); });
  }
  std::thread opener([&] {
    WaitUntilStuck(1);
    WaitUntilStuck(1, "never");
    gate.Close();
  });
  const absl::Status status = Find(MaxWait(absl::Hours(1)));
  opener.join();
  EXPECT_LT(absl::Now() - start, absl::Minutes(1));
  EXPECT_THAT(Message(status),
              HasSubstr("1 goroutine [chan receive] proved: no sender is alive\n"));
}

TEST(FindTest, CallerIsNotReported) {
  auto result = MakeChan<std::string>(1);
  leash::go([result] { result.Send(Message(Find())); });
  EXPECT_EQ(result.Recv(), "");
}

TEST(FindTest, ProgressPutsTheDeadlineOff) {
  // Runs for longer than MaxWait, and never rests for so long.
  auto tick = MakeChan<Unit>(), tock = MakeChan<Unit>();
  const absl::Time start = absl::Now();
  std::thread driver([&] {
    while (absl::Now() - start < absl::Milliseconds(600)) {
      tick.Send({});
      tock.Recv();
      absl::SleepFor(absl::Milliseconds(5));
    }
    tick.Close();
  });
  leash::go([tick, tock] {
    while (tick.Recv()) tock.Send({});
  });
  EXPECT_EQ(Message(Find(MaxWait(absl::Milliseconds(300)))), "");
  driver.join();
}

TEST(FindTest, OneThatYieldsForEverIsARunaway) {
  std::atomic<bool> stop{false};
  WaitGroup spinning;  // nobody's end is ordered before what Find() returns
  spinning.Go([&] {
    while (!stop) Gosched();
  });
  EXPECT_THAT(Message(Find(MaxWait(absl::Milliseconds(20)))), HasSubstr("] runaway\n"));
  stop = true;
  spinning.Wait();
  EXPECT_EQ(Message(Find(MaxWait(absl::Minutes(1)))), "");
}

TEST(FindTest, TopFunctionIsIgnored) {
  Stuck stuck(2);
  EXPECT_TRUE(Find(IgnoreTopFunction("leaks::Receive")).ok());
  EXPECT_TRUE(Find(IgnoreTopFunction("leaks::Rec*(leash::RecvChan<int>)")).ok());
  ::testing::internal::CaptureStderr();
  EXPECT_FALSE(Find(IgnoreTopFunction("leaks::Rec"), MaxWait(absl::ZeroDuration())).ok());
  EXPECT_EQ(::testing::internal::GetCapturedStderr(),
            "leash: warning: stale option: IgnoreTopFunction(\"leaks::Rec\") matched no goroutine; "
            "take it out before it hides a leak\n");
}

TEST(FindTest, AnyFunctionIsIgnored) {
  const Chan<int> gate = MakeChan<int>(0, "gate");
  leash::go([gate] { leaks::Receive(gate); });
  WaitUntilStuck(1);
  EXPECT_TRUE(Find(IgnoreAnyFunction("*AnyFunctionIsIgnored*")).ok());
  EXPECT_FALSE(
      Find(IgnoreTopFunction("*AnyFunctionIsIgnored*"), MaxWait(absl::ZeroDuration())).ok());
  gate.Close();
  EXPECT_EQ(Message(Find(MaxWait(absl::Minutes(1)))), "");
}

TEST(FindTest, CreatorIsIgnoredByFunctionPlaceAndCallers) {
  Stuck stuck(2);
  EXPECT_TRUE(Find(IgnoreCreatedBy("*Stuck::Stuck")).ok());
  EXPECT_TRUE(Find(IgnoreCreatedBy("find_test.cc:45")).ok());
  EXPECT_TRUE(Find(IgnoreCreatedBy("find_test.cc")).ok());
  // The one that called it.
  EXPECT_TRUE(Find(IgnoreCreatedBy("*CreatorIsIgnored*")).ok());
  EXPECT_FALSE(Find(IgnoreCreatedBy("find_test.cc:46"), MaxWait(absl::ZeroDuration())).ok());
}

TEST(FindTest, ModuleIsIgnored) {
  Stuck stuck(1);
  EXPECT_TRUE(Find(IgnoreModule("verify_find_test")).ok());
  EXPECT_FALSE(Find(IgnoreModule("libnobody.so*"), MaxWait(absl::ZeroDuration())).ok());
}

TEST(FindTest, LabelIsIgnored) {
  Stuck stuck(2, "poller");
  EXPECT_TRUE(Find(IgnoreLabel("name", "poll*")).ok());
  EXPECT_FALSE(Find(IgnoreLabel("name", "worker"), MaxWait(absl::ZeroDuration())).ok());
}

TEST(FindTest, CurrentOnesAreIgnoredAndLaterOnesAreNot) {
  Stuck before(2);
  const Option current = IgnoreCurrent();
  EXPECT_TRUE(Find(current).ok());
  const Chan<int> gate = MakeChan<int>(0, "gate");
  leash::go(leaks::Receive, RecvChan<int>(gate));
  WaitUntilStuck(3);
  EXPECT_THAT(Message(Find(current, MaxWait(absl::ZeroDuration()))),
              HasSubstr("leaked 1 goroutine in 1 group"));
  gate.Close();
}

TEST(FindTest, ShadowedOptionIsNotStale) {
  Stuck stuck(1, "poller");
  ::testing::internal::CaptureStderr();
  EXPECT_TRUE(Find(IgnoreLabel("name", "poller"), IgnoreTopFunction("leaks::*"), IgnoreCurrent(),
                   IgnoreCreatedBy("find_test.cc"))
                  .ok());
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

TEST(FindTest, FunctionsOfWhatIsNeverSeenWaitingAreNotStale) {
  std::atomic<bool> stop{false};
  WaitGroup spinning;
  spinning.Add(1);
  leash::GoWith({.name = "poller"}, [&] {
    while (!stop) Gosched();
    spinning.Done();
  });
  ::testing::internal::CaptureStderr();
  EXPECT_TRUE(Find(IgnoreLabel("name", "poller"), IgnoreTopFunction("leaks::*"),
                   IgnoreAnyFunction("leaks::*"), IgnoreModule("libleaks.so"))
                  .ok());
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
  // What is known of it at any moment is judged at any.
  ::testing::internal::CaptureStderr();
  EXPECT_TRUE(Find(IgnoreLabel("name", "poller"), IgnoreLabel("name", "spinner")).ok());
  EXPECT_THAT(::testing::internal::GetCapturedStderr(),
              HasSubstr("stale option: IgnoreLabel(\"name\", \"spinner\")"));
  stop = true;
  spinning.Wait();
  EXPECT_EQ(Message(Find(MaxWait(absl::Minutes(1)))), "");
}

TEST(FindTest, BackgroundAndThreadsAreNotReported) {
  const Chan<int> gate = MakeChan<int>(0, "gate");
  leash::GoBackground("for the test", leaks::Receive, RecvChan<int>(gate));
  std::thread thread([&] { gate.Recv(); });
  WaitUntilStuck(2);
  EXPECT_EQ(Message(Find()), "");
  gate.Close();
  thread.join();
}

TEST(FindTest, CleanupGetsTheVerdict) {
  int status = -1;
  EXPECT_TRUE(Find(Cleanup([&](int s) { status = s; })).ok());
  EXPECT_EQ(status, 0);
  Stuck stuck(1);
  EXPECT_FALSE(Find(Cleanup([&](int s) { status = s; }), MaxWait(absl::ZeroDuration())).ok());
  EXPECT_EQ(status, 1);
}

TEST(FindTest, ManyMayLookAtOnce) {
  auto gate = MakeChan<Unit>();
  for (int i = 0; i < 100; ++i) leash::go([gate] { gate.Recv(); });
  std::vector<std::thread> threads;
  std::atomic<int> clean{0};
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      if (Find(MaxWait(absl::Minutes(1))).ok()) ++clean;
    });
  }
  gate.Close();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(clean, 4);
}

}  // namespace
}  // namespace leash::verify
