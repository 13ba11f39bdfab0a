// Odd ways in which somebody could still end a wait: where one is left, nothing is proved; when it
// has gone, it is.

#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "integration/proof/victim.h"
#include "leash/chan.h"
#include "leash/context.h"
#include "leash/go.h"
#include "leash/sync.h"
#include "leash/time.h"
#include "support/wait_until_blocked.h"

namespace leash::testing {
namespace {

constexpr std::string_view kNoSender = "no sender is alive";
constexpr std::string_view kStuckSenders =
    "its only senders are goroutines that are stuck themselves";

class ProofTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!LEASH_RECORD) GTEST_SKIP() << "handles are not counted";
  }
};

// A victim, and the one handle that could end its wait.
struct Case {
  std::string victim;
  SendChan<int> sender;
};
Case MakeCase() {
  const auto ch = MakeChan<int>();
  Case made{SpawnVictim(ch), ch};
  return made;
}

// A thread's wait in a system call that leash does not know of.
class Pipe {
 public:
  Pipe() { EXPECT_EQ(pipe(fds_.data()), 0); }
  ~Pipe() {
    close(fds_[0]);
    close(fds_[1]);
  }
  void Wait() {
    char c;
    while (read(fds_[0], &c, 1) != 1) {
    }
  }
  void Wake() { EXPECT_EQ(write(fds_[1], "x", 1), 1); }

 private:
  std::array<int, 2> fds_{};
};

std::optional<SendChan<int>> global;

TEST_F(ProofTest, HandleInAGlobal) {
  std::string victim;
  {
    Case c = MakeCase();
    victim = c.victim;
    global = std::move(c.sender);
  }
  ExpectStillThere(victim);
  global.reset();
  ExpectProved(victim, kNoSender);
}

thread_local std::optional<SendChan<int>> of_thread;

TEST_F(ProofTest, HandleInAThreadLocalOfAThreadInASystemCall) {
  Case c = MakeCase();
  Pipe pipe;
  auto ready = MakeChan<Unit>(1);
  std::thread thread([&pipe, ready, sender = std::move(c.sender)]() mutable {
    of_thread = std::move(sender);
    ready.Send({});
    pipe.Wait();
  });
  ready.Recv();
  ExpectStillThere(c.victim);
  pipe.Wake();
  thread.join();
  ExpectProved(c.victim, kNoSender);
}

TEST_F(ProofTest, HandleOnTheStackOfAThreadInASystemCall) {
  Case c = MakeCase();
  Pipe pipe;
  auto ready = MakeChan<Unit>(1);
  std::thread thread([&pipe, ready, given = &c.sender] {
    SendChan<int> sender = std::move(*given);
    ready.Send({});
    pipe.Wait();
  });
  ready.Recv();
  ExpectStillThere(c.victim);
  pipe.Wake();
  thread.join();
  ExpectProved(c.victim, kNoSender);
}

TEST_F(ProofTest, HandleInTheFunctionOfAnArmedTimer) {
  Case c = MakeCase();
  std::optional<Timer> timer = AfterFunc(
      absl::Hours(1),
      [sender = std::make_shared<SendChan<int>>(std::move(c.sender))] { sender->Send(1); });
  ExpectStillThere(c.victim);
  // Armed still, as Go's, when nobody has a handle of it.
  Timer last = *std::exchange(timer, std::nullopt);
  ExpectStillThere(c.victim);
  EXPECT_TRUE(last.Stop());
  last = Timer(absl::Hours(1));
  ExpectProved(c.victim, kNoSender);
}

TEST_F(ProofTest, HandleInAFunctionOnTheHeap) {
  Case c = MakeCase();
  auto function =
      std::make_unique<std::function<void()>>([sender = std::move(c.sender)] { sender.Send(1); });
  ExpectStillThere(c.victim);
  function.reset();
  ExpectProved(c.victim, kNoSender);
}

TEST_F(ProofTest, HandleInAMessageThatNobodyHasReceivedYet) {
  Case c = MakeCase();
  auto mail = MakeChan<SendChan<int>>(1);
  mail.Send(std::move(c.sender));
  const std::string reader = NewName();
  auto go_on = MakeChan<Unit>();
  GoWith({.name = reader}, [mail, go_on] { go_on.Recv(); });
  WaitUntilWaits(reader);
  mail = {};
  ExpectStillThere(c.victim);
  go_on.Close();  // with its reader the message goes
  ExpectProved(c.victim, kNoSender);
}

