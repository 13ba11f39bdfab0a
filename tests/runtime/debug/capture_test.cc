// debug::Capture of this very process: what it says of goroutines and threads is what they do.

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "leash/debug.h"
#include "leash/leash.h"
#include "support/wait_until_blocked.h"

namespace leash::debug {
namespace {

using ::leash::testing::WaitUntilBlocked;
using ::leash::testing::WaitUntilBlockedCount;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// Function and file:line of each frame that is not the runtime's, innermost first.
std::vector<std::string> FramesOf(const Snapshot& snapshot, const Goroutine& g) {
  std::vector<std::string> frames;
  for (LocationId location : snapshot.stacks[g.stack].locations) {
    for (const Frame& frame : snapshot.locations[location].frames) {
      if (frame.runtime) continue;
      frames.push_back(std::string(snapshot.String(frame.function)) + " " +
                       std::string(snapshot.String(frame.file)) + ":" + std::to_string(frame.line));
    }
  }
  return frames;
}

bool HasFrame(const Snapshot& snapshot, const Goroutine& g, std::string_view function) {
  for (const std::string& frame : FramesOf(snapshot, g)) {
    if (frame.find(function) != frame.npos) return true;
  }
  return false;
}

const Goroutine* Find(const Snapshot& snapshot, uint64_t id) {
  for (const Goroutine& g : snapshot.goroutines) {
    if (g.id == id) return &g;
  }
  return nullptr;
}

// Captures until `condition` is true of the entry with this id. A hang is the test's time limit to
// end.
template <class Condition>
Snapshot CaptureUntil(uint64_t id, Condition condition) {
  for (;;) {
    Snapshot snapshot = Capture();
    const Goroutine* g = Find(snapshot, id);
    if (g != nullptr && condition(snapshot, *g)) return snapshot;
    std::this_thread::yield();
  }
}

// Starts a goroutine and returns its id; what is given runs in it.
template <class Function>
uint64_t Start(WaitGroup* wg, Function function) {
  auto id = MakeChan<uint64_t>(1);
  wg->Go([id, function = std::move(function)]() mutable {
    id.Send(GoroutineId());
    function();
  });
  return *id.Recv();
}

// The calling thread's, which has none before it has used leash.
uint64_t ThreadId() {
  Mutex mu;
  const MutexLock lock(&mu);
  return GoroutineId();
}

std::string Here(int line) { return "capture_test.cc:" + std::to_string(line); }

[[gnu::noinline]] void Compute(const std::atomic<bool>* stop) {
  while (!stop->load(std::memory_order_relaxed)) {
  }
}

// Under ThreadSanitizer as well, which keeps signals back from whoever computes.
TEST(CaptureTest, OneThatComputesShowsItsStack) {
  std::atomic<bool> stop{false};
  WaitGroup wg;
  const uint64_t id = Start(&wg, [&stop] { Compute(&stop); });
  const Snapshot snapshot = CaptureUntil(
      id, [](const Snapshot& s, const Goroutine& g) { return HasFrame(s, g, "Compute"); });
  stop = true;
  wg.Wait();
  const Goroutine* g = Find(snapshot, id);
  EXPECT_EQ(snapshot.StatusWord(*g), "running");
  EXPECT_TRUE(g->waits.empty());
  EXPECT_TRUE(g->mentions_unknown) << "it may hold anything";
}

TEST(CaptureTest, AThreadThatComputesShowsItsStack) {
  std::atomic<bool> stop{false};
  auto ids = MakeChan<uint64_t>(1);
  std::thread thread([&] {
    ids.Send(ThreadId());
    Compute(&stop);
  });
  const uint64_t id = *ids.Recv();
  const Snapshot snapshot = CaptureUntil(
      id, [](const Snapshot& s, const Goroutine& g) { return HasFrame(s, g, "Compute"); });
  stop = true;
  thread.join();
  const Goroutine* g = Find(snapshot, id);
  EXPECT_EQ(g->kind, GoroutineKind::kThread);
  EXPECT_TRUE(g->locked_to_thread);
  EXPECT_EQ(snapshot.StatusWord(*g), "running");
}

// Many that compute at once, and several that look at each other: nobody waits for somebody who
// waits for him.
TEST(CaptureTest, ThoseWhoLookSeeEachOther) {
  constexpr int kLookers = 4, kLooks = 10;
  std::atomic<bool> stop{false};
  WaitGroup computing, looking;
  computing.Go([&stop] { Compute(&stop); });
  for (int i = 0; i < kLookers; ++i) {
    looking.Go([] {
      for (int look = 0; look < kLooks; ++look) {
        const Snapshot snapshot = Capture();
        EXPECT_EQ(std::count_if(snapshot.goroutines.begin(), snapshot.goroutines.end(),
                                [](const Goroutine& g) { return g.current; }),
                  1);
        const Goroutine* self = Find(snapshot, GoroutineId());
        ASSERT_NE(self, nullptr);
        EXPECT_TRUE(self->current);
      }
    });
  }
  looking.Wait();
  stop = true;
  computing.Wait();
}

TEST(CaptureTest, OneThatWaitsSaysForWhatAndSinceWhen) {
  const int made_line = __LINE__ + 1;
  auto ch = MakeChan<std::string>(3, "requests");
  WaitGroup wg;
  const int recv_line = __LINE__ + 1;
  const uint64_t id = Start(&wg, [ch] { ch.Recv(); });
  ASSERT_TRUE(WaitUntilBlocked(id, "chan receive"));
  const Snapshot snapshot = Capture();
  ch.Close();
  wg.Wait();
  const Goroutine* g = Find(snapshot, id);
  ASSERT_NE(g, nullptr);
  EXPECT_EQ(g->state, GoroutineState::kWaiting);
  EXPECT_EQ(snapshot.StatusWord(*g), "chan receive");
  EXPECT_GE(g->wait_ns, 0);
  EXPECT_GT(g->stack_bytes, 0u);
  EXPECT_EQ(g->parent_id, GoroutineId());
  const Site& created = snapshot.sites[g->created_at];
  EXPECT_THAT(std::string(snapshot.String(created.file)), EndsWith("capture_test.cc"));
  // The call that blocks, where the debug information has inlined calls, and who made it.
  std::vector<std::string> frames = FramesOf(snapshot, *g);
  if (!frames.empty() && frames[0].starts_with("leash::Chan<std::string>::Recv() ")) {
    frames.erase(frames.begin());
  }
  ASSERT_FALSE(frames.empty());
  EXPECT_THAT(frames[0], EndsWith(Here(recv_line)));
  ASSERT_EQ(g->waits.size(), 1u);
  EXPECT_EQ(g->waits[0].op, Wait::Op::kRecv);
  const WaitObject& o = snapshot.objects[g->waits[0].object];
  EXPECT_EQ(o.kind, ObjectKind::kChan);
  EXPECT_EQ(snapshot.String(o.name), "requests");
  EXPECT_EQ(o.capacity, 3u);
  EXPECT_EQ(o.length, 0u);
  EXPECT_FALSE(o.closed);
  if (!LEASH_RECORD) return;
  EXPECT_THAT(std::string(snapshot.String(o.element)), HasSubstr("string"));
  const Site& made = snapshot.sites[o.made_at];
  EXPECT_THAT(std::string(snapshot.String(made.file)), EndsWith("capture_test.cc"));
  EXPECT_EQ(made.line, made_line);
  EXPECT_EQ(o.made_by, GoroutineId());
  EXPECT_TRUE(o.counted);
  EXPECT_EQ(o.send_handles, 2u);  // ours and the closure's
  EXPECT_EQ(o.recv_handles, 2u);
}

TEST(CaptureTest, ASelectWaitsForEachOfItsCases) {
  auto in = MakeChan<int>(0, "in");
  auto out = MakeChan<int>(0, "out");
  Chan<int> nil;
  WaitGroup wg;
  const uint64_t id = Start(&wg, [in, out, nil] {
    Select(OnRecv(in, [](std::optional<int>) {}), OnSend(out, 1, [] {}),
           OnRecv(nil, [](std::optional<int>) {}), OnTimeout(absl::Hours(1)));
  });
  ASSERT_TRUE(WaitUntilBlocked(id, "select"));
  const Snapshot snapshot = Capture();
  in.Close();
  wg.Wait();
  const Goroutine* g = Find(snapshot, id);
  ASSERT_NE(g, nullptr);
  std::vector<std::string> waits;
  for (const Wait& wait : g->waits) {
    const char* op = wait.op == Wait::Op::kSend   ? "send "
                     : wait.op == Wait::Op::kRecv ? "receive "
                                                  : "other ";
    const WaitObject& o = snapshot.objects[wait.object];
    waits.push_back(op + (wait.object == 0               ? std::string("nil")
                          : o.kind == ObjectKind::kTimer ? std::string("timer")
                                                         : std::string(snapshot.String(o.name))));
  }
  EXPECT_THAT(waits, ElementsAre("receive in", "send out", "receive nil", "other timer"));
}

TEST(CaptureTest, LocksSayWhoHasThem) {
  Mutex mu;
  RWMutex rw;
  WaitGroup counter, wg;
  counter.Add(5);
  mu.Lock();
  rw.RLock();
  rw.RLock();
  const uint64_t waits_mu = Start(&wg, [&mu] { MutexLock lock(&mu); });
  const uint64_t waits_rw = Start(&wg, [&rw] {
    rw.Lock();
    rw.Unlock();
  });
  const uint64_t waits_wg = Start(&wg, [&counter] { counter.Wait(); });
  EXPECT_TRUE(WaitUntilBlocked(waits_mu, "sync.Mutex.Lock"));
  EXPECT_TRUE(WaitUntilBlocked(waits_rw, "sync.RWMutex.Lock"));
  EXPECT_TRUE(WaitUntilBlocked(waits_wg, "sync.WaitGroup.Wait"));
  const Snapshot snapshot = Capture();
  counter.Add(-5);
  mu.Unlock();
  rw.RUnlock();
  rw.RUnlock();
  wg.Wait();
  const auto object = [&](uint64_t id) {
    const Goroutine* g = Find(snapshot, id);
    return g != nullptr && g->waits.size() == 1 ? snapshot.objects[g->waits[0].object]
                                                : WaitObject();
  };
  EXPECT_EQ(object(waits_mu).kind, ObjectKind::kMutex);
  EXPECT_EQ(object(waits_mu).address, reinterpret_cast<uint64_t>(&mu));
  if (LEASH_RECORD) {
    EXPECT_EQ(object(waits_mu).holder, GoroutineId());
  }
  EXPECT_EQ(object(waits_rw).kind, ObjectKind::kRWMutex);
  EXPECT_EQ(object(waits_rw).readers, 2);
  EXPECT_EQ(object(waits_wg).kind, ObjectKind::kWaitGroup);
  EXPECT_EQ(object(waits_wg).counter, 5);
}

TEST(CaptureTest, LabelsNameAndBackgroundAreThere) {
  auto stop = MakeChan<int>();
  WaitGroup wg;
  uint64_t labelled = 0;
  {
    const ScopedLabels labels({{"tenant", "acme"}, {"route", "/v1"}});
    labelled = Start(&wg, [stop] { stop.Recv(); });
  }
  auto ids = MakeChan<uint64_t>(1);
  GoBackground("flushes the log", [stop, ids] {
    ids.Send(GoroutineId());
    stop.Recv();
  });
  const uint64_t background = *ids.Recv();
  EXPECT_TRUE(WaitUntilBlocked(labelled, "chan receive"));
  EXPECT_TRUE(WaitUntilBlocked(background, "chan receive"));
  const Snapshot snapshot = Capture();
  const Snapshot without = Capture({.background = false});
  stop.Close();
  wg.Wait();
  const Goroutine* g = Find(snapshot, labelled);
  ASSERT_NE(g, nullptr);
  std::vector<std::string> labels;
  for (const auto& [key, value] : snapshot.label_sets[g->labels]) {
    labels.push_back(std::string(snapshot.String(key)) + "=" + std::string(snapshot.String(value)));
  }
  EXPECT_THAT(labels, ElementsAre("route=/v1", "tenant=acme"));
  ASSERT_NE(Find(snapshot, background), nullptr);
  EXPECT_EQ(snapshot.String(Find(snapshot, background)->background), "flushes the log");
  EXPECT_EQ(Find(without, background), nullptr);
  EXPECT_NE(Find(without, labelled), nullptr);
}

TEST(CaptureTest, LeavesOutWhatIsNotAskedFor) {
  std::atomic<bool> stop{false};
  auto ids = MakeChan<uint64_t>(1);
  std::thread thread([&] {
    ids.Send(ThreadId());
    Compute(&stop);
  });
  const uint64_t thread_id = *ids.Recv();
  WaitGroup wg;
  const uint64_t computes = Start(&wg, [&stop] { Compute(&stop); });
  EXPECT_NE(Find(Capture(), thread_id), nullptr);
  const Snapshot no_threads = Capture({.threads = false});
  EXPECT_EQ(Find(no_threads, thread_id), nullptr);
  ASSERT_NE(Find(no_threads, computes), nullptr);
  const Snapshot undisturbed = Capture({.running_stacks = false});
  ASSERT_NE(Find(undisturbed, computes), nullptr);
  EXPECT_EQ(Find(undisturbed, computes)->stack, 0u);
  const Snapshot no_stacks = Capture({.stacks = false});
  for (const Goroutine& g : no_stacks.goroutines) EXPECT_EQ(g.stack, 0u) << g.id;
  stop = true;
  thread.join();
  wg.Wait();
}

TEST(CaptureTest, EqualStacksAreStoredOnce) {
  constexpr int kCount = 500;
  auto ch = MakeChan<int>();
  WaitGroup wg;
  for (int i = 0; i < kCount; ++i) wg.Go([ch] { ch.Recv(); });
  ASSERT_TRUE(WaitUntilBlockedCount(kCount, "chan receive"));
  const Snapshot snapshot = Capture();
  ch.Close();
  wg.Wait();
  std::set<StackId> stacks;
  int waiting = 0;
  for (const Goroutine& g : snapshot.goroutines) {
    if (snapshot.StatusWord(g) != "chan receive") continue;
    stacks.insert(g.stack);
    ++waiting;
  }
  EXPECT_EQ(waiting, kCount);
  EXPECT_EQ(stacks.size(), 1u);
}

// While goroutines come and go as fast as they can.
TEST(CaptureTest, WhoComesAndGoesIsSeenWholeOrNotAtAll) {
  std::atomic<bool> stop{false};
  WaitGroup wg;
  auto ch = MakeChan<int>();
  for (int i = 0; i < 4; ++i) {
    wg.Go([&stop, ch] {
      while (!stop) {
        WaitGroup short_lived;
        for (int k = 0; k < 10; ++k) {
          short_lived.Go([ch] {
            Select(OnRecv(ch, [](std::optional<int>) {}), OnSend(ch, 1, [] {}),
                   OnDefault([] { Gosched(); }));
          });
        }
        short_lived.Wait();
      }
    });
  }
  for (int look = 0; look < 25; ++look) {
    const Snapshot snapshot = Capture();
    std::set<uint64_t> ids;
    for (const Goroutine& g : snapshot.goroutines) {
      EXPECT_NE(g.id, 0u);
      EXPECT_TRUE(ids.insert(g.id).second) << "goroutine " << g.id << " is there twice";
      if (g.kind != GoroutineKind::kGoroutine) continue;
      EXPECT_THAT(std::string(snapshot.String(snapshot.sites[g.created_at].file)),
                  EndsWith("capture_test.cc"));
      for (const Wait& wait : g.waits) EXPECT_LT(wait.object, snapshot.objects.size());
    }
  }
  stop = true;
  wg.Wait();
}

TEST(StackTest, OfTheCallerBeginsWithTheCaller) {
  const int line = __LINE__ + 1;
  const std::string text = Stack(/*all=*/false);
  EXPECT_THAT(text, StartsWith("goroutine " + std::to_string(GoroutineId()) + " [running"));
  EXPECT_THAT(text, HasSubstr("OfTheCallerBeginsWithTheCaller"));
  EXPECT_THAT(text, HasSubstr(Here(line)));
  EXPECT_EQ(text.find("\n\n"), text.npos) << "one goroutine only";
}

}  // namespace
}  // namespace leash::debug
