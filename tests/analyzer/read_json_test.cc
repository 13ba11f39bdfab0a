// JSON and text 3 come back as they were written.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analyzer/snapshot_builder.h"
#include "leash/analyzer/group.h"
#include "leash/analyzer/read.h"
#include "model/writer.h"
#include "support/golden.h"

namespace leash {
namespace {

using testing::SnapshotBuilder;

std::string ToJson(const std::vector<Snapshot>& chunks) {
  std::string text;
  internal::StringSink sink(&text);
  const auto writer = internal::NewJsonWriter(&sink);
  for (const Snapshot& s : chunks) writer->Write(s);
  writer->Finish();
  return text;
}
std::string ToText3(const Snapshot& s) {
  std::string text;
  internal::StringSink sink(&text);
  const auto writer = internal::NewProfileWriter(3, &sink);
  writer->Write(s);
  writer->Finish();
  return text;
}
Snapshot Read(std::string_view text) {
  absl::StatusOr<Snapshot> s = ReadSnapshot(text, "t");
  EXPECT_TRUE(s.ok()) << s.status();
  return s.ok() ? *std::move(s) : Snapshot();
}
std::string Error(std::string_view text) {
  return std::string(ReadSnapshot(text, "a.json").status().message());
}

// Something in every field.
Snapshot Full() {
  SnapshotBuilder b;
  Snapshot& s = b.s;
  s.pid = 4711;
  s.program = "/opt/bin/leaky \"server\"";
  s.captured_unix_ns = 1'700'000'000'000'000'001;
  s.capture_ns = 12345;
  s.notes = {"a note\nof two lines", "another"};
  s.modules.push_back({0x400000, 0x500000, 0x1000, "/opt/bin/leaky", "deadbeef"});
  Location location;
  location.pc = 0xfedcba9876543210;
  location.offset = 31;
  location.exact = true;
  location.module = 0;
  for (const char* name : {"Inner()", "Outer(std::string const&) const"}) {
    Frame& f = location.frames.emplace_back();
    f.function = s.AddString(name);
    f.system_name = s.AddString("_ZN5Inner");
    f.file = s.AddString("/src/in ner.cc");
    f.line = 7;
    f.start_line = 5;
    f.inlined = name[0] == 'I';
  }
  Stack stack;
  stack.locations = {s.AddLocation(location)};
  stack.elided = 12;
  stack.elided_after = 1;
  const StackId stack_id = s.AddStack(stack);
  const ObjectId c = b.Chan({3, 1}, {2, 2});
  {
    WaitObject& o = s.objects[c];
    o.name = s.AddString("jobs");
    o.made_at = b.Site("Make()", "/src/make.cc", 3);
    o.made_by = 1;
    o.capacity = 4;
    o.length = 4;
    o.closed = o.timer = o.by_reference = true;
    o.last_send_dropped_at = b.Site("Drop()", "/src/drop.cc", 4);
    o.last_send_dropped_by = 8;
    o.last_recv_dropped_at = b.Site("", "/src/drop.cc", 5);
    o.last_recv_dropped_by = 9;
  }
  WaitObject rw;
  rw.kind = ObjectKind::kRWMutex;
  rw.address = 0x10;
  rw.holder = 3;
  rw.holder_alive = true;
  rw.readers = 2;
  const ObjectId m = s.AddObject(rw);
  WaitObject fd;
  fd.kind = ObjectKind::kFd;
  fd.address = 0x20;
  fd.fd = 0;
  fd.counter = -3;
  const ObjectId f = s.AddObject(fd);
  Goroutine& g = b.Waiting(
      18'446'744'073'709'551'615u, "select",
      {testing::SendOn(c), {0, Wait::Op::kRecv}, {m, Wait::Op::kOther}, {f, Wait::Op::kOther}},
      {c, m});
  g.parent_id = 1;
  g.wait_ns = 61'000'000'001;
  g.locked_to_thread = g.runtime_internal = true;
  g.tier = LeakTier::kProved;
  g.tier_reason = s.AddString("because");
  g.labels = s.AddLabelSet({{s.AddString("k"), s.AddString("v \xff\xc3\xa4\x01")}});
  g.test = s.AddString("A.B");
  g.background = s.AddString("bg");
  g.created_at = b.Site("Start", "/src/start.cc", 41);
  g.stack = stack_id;
  g.spawn_stack = b.Stack({{"Spawner(int)", "/src/s.cc", 1}});
  g.stack_bytes = 4096;
  g.annotations = s.AddString("(durable), synctest bubble 1");
  Goroutine& running = b.Running(2);
  running.current = true;
  running.mentions_unknown = true;
  running.wait_ns = 0;
  b.Thread(3);
  Goroutine& other = b.Waiting(4, "idle");
  other.state = GoroutineState::kOther;
  return std::move(b.s);
}

TEST(JsonTest, ReadsBackEverything) {
  const std::string text = ToJson({Full()});
  const Snapshot s = Read(text);
  EXPECT_EQ(s.pid, 4711);
  EXPECT_EQ(s.captured_unix_ns, 1'700'000'000'000'000'001);
  EXPECT_EQ(s.notes, Full().notes);
  EXPECT_EQ(s.String(s.label_sets[s.goroutines[0].labels][0].second), "v \xff\xc3\xa4\x01");
  // The tables grow by the empty entries at their start; what they say is the same.
  std::vector<uint32_t> all = {0, 1, 2, 3};
  EXPECT_EQ(ToJson({CopyGoroutines(s, all)}), ToJson({CopyGoroutines(Full(), all)}));
  testing::ExpectGolden("tests/analyzer/testdata/leash/full.json.golden", text);
}

TEST(JsonTest, ChunksAreOneSnapshot) {
  const Snapshot full = Full();
  const Snapshot whole = Read(ToJson({full}));
  std::vector<Snapshot> chunks;
  for (uint32_t i = 0; i < full.goroutines.size(); ++i) chunks.push_back(CopyGoroutines(full, {i}));
  const Snapshot parts = Read(ToJson(chunks));
  EXPECT_EQ(ToText3(parts), ToText3(whole));
  EXPECT_EQ(parts.notes, whole.notes);
}

TEST(JsonTest, NothingIsASnapshotToo) {
  EXPECT_TRUE(Read(ToJson({})).goroutines.empty());
  EXPECT_EQ(ToJson({}), "{\"schema\":\"leash-snapshot\",\"version\":1,\"chunks\":[]}\n");
}

TEST(JsonTest, TablesMayComeInAnyOrderAndFieldsMayBeUnknown) {
  const Snapshot s = Read(
      "{\"version\": 1, \"later\": [1, {\"x\": null}, \"y\\u00e4\"], \"schema\": "
      "\"leash-snapshot\","
      " \"chunks\": [{\"goroutines\": [{\"id\": 7, \"stack\": 1, \"new\": -1.5e3}],"
      " \"stacks\": [{}, {\"locations\": [1]}],"
      " \"locations\": [{}, {\"frames\": [{\"function\": \"F()\"}]}]}]}");
  ASSERT_EQ(s.goroutines.size(), 1u);
  const Location& location = s.locations[s.stacks[s.goroutines[0].stack].locations.at(0)];
  EXPECT_EQ(s.String(location.frames.at(0).function), "F()");
}

TEST(JsonTest, ErrorsNameTheOffset) {
  EXPECT_EQ(Error("{}"), "read a.json: offset 0: want \"schema\": \"leash-snapshot\", have \"{}\"");
  EXPECT_EQ(Error(R"({"schema":"other"})"),
            "read a.json: offset 10: want schema \"leash-snapshot\", have \"\\\"other\\\"}\"");
  EXPECT_EQ(Error(R"({"schema":"leash-snapshot","version":2})"),
            "read a.json: offset 37: want version 1, have \"2}\"");
  EXPECT_EQ(Error(R"({"schema":"leash-snapshot","version":1,"pid":-x})"),
            "read a.json: offset 45: want a whole number that fits, have \"-x}\"");
  EXPECT_EQ(
      Error(
          R"({"schema":"leash-snapshot","version":1,"chunks":[{"goroutines":[{"state":"odd"}]}]})"),
      "read a.json: offset 73: want one of \"runnable\" \"running\" \"syscall\" \"waiting\" "
      "\"other\", have \"\\\"odd\\\"}]}]}\"");
  EXPECT_EQ(
      Error(R"({"schema":"leash-snapshot","version":1,"chunks":[{"goroutines":[{"stack":9}]}]})"),
      "read a.json: offset 49: want a chunk whose references stay in its own tables, have "
      "\"{\\\"goroutines\\\":[{\\\"stack\\\":\"");
  EXPECT_EQ(Error(R"({"schema":"leash-snapshot","version":1)"),
            "read a.json: offset 38: want '}', have the end of the file");
  EXPECT_EQ(Error("{\"a\":" + std::string(100, '[')),
            "read a.json: offset 70: want less than 64 levels, have \"[[[[[[[[[[[[[[[[[[[[[[[[\"");
}

TEST(JsonTest, EveryPrefixIsRefused) {
  const std::string text = ToJson({Full()});
  for (size_t n = 1; n + 2 < text.size(); ++n) {
    const std::string message = Error(text.substr(0, n));
    EXPECT_TRUE(message.starts_with("read a.json: offset ")) << n << ": " << message;
  }
}

TEST(Text3Test, ReadsBackItsFacts) {
  const std::string text = ToText3(Full());
  testing::ExpectGolden("tests/analyzer/testdata/leash/full.debug=3.golden", text);
  const Snapshot s = Read(text);
  EXPECT_EQ(s.origin, "leash");
  EXPECT_EQ(ToText3(s), text);
}

TEST(Text3Test, ParametersAreKeptAndArgumentsAreNot) {
  const Snapshot s = Read(
      "goroutine 5 [select]:\n# goroutine, waiting 1.5s\nCache::Evict()\n\t/c.cc:1\n\n"
      "goroutine 6 [select]:\nCache::Evict(Key)\n\t/c.cc:1 +0x1\nmain.f(0x1)\n\t/m.go:1 +0x1\n");
  auto name = [&](size_t i, size_t frame) {
    return s.String(
        s.locations[s.stacks[s.goroutines.at(i).stack].locations.at(frame)].frames[0].function);
  };
  EXPECT_EQ(s.goroutines[0].wait_ns, 1'500'000'000);
  EXPECT_EQ(name(0, 0), "Cache::Evict()");
  EXPECT_EQ(name(1, 0), "Cache::Evict(Key)");
  EXPECT_EQ(name(1, 1), "main.f");
}

}  // namespace
}  // namespace leash