TEST_F(ProofTest, HandleInTheValueOfASenderThatWaits) {
  Case c = MakeCase();
  auto mail = MakeChan<SendChan<int>>();
  const std::string sender = NewName();
  GoWith({.name = sender}, [out = SendChan<SendChan<int>>(mail),
                            value = std::move(c.sender)]() mutable { out.Send(std::move(value)); });
  WaitUntilWaits(sender);
  ExpectStillThere(c.victim);  // we could receive it
  mail = {};
  if (!HeldHandlesCanBeProved()) GTEST_SKIP() << "frames are taken for used";
  ExpectProved(c.victim, kStuckSenders);
  ExpectProved(sender, "no receiver is alive");
}

TEST_F(ProofTest, HandleInTheValueOfAContext) {
  Case c = MakeCase();
  static const ContextKey<SendChan<int>> kSender("sender");
  std::optional<Context> ctx =
      WithValue(Context::Background(), kSender, std::exchange(c.sender, {}));
  ExpectStillThere(c.victim);
  ctx.reset();
  ExpectProved(c.victim, kNoSender);
}

TEST_F(ProofTest, HandleInAVectorOfCases) {
  Case c = MakeCase();
  auto cases = std::make_unique<std::vector<SelectCase>>();
  cases->push_back(OnSend(c.sender, 1));
  c.sender = {};
  ExpectStillThere(c.victim);
  cases.reset();
  ExpectProved(c.victim, kNoSender);
}

// Stays in its constructor until it is told to go on.
struct Slow {
  explicit Slow(Chan<Unit> moving, Chan<Unit> go_on) : moving(moving), go_on(go_on) {}
  Slow(Slow&& other) noexcept : moving(other.moving), go_on(other.go_on) {
    moving.Send({});
    go_on.Recv();
  }
  Chan<Unit> moving, go_on;
};

TEST_F(ProofTest, HandleInAClosureThatIsBeingMade) {
  Case c = MakeCase();
  auto moving = MakeChan<Unit>(), go_on = MakeChan<Unit>();
  std::thread thread([&] {
    // Some of its arguments are moved before the handle, others after it.
    leash::go([](const Slow&, const SendChan<int>&, const Slow&) {}, Slow(moving, go_on),
              std::move(c.sender), Slow(moving, go_on));
  });
  for (int i = 0; i < 2; ++i) {
    moving.Recv();
    ExpectStillThere(c.victim);
    go_on.Send({});
  }
  thread.join();
  ExpectProved(c.victim, kNoSender);
}

// One that constructs a closure may wait while it does.
TEST_F(ProofTest, HandleInAClosureThatAGoroutineIsMaking) {
  Case c = MakeCase();
  auto moving = MakeChan<Unit>(), go_on = MakeChan<Unit>();
  const std::string maker = NewName();
  GoWith({.name = maker}, [sender = std::move(c.sender), moving, go_on]() mutable {
    leash::go([](const Slow&, const SendChan<int>&, const Slow&) {}, Slow(moving, go_on),
              std::move(sender), Slow(moving, go_on));
  });
  for (int i = 0; i < 2; ++i) {
    moving.Recv();
    WaitUntilWaits(maker);
    ExpectStillThere(c.victim);
    go_on.Send({});
  }
  ExpectProved(c.victim, kNoSender);
}

TEST_F(ProofTest, HandleOfAGoroutineThatSleeps) {
  Case c = MakeCase();
  auto end = MakeChan<Unit>();
  const std::string sleeper = NewName();
  GoWith({.name = sleeper},
         [sender = std::move(c.sender), end] { Select(OnRecv(end), OnTimeout(absl::Hours(1))); });
  WaitUntilWaits(sleeper);
  ExpectStillThere(c.victim);
  end.Close();
  ExpectProved(c.victim, kNoSender);
}

TEST_F(ProofTest, HandleOfABackgroundGoroutineThatIsLeftOut) {
  Case c = MakeCase();
  auto end = MakeChan<Unit>();
  auto ready = MakeChan<Unit>();
  GoBackground("for the test", [sender = std::move(c.sender), end, ready] {
    ready.Send({});
    end.Recv();
  });
  ready.Recv();
  WaitUntilBlockedCount(2, "chan receive");
  debug::CaptureOptions options;
  options.background = false;
  for (int i = 0; i < 50; ++i) ASSERT_EQ(VerdictOn(c.victim, options), "still there");
  end.Close();
  ExpectProved(c.victim, kNoSender);
}

// By reference. The one that waits holds the only handles itself, and who could use them holds
// none.

// Waits for what it has made, after it has told `tell` where that is.
struct Room {
  std::array<char, 200> before{};
  Chan<int> ch = MakeChan<int>();
};
template <class Tell>
std::string SpawnOwner(Tell tell) {
  const std::string name = NewName();
  WaitGroup told;
  told.Add(1);
  GoWith({.name = name}, [tell = std::move(tell), &told]() mutable {
    Room room;
    tell(room);
    told.Done();
    room.ch.Recv();
  });
  told.Wait();
  WaitUntilWaits(name);
  return name;
}

