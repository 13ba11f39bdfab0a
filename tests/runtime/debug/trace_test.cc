// Execution traces: what is in them, read back with Perfetto's schema.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <leash/debug.h>
#include <leash/internal/trace_stream.h>
#include <leash/leash.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "debug/trace_timeline.h"
#include "model/perfetto_writer.h"
#include "model/sink.h"
#include "support/perfetto_trace.h"
#include "support/wait_until_blocked.h"

namespace leash::debug {
namespace {

using leash::testing::PerfettoTrace;
using leash::testing::ReadPerfettoFile;
using leash::testing::ReadPerfettoTrace;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::Ge;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::Pair;
using ::testing::SizeIs;
using Slice = PerfettoTrace::Slice;

class TraceTest : public ::testing::Test {
 protected:
  TraceTest()
      : path_(::testing::TempDir() + "/leash_trace_" + std::to_string(getpid()) + "_" +
              ::testing::UnitTest::GetInstance()->current_test_info()->name()) {}
  ~TraceTest() override { unlink(path_.c_str()); }

  // What a trace says of `body`.
  template <class Body>
  PerfettoTrace Traced(Body body) {
    {
      Trace trace(path_);
      EXPECT_EQ(trace.status(), absl::OkStatus());
      body();
    }
    PerfettoTrace read = ReadPerfettoFile(path_);
    EXPECT_THAT(read.errors, IsEmpty());
    return read;
  }

