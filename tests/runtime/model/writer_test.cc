// Go's text 1 and 2, to the byte; tests/analyzer has text 3 and JSON, with their readers.

#include "model/writer.h"

#include <gtest/gtest.h>

#include "analyzer/snapshot_builder.h"
#include "model/go_text.h"

namespace leash::internal {
namespace {

using leash::testing::SnapshotBuilder;

std::string Write(int debug, const std::vector<const Snapshot*>& chunks) {
  std::string text;
  StringSink sink(&text);
  const auto writer = NewProfileWriter(debug, &sink);
  for (const Snapshot* s : chunks) writer->Write(*s);
  writer->Finish();
  return text;
}

SnapshotBuilder TwoStuckAndOneRunning() {
  SnapshotBuilder b;
  const StackId stack = b.Stack({{"leash::rt::Park()", "/rt/park.cc", 9, 0x1000, 0x10},
                                 {"Cache::Evict(Key) const", "/src/cache.cc", 88, 0x2020, 0x20},
                                 {"Run", "/src/run.cc", 4, 0x30300, 0x300}});
  for (uint64_t id : {18, 19}) {
    Goroutine& g = b.Waiting(id, "chan receive");
    g.stack = stack;
    g.parent_id = 1;
    g.wait_ns = 125'000'000'000;
    g.created_at = b.Site("Cache::Start(int)", "/src/cache.cc", 41);
  }
  b.s.goroutines[1].labels = b.s.AddLabelSet({{b.s.AddString("path"), b.s.AddString("/v1/a_b.c")},
                                              {b.s.AddString("two words"), b.s.AddString("q\"}")}});
  Goroutine& me = b.Running(7);
  me.current = true;
  me.stack = b.Stack({{"main", "/src/main.cc", 3, 0x4000, 0x8}});
  b.Thread(1).stack = b.Stack({{"leash::rt::Loop()", "/rt/loop.cc", 5, 0x5000, 0x5}});
  return b;
}

TEST(WriterTest, Text2IsGos) {
  SnapshotBuilder b = TwoStuckAndOneRunning();
  EXPECT_EQ(Write(2, {&b.s}), R"(goroutine 7 [running]:
main()
	/src/main.cc:3 +0x8

goroutine 18 [chan receive, 2 minutes]:
Cache::Evict(Key)
	/src/cache.cc:88 +0x20
Run()
	/src/run.cc:4 +0x300
created by Cache::Start in goroutine 1
	/src/cache.cc:41

goroutine 19 [chan receive, 2 minutes] {path: /v1/a_b.c, "two words": "q\"}"}:
Cache::Evict(Key)
	/src/cache.cc:88 +0x20
Run()
	/src/run.cc:4 +0x300
created by Cache::Start in goroutine 1
	/src/cache.cc:41

goroutine 1 [sync.WaitGroup.Wait, locked to thread]:
leash::rt::Loop()
	/rt/loop.cc:5 +0x5
)");
}

TEST(WriterTest, Text1IsGos) {
  SnapshotBuilder b = TwoStuckAndOneRunning();
  EXPECT_EQ(Write(1, {&b.s}),
            "goroutine profile: total 4\n"
            "1 @ 0x1000 0x2020 0x30300\n"
            "#\t0x201f\tCache::Evict(Key) const+0x1f\t/src/cache.cc:88\n"
            "#\t0x302ff\tRun+0x2ff\t\t\t/src/run.cc:4\n\n"
            "1 @ 0x1000 0x2020 0x30300\n"
            "# labels: {\"path\":\"/v1/a_b.c\", \"two words\":\"q\\\"}\"}\n"
            "#\t0x201f\tCache::Evict(Key) const+0x1f\t/src/cache.cc:88\n"
            "#\t0x302ff\tRun+0x2ff\t\t\t/src/run.cc:4\n\n"
            "1 @ 0x4000\n#\t0x3fff\tmain+0x7\t/src/main.cc:3\n\n"
            "1 @ 0x5000\n#\t0x4fff\tleash::rt::Loop()+0x4\t/rt/loop.cc:5\n\n");
}

TEST(WriterTest, ExactAddressIsThePlaceItself) {
  SnapshotBuilder b;
  b.Running(1).stack = b.Stack({{"F()", "f.cc", 3, 0x4000, 0x8}});
  b.s.locations.back().exact = true;
  EXPECT_EQ(Write(1, {&b.s}),
            "goroutine profile: total 1\n1 @ 0x4001\n#\t0x4000\tF()+0x8\tf.cc:3\n\n");
}

TEST(WriterTest, LocationWithoutANameIsAnAddress) {
  SnapshotBuilder b;
  b.Running(1).stack = b.Stack({{"", "", 0, 0x4000}});
  EXPECT_EQ(Write(2, {&b.s}), "goroutine 1 [running]:\n0x4000()\n\t?:0\n");
  EXPECT_EQ(Write(1, {&b.s}), "goroutine profile: total 1\n1 @ 0x4000\n#\t0x3fff\n\n");
}

TEST(WriterTest, ChunksAreOneDump) {
  SnapshotBuilder a = TwoStuckAndOneRunning(), b = TwoStuckAndOneRunning();
  EXPECT_EQ(Write(1, {&a.s, &b.s}).substr(0, 41), "goroutine profile: total 8\n2 @ 0x1000 0x2");
  const std::string one = Write(2, {&a.s});
  EXPECT_EQ(Write(2, {&a.s, &b.s}), one + "\n" + one);
}

TEST(WriterTest, NothingIsAnEmptyDump) {
  EXPECT_EQ(Write(2, {}), "");
  EXPECT_EQ(Write(1, {}), "goroutine profile: total 0\n");
}

TEST(WriterTest, RunningWithoutAStackSaysSo) {
  SnapshotBuilder b;
  b.Running(5);
  EXPECT_EQ(Write(2, {&b.s}),
            "goroutine 5 [running]:\n\tgoroutine running on other thread; stack unavailable\n");
}

TEST(WriterTest, OnlyTracebacksAreElided) {
  SnapshotBuilder b;
  Goroutine& g = b.Running(5);
  Stack deep;
  for (int i = 0; i < 130; ++i) {
    Location location;
    Frame& frame = location.frames.emplace_back();
    frame.function = b.s.AddString("F" + std::to_string(i));
    deep.locations.push_back(b.s.AddLocation(location));
  }
  g.stack = b.s.AddStack(deep);
  std::string cut, whole;
  AppendGoroutine(b.s, g, {.elide = true}, &cut);
  AppendGoroutine(b.s, g, {}, &whole);
  EXPECT_EQ(whole.find("elided"), whole.npos);
  EXPECT_NE(cut.find("F49()\n\t?:0\n...30 frames elided...\nF80()\n"), cut.npos);
  EXPECT_EQ(cut.find("F50()"), cut.npos);
  EXPECT_EQ(cut.find("F79()"), cut.npos);
}

}  // namespace
}  // namespace leash::internal