TEST_F(ProofTest, NobodyPointsToTheOnlyHandle) {
  if (!HeldHandlesCanBeProved()) GTEST_SKIP() << "frames are taken for used";
  ExpectProved(SpawnOwner([](Room&) {}), kNoSender);
}

std::atomic<Room*> pointer;  // atomic, so that the compiler keeps what nobody reads

// When it has gone, a copy of it that was left in a register or a dead frame of whoever used it may
// hide the leak for longer (law 6 of mentions.cc); of several leaks it does not hide all.
TEST_F(ProofTest, AGlobalPointsToTheHandle) {
  std::vector<std::string> owners;
  for (int i = 0; i < 5; ++i) {
    owners.push_back(SpawnOwner([](Room& room) { pointer = &room; }));
    ExpectStillThere(owners.back());
  }
  pointer = nullptr;
  if (!HeldHandlesCanBeProved()) GTEST_SKIP() << "frames are taken for used";
  WaitUntilSnapshot(
      [&](const Snapshot&) {
        return std::any_of(owners.begin(), owners.end(), [](const std::string& owner) {
          return VerdictOn(owner) == "proved: " + std::string(kNoSender);
        });
      },
      "a leak is proved");
}

TEST_F(ProofTest, AnotherGoroutineCapturesTheHandleByReference) {
  auto end = MakeChan<Unit>();
  const std::string helper = NewName();
  const std::string owner = SpawnOwner([end, helper](Room& room) {
    GoWith({.name = helper}, [&ch = room.ch, end] {
      if (end.Recv()) ch.Send(1);
    });
  });
  WaitUntilWaits(helper);
  ExpectStillThere(owner);
  end.Send({});
  WaitUntilSnapshot([&](const Snapshot&) { return VerdictOn(owner) == "gone"; },
                    "the owner goes on");
}

TEST_F(ProofTest, AnotherGoroutineCapturesWhatTheHandleIsIn) {
  auto end = MakeChan<Unit>();
  const std::string helper = NewName();
  const std::string owner = SpawnOwner([end, helper](Room& room) {
    GoWith({.name = helper}, [&room, end] {
      if (end.Recv()) room.ch.Send(1);
    });
  });
  WaitUntilWaits(helper);
  ExpectStillThere(owner);
  end.Close();  // the helper ends without a word
  WaitUntilSnapshot([&](const Snapshot&) { return VerdictOn(helper) == "gone"; }, "helper ends");
  if (!HeldHandlesCanBeProved()) GTEST_SKIP() << "frames are taken for used";
  ExpectProved(owner, kNoSender);
}

TEST_F(ProofTest, StuckGoroutinesPointToEachOther) {
  const std::string helper = NewName();
  const std::string owner = SpawnOwner([helper](Room& room) {
    GoWith({.name = helper}, [&ch = room.ch] {
      Chan<int>().Recv();
      ch.Send(1);
    });
  });
  WaitUntilWaits(helper);
  ExpectProved(helper, "the channel is nil");
  if (!HeldHandlesCanBeProved()) GTEST_SKIP() << "frames are taken for used";
  ExpectProved(owner, kStuckSenders);
}

TEST_F(ProofTest, TheFunctionOfATimerCapturesTheHandleByReference) {
  const std::string owner =
      SpawnOwner([](Room& room) { AfterFunc(absl::Hours(1), [&ch = room.ch] { ch.Send(1); }); });
  ExpectStillThere(owner);
}

TEST_F(ProofTest, AThreadInASystemCallCapturesTheHandleByReference) {
  Pipe pipe;
  std::thread thread;
  const std::string owner = SpawnOwner([&](Room& room) {
    thread = std::thread([&pipe, &ch = room.ch] {
      pipe.Wait();
      ch.Send(1);
    });
  });
  ExpectStillThere(owner);
  pipe.Wake();
  thread.join();
}

TEST_F(ProofTest, TheHeapPointsToTheHandle) {
  auto function = std::make_unique<std::function<void()>>();
  const std::string owner = SpawnOwner([&function](Room& room) {
    *function = [&room, unused = std::string("so that it lies on the heap")] { room.ch.Send(1); };
  });
  ExpectStillThere(owner);
  (*function)();
  WaitUntilSnapshot([&](const Snapshot&) { return VerdictOn(owner) == "gone"; },
                    "the owner goes on");
}

}  // namespace
}  // namespace leash::testing