  const std::string path_;
};

std::set<std::string> NamesOf(const std::vector<Slice>& slices) {
  std::set<std::string> names;
  for (const Slice& slice : slices) names.insert(slice.name);
  return names;
}

TEST_F(TraceTest, AGoroutineHasATrackWithItsStates) {
  const PerfettoTrace trace = Traced([] {
    Chan<int> ch = MakeChan<int>();
    WaitGroup wg;
    wg.Add(1);
    std::atomic<uint64_t> id{0};
    GoWith({.name = "reader"}, [&] {
      id = GoroutineId();
      ch.Recv();
      wg.Done();
    });
    while (id == 0) Gosched();
    leash::testing::WaitUntilBlocked(id, "chan receive");
    ch.Send(1);
    wg.Wait();
  });
  const std::vector<Slice> states = trace.SlicesOf("reader");
  ASSERT_EQ(NamesOf(states), (std::set<std::string>{"runnable", "running", "chan receive"}));
  EXPECT_EQ(states.front().name, "runnable");
  EXPECT_EQ(states.back().name, "running");
  for (size_t i = 1; i < states.size(); ++i) {
    EXPECT_EQ(states[i].begin, states[i - 1].end) << "without a gap";
  }
  EXPECT_THAT(states, Contains(AllOf(Field(&Slice::name, "chan receive"),
                                     Field(&Slice::annotations, SizeIs(1)))));
}

TEST_F(TraceTest, APShowsWhatRanOnIt) {
  uint64_t id = 0;
  const PerfettoTrace trace = Traced([&] {
    WaitGroup wg;
    wg.Go([&] { id = GoroutineId(); });
    wg.Wait();
  });
  int found = 0;
  for (const auto& [uuid, track] : trace.tracks) {
    if (!track.name.starts_with("P ")) continue;
    EXPECT_EQ(trace.tracks.at(track.parent).pid, getpid());
    const auto slices = trace.slices.find(uuid);
    if (slices == trace.slices.end()) continue;
    for (const Slice& slice : slices->second) {
      if (slice.annotations.at("goroutine") == std::to_string(id)) ++found;
    }
  }
  EXPECT_EQ(found, 1);
}

TEST_F(TraceTest, ArrowsLeadFromTheSpawnToTheRun) {
  const int line = __LINE__ + 3;
  const PerfettoTrace trace = Traced([] {
    WaitGroup wg;
    wg.Go([] {});
    wg.Wait();
  });
  const auto spawns = trace.Named("spawn");
  ASSERT_THAT(spawns, SizeIs(1));
  EXPECT_EQ(spawns[0].annotations.at("at"), "trace_test.cc:" + std::to_string(line));
  EXPECT_EQ(spawns[0].annotations.at("by goroutine"), std::to_string(GoroutineId()));
  ASSERT_NE(spawns[0].flow, 0u);
  const auto end = std::find_if(trace.events.begin(), trace.events.end(), [&](const auto& e) {
    return e.flow == spawns[0].flow && e.flow_ends;
  });
  ASSERT_NE(end, trace.events.end());
  EXPECT_THAT(trace.tracks.at(end->track).name, HasSubstr("P "));
  EXPECT_EQ(end->annotations.at("goroutine"), spawns[0].annotations.at("goroutine"));
}

TEST_F(TraceTest, WhoWaitsAllAlongIsShownFromTheBeginning) {
  Chan<int> never = MakeChan<int>();
  std::atomic<uint64_t> id{0};
  WaitGroup wg;
  wg.Add(1);
  go([&] {
    id = GoroutineId();
    never.Recv();
    wg.Done();
  });
  while (id == 0) std::this_thread::yield();
  leash::testing::WaitUntilBlocked(id, "chan receive");
  const PerfettoTrace trace = Traced([] { Sleep(absl::Milliseconds(3)); });
  const auto states = trace.SlicesOf("goroutine " + std::to_string(id) + " ");
  ASSERT_THAT(states, SizeIs(1));
  EXPECT_EQ(states[0].name, "chan receive");
  EXPECT_GE(states[0].end - states[0].begin, 3'000'000u);
  never.Close();
  wg.Wait();
}

uint64_t BootTime() {
  timespec now;
  clock_gettime(CLOCK_BOOTTIME, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

TEST_F(TraceTest, TimesAreThoseOfTheClock) {
  uint64_t before = 0, after = 0;
  const PerfettoTrace trace = Traced([&] {
    WaitGroup wg;
    wg.Go([&] {
      before = BootTime();
      Sleep(absl::Milliseconds(30));
      after = BootTime();
    });
    wg.Wait();
  });
  int found = 0;
  for (const auto& [uuid, slices] : trace.slices) {
    for (const Slice& slice : slices) {
      if (slice.name != "sleep") continue;
      ++found;
      // Sleep's time begins with its call, the slice a little later.
      constexpr uint64_t kBetweenClocks = 100'000;
      EXPECT_GE(slice.begin + kBetweenClocks, before);
      EXPECT_GE(slice.end + kBetweenClocks, before + 30'000'000);
      EXPECT_LE(slice.end, after + kBetweenClocks);
    }
  }
  EXPECT_EQ(found, 1);
  const uint64_t now = BootTime();
  EXPECT_LE(trace.events.back().time, now);
  EXPECT_LE(now - trace.events.back().time, 60'000'000'000u);
  ASSERT_EQ(trace.clocks.count(6), 1u);  // CLOCK_BOOTTIME
  EXPECT_LE(trace.clocks.at(6), now);
}

TEST_F(TraceTest, RegionsLieOnATrackOfTheirOwn) {
  const PerfettoTrace trace = Traced([] {
    WaitGroup wg;
    wg.Add(1);
    GoWith({.name = "parser"}, [&] {
      Region outer("parse the whole of a document that has a rather long name");
      {
        Region inner("lex");
        Sleep(absl::Milliseconds(1));
      }
      TraceLog("parser", "42 tokens");
      outer.End();
      outer.End();
      wg.Done();
    });
    wg.Wait();
  });
  const uint64_t goroutine = trace.TrackNamed("parser");
  ASSERT_NE(goroutine, 0u);
  const uint64_t track = trace.TrackNamed("regions");
  ASSERT_EQ(trace.tracks.at(track).parent, goroutine);
  const auto& regions = trace.slices.at(track);
  ASSERT_THAT(regions, SizeIs(2));
  EXPECT_EQ(regions[0].name, "parse the whole of a document that has a rather long name");
  EXPECT_EQ(regions[0].depth, 0);
  EXPECT_EQ(regions[1].name, "lex");
  EXPECT_EQ(regions[1].depth, 1);
  EXPECT_GE(regions[1].end - regions[1].begin, 999'000u);
  const auto logs = trace.Named("log");
  ASSERT_THAT(logs, SizeIs(1));
  EXPECT_THAT(logs[0].annotations,
              ElementsAre(Pair("category", "parser"), Pair("message", "42 tokens")));
}

TEST_F(TraceTest, ARegionThatBeganBeforeTheTraceIsNotInIt) {
  Region before("before");
  const PerfettoTrace first = Traced([&] {
    Region inside("inside");
    before.End();
  });
  EXPECT_THAT(first.Named("before"), IsEmpty());
  EXPECT_THAT(first.Named("inside"), SizeIs(1));
}

TEST_F(TraceTest, ARegionOutlivesItsTrace) {
  std::optional<Region> region;
  EXPECT_THAT(Traced([&] { region.emplace("long"); }).Named("long"), SizeIs(1));
  EXPECT_THAT(Traced([&] { region.reset(); }).Named("long"), IsEmpty());
}

TEST_F(TraceTest, ThreadsHaveTracksToo) {
  const PerfettoTrace trace = Traced([] {
    Chan<int> ch = MakeChan<int>();
    std::thread thread([&] { ch.Send(1); });
    ch.Recv();
    thread.join();
  });
  EXPECT_NE(trace.TrackNamed("thread " + std::to_string(gettid())), 0u);
}

TEST_F(TraceTest, OneAtATime) {
  Trace first(path_);
  ASSERT_EQ(first.status(), absl::OkStatus());
  Trace second("/dev/null");
  EXPECT_EQ(second.status(), absl::FailedPreconditionError("trace: tracing already enabled"));
  EXPECT_EQ(second.Stop(), second.status());
  EXPECT_EQ(StartTrace("/dev/null"), second.status());
  EXPECT_EQ(first.Stop(), absl::OkStatus());
  EXPECT_EQ(first.Stop(), absl::OkStatus());
  Trace third("/dev/null");
  EXPECT_EQ(third.Stop(), absl::OkStatus());
}

TEST_F(TraceTest, StopTraceEndsWhateverIsUnderWay) {
  EXPECT_EQ(StopTrace(), absl::FailedPreconditionError("trace: tracing is not enabled"));
  EXPECT_EQ(StartTrace(path_), absl::OkStatus());
  EXPECT_EQ(StopTrace(), absl::OkStatus());
  EXPECT_THAT(ReadPerfettoFile(path_).errors, IsEmpty());
  Trace old(path_);
  EXPECT_EQ(StopTrace(), absl::OkStatus());
  Trace young("/dev/null");
  EXPECT_EQ(old.Stop(), absl::OkStatus()) << "not the one that has begun since";
  EXPECT_EQ(StartTrace("/dev/null").message(), "trace: tracing already enabled");
}

TEST_F(TraceTest, AFileThatCannotBeOpenedOrWrittenIsSaid) {
  Trace nowhere("/nowhere/trace");
  EXPECT_EQ(nowhere.status(),
            absl::NotFoundError("trace: open /nowhere/trace: No such file or directory"));
  Trace full("/dev/full");
  EXPECT_EQ(full.status(), absl::OkStatus());
  EXPECT_THAT(full.Stop().message(), "trace: write /dev/full: No space left on device");
}

// Everything at once, from goroutines and threads, while traces begin and end: what is read back
// holds together, whatever moment it was.
TEST_F(TraceTest, HoldsTogetherWhateverHappens) {
  std::atomic<bool> stop{false};
  std::atomic<int> rounds{0};
  WaitGroup wg;
  Chan<int> ch = MakeChan<int>(2);
  Mutex mu;
  for (int i = 0; i < 8; ++i) {
    wg.Go([&, i] {
      while (!stop) {
        Region region("outer");
        if (i % 2 == 0) {
          ch.TrySend(i);
        } else if (i == 1) {
          Select(OnSend(ch, i), OnTimeout(absl::Microseconds(20)));
        } else {
          Select(OnRecv(ch), OnTimeout(absl::Microseconds(20)));
        }
        MutexLock hold(&mu);
        ++rounds;
        Gosched();
      }
    });
  }
  for (int i = 0; i < 2; ++i) {
    wg.Go([&] {
      while (!stop) {
        WaitGroup children;
        for (int n = 0; n < 5; ++n) {
          children.Go([] { Sleep(absl::Microseconds(50)); });
        }
        children.Wait();
        SetName("renamed");
      }
    });
  }
  std::thread thread([&] {
    while (!stop) ch.TrySend(1);
  });
  std::thread waiter([&] {
    while (!stop) Sleep(absl::Microseconds(100));
  });
  constexpr int kTraces = 3;
  for (int i = 0; i < kTraces; ++i) {
    Trace trace(path_ + std::to_string(i));
    EXPECT_EQ(trace.status(), absl::OkStatus());
    const int until = rounds + 300;
    while (rounds < until) Sleep(absl::Milliseconds(1));
  }
  stop = true;
  wg.Wait();
  thread.join();
  waiter.join();
  for (int i = 0; i < kTraces; ++i) {
    const std::string path = path_ + std::to_string(i);
    const PerfettoTrace trace = ReadPerfettoFile(path);
    EXPECT_THAT(trace.errors, IsEmpty());
    EXPECT_GT(trace.events.size(), 100u);
    unlink(path.c_str());
  }
}

// A reader that does not read: the rings fill, events are lost, and what is left holds together.
TEST_F(TraceTest, WhatFindsNoRoomIsCounted) {
  auto stream = internal::TraceStream::Start(absl::InfiniteDuration());
  ASSERT_TRUE(stream.ok());
  Chan<int> a = MakeChan<int>(), b = MakeChan<int>();
  WaitGroup wg;
  constexpr int kRounds = 60'000;  // more than eight rings hold
  wg.Go([&] {
    for (int i = 0; i < kRounds; ++i) {
      a.Send(i);
      b.Recv();
    }
  });
  wg.Go([&] {
    for (int i = 0; i < kRounds; ++i) {
      a.Recv();
      b.Send(i);
    }
  });
  wg.Wait();  // nothing has waited for the reader
  std::string bytes;
  ASSERT_EQ(StartTrace("/dev/null").message(), "trace: tracing already enabled");
  std::thread stopper([] { EXPECT_EQ(StopTrace(), absl::OkStatus()); });
  for (;;) {
    const auto piece = stream->Read(absl::Seconds(10));
    bytes += piece.bytes;
    if (piece.end) break;
  }
  stopper.join();
  const PerfettoTrace trace = ReadPerfettoTrace(bytes);
  EXPECT_THAT(trace.errors, IsEmpty());
  EXPECT_THAT(trace.Named("events lost"), SizeIs(Ge(1u)));
  EXPECT_GT(std::stoll(trace.Named("end of the trace").back().annotations.at("events lost")), 0);
}

// What was lost may be all that is known of a P so far.
TEST_F(TraceTest, ALossIsInTheOrderOfTime) {
  std::string bytes;
  internal::StringSink sink(&bytes);
  internal::PerfettoWriter writer(&sink);
  rt::TraceTimeline timeline(&writer, 1, "program", 1000);
  const auto source = std::make_unique<rt::TraceTimeline::Source>(2, 0);
  timeline.AddKnown({.id = 7, .name = "worker", .state = rt::TraceTimeline::State::kRunning});
  timeline.AddLost(*source, 2000, 5);
  timeline.AddEvent(*source, 3000, {.id = 7, .kind = rt::TraceKind::kYield}, "");
  timeline.Finish(std::vector{source.get()}, 4000);
  const PerfettoTrace trace = ReadPerfettoTrace(bytes);
  EXPECT_THAT(trace.errors, IsEmpty());
  EXPECT_THAT(trace.SlicesOf("worker"),
              ElementsAre(AllOf(Field(&Slice::name, "running"), Field(&Slice::begin, 1000u)),
                          AllOf(Field(&Slice::name, "runnable"), Field(&Slice::end, 4000u))));
}

TEST_F(TraceTest, AStreamEndsByItselfAtItsTime) {
  auto stream = internal::TraceStream::Start(absl::Milliseconds(20));
  ASSERT_TRUE(stream.ok());
  std::string bytes;
  for (;;) {
    const auto piece = stream->Read(absl::Seconds(10));
    bytes += piece.bytes;
    if (piece.end) break;
  }
  const PerfettoTrace trace = ReadPerfettoTrace(bytes);
  EXPECT_THAT(trace.errors, IsEmpty());
  EXPECT_GE(trace.events.back().time - trace.clocks.at(6), 19'000'000u);
}

TEST_F(TraceTest, AReaderThatGoesEndsItsTrace) {
  {
    auto stream = internal::TraceStream::Start(absl::InfiniteDuration());
  }
  Trace next(path_);
  EXPECT_EQ(next.status(), absl::OkStatus());
}

}  // namespace
}  // namespace leash::debug
