// Every dump of Go 1.19, 1.26 and 1.27 is read, and what is no dump is refused in one line.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <sstream>

#include "analyzer/test_data.h"
#include "leash/analyzer/read.h"
#include "leash/analyzer/render.h"
#include "model/gzip_sink.h"
#include "model/writer.h"
#include "support/golden.h"

namespace leash {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::ReadTestFile;
using testing::TestData;

Snapshot Read(const std::string& file) {
  absl::StatusOr<Snapshot> s = ReadSnapshotFile(TestData(file));
  EXPECT_TRUE(s.ok()) << s.status();
  return s.ok() ? *std::move(s) : Snapshot();
}
Snapshot ReadText(std::string_view text) {
  absl::StatusOr<Snapshot> s = ReadSnapshot(text, "t");
  EXPECT_TRUE(s.ok()) << s.status();
  return s.ok() ? *std::move(s) : Snapshot();
}
std::string Error(std::string_view bytes, const ReadLimits& limits = {}) {
  return std::string(ReadSnapshot(bytes, "app.dump", limits).status().message());
}
std::string WriteProfile(const Snapshot& s, int debug, std::string_view profile = "goroutine") {
  std::string text;
  internal::StringSink sink(&text);
  const auto writer = internal::NewProfileWriter(debug, &sink, profile);
  writer->Write(s);
  writer->Finish();
  return text;
}
const Goroutine& ById(const Snapshot& s, uint64_t id) {
  for (const Goroutine& g : s.goroutines) {
    if (g.id == id) return g;
  }
  ADD_FAILURE() << "no goroutine " << id;
  return s.goroutines.at(0);
}

TEST(ReadGoTest, EveryFileIsReadOrRefused) {
  std::ostringstream table;
  for (const char* version : {"go1.19", "go1.26", "go1.27"}) {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(TestData(version))) {
      if (entry.path().extension() == ".golden") continue;
      names.push_back(std::string(version) + "/" + entry.path().filename().string());
    }
    std::sort(names.begin(), names.end());
    for (const std::string& name : names) {
      absl::StatusOr<Snapshot> s = ReadSnapshot(ReadTestFile(TestData(name)), name);
      table << name << ": ";
      if (!s.ok()) {
        table << s.status().message() << "\n";
        continue;
      }
      table << CountLine(GroupGoroutines(*s, GroupBy::kExact)) << "\n";
      for (const std::string& note : s->notes) table << "    note: " << note << "\n";
    }
  }
  testing::ExpectGolden(TestData("files.golden"), table.str());
}

TEST(ReadGoTest, GroupsOfEachVersionReadTheSame) {
  for (const char* name :
       {"go1.27/debug2.txt", "go1.27/synctest.txt", "go1.27/sigquit.txt", "go1.19/panic_nested.txt",
        "go1.27/leak_debug1.txt", "go1.27/goroutineleak.pb.gz"}) {
    const Snapshot s = Read(name);
    RenderOptions options;
    options.frames_max = 12;
    testing::ExpectGolden(TestData(std::string(name) + ".group=exact.golden"),
                          RenderReport(s, GroupGoroutines(s, GroupBy::kExact), options));
  }
}

TEST(ReadGoTest, CountedTextIsWrittenAsItWasRead) {
  for (const char* name :
       {"go1.19/debug1.txt", "go1.19/http_debug1.txt", "go1.26/debug1.txt",
        "go1.26/http_debug1.txt", "go1.27/debug1.txt", "go1.27/http_debug1.txt"}) {
    EXPECT_EQ(WriteProfile(Read(name), 1), ReadTestFile(TestData(name))) << name;
  }
  EXPECT_EQ(WriteProfile(Read("go1.27/leak_debug1.txt"), 1, "goroutineleak"),
            ReadTestFile(TestData("go1.27/leak_debug1.txt")));
}

// Arguments and the creator's offset are not kept; the rest of the text must come back.
TEST(ReadGoTest, FullTextIsWrittenAsItWasRead) {
  auto normal = [](const std::string& text) {
    std::istringstream in(text);
    std::string out, line;
    bool creator = false;
    while (std::getline(in, line)) {
      if (line.ends_with(')') && !line.ends_with("(...)")) line = line.substr(0, line.rfind('('));
      if (creator) line = line.substr(0, line.rfind(" +0x"));
      creator = line.starts_with("created by ");
      out += line + "\n";
    }
    return out;
  };
  for (const char* name : {"go1.19/debug2.txt", "go1.26/debug2.txt", "go1.27/debug2.txt",
                           "go1.27/leak_debug2.txt", "go1.27/http_debug2.txt.gz"}) {
    const Snapshot s = Read(name);
    const std::string written = WriteProfile(s, 2);
    if (std::string_view(name).ends_with(".gz")) {
      EXPECT_EQ(WriteProfile(ReadText(written), 2), written);
    } else {
      EXPECT_EQ(normal(written), normal(ReadTestFile(TestData(name)))) << name;
    }
  }
}

TEST(ReadGoTest, HeaderGivesStateMinutesLabelsAndMarks) {
  const Snapshot s = ReadText(
      "goroutine 1 [running, synctest bubble 1]:\nmain.main()\n\t/a.go:1 +0x1\n\n"
      "goroutine 7 gp=0x1 m=nil [chan receive (nil chan) (leaked) (scan), 3 minutes, locked to "
      "thread] {note: \"a } \\\" b: c\", x: y}:\nmain.f(0x1?, {0x2, ...})\n\t/a b.go:2 +0x2f\n"
      "created by main.main in goroutine 1\n\t/a.go:3 +0x9\n\n"
      "goroutine 8 [sleep (durable), synctest bubble 2]:\nmain.g(...)\n\t/a.go:4\n"
      "created by time.goFunc\n\t/b.go:9 +0x2d\n");
  ASSERT_EQ(s.goroutines.size(), 3u);
  EXPECT_TRUE(s.goroutines[0].current);
  EXPECT_EQ(s.goroutines[0].state, GoroutineState::kRunning);
  EXPECT_EQ(s.String(s.goroutines[0].annotations), "synctest bubble 1");
  const Goroutine& g = ById(s, 7);
  EXPECT_EQ(g.state, GoroutineState::kWaiting);
  EXPECT_EQ(s.String(g.reason), "chan receive (nil chan)");
  EXPECT_EQ(g.tier, LeakTier::kProved);
  EXPECT_EQ(g.wait_ns, 180'000'000'000);
  EXPECT_TRUE(g.locked_to_thread);
  EXPECT_EQ(g.parent_id, 1u);
  EXPECT_EQ(s.String(g.annotations), "(scan)");
  const LabelSet& labels = s.label_sets[g.labels];
  ASSERT_EQ(labels.size(), 2u);
  EXPECT_EQ(s.String(labels[0].first), "note");
  EXPECT_EQ(s.String(labels[0].second), "a } \" b: c");
  EXPECT_EQ(s.String(labels[1].second), "y");
  const Location& location = s.locations[s.stacks[g.stack].locations.at(0)];
  EXPECT_EQ(s.String(location.frames[0].function), "main.f");
  EXPECT_EQ(s.String(location.frames[0].file), "/a b.go");
  EXPECT_EQ(location.frames[0].line, 2);
  EXPECT_EQ(location.offset, 0x2fu);
  EXPECT_EQ(s.String(ById(s, 8).annotations), "(durable), synctest bubble 2");
  EXPECT_TRUE(s.locations[s.stacks[ById(s, 8).stack].locations.at(0)].frames[0].inlined);
  EXPECT_EQ(s.String(s.sites[ById(s, 8).created_at].function), "time.goFunc");
  EXPECT_THAT(s.notes, IsEmpty());
}

TEST(ReadGoTest, ElidedFramesAreCounted) {
  const Snapshot s = ReadText(
      "goroutine 1 [running]:\nmain.f()\n\t/a.go:1 +0x1\n...27 frames elided...\nmain.main()\n"
      "\t/a.go:2 +0x1\n\ngoroutine 2 [running]:\nmain.f()\n\t/a.go:1 +0x1\n"
      "...additional frames elided...\ncreated by main.main\n\t/a.go:3 +0x9\n");
  const Stack& first = s.stacks[s.goroutines[0].stack];
  EXPECT_EQ(first.elided, 27);
  EXPECT_EQ(first.elided_after, 1);
  EXPECT_EQ(s.stacks[s.goroutines[1].stack].elided, kElidedUnknown);
  EXPECT_EQ(RenderGroup(s, GroupGoroutines(s, GroupBy::kExact)[0]),
            "1 goroutine [running]\n"
            "    main.f                                  a.go:1\n"
            "    ... 27 frames elided\n"
            "    main.main                               a.go:2\n"
            "    goroutine 1\n");
}

TEST(ReadGoTest, NearestAncestorIsTheSpawnStack) {
  const Snapshot s = ReadText(
      "goroutine 9 [select]:\nmain.f()\n\t/a.go:1 +0x1\ncreated by main.g\n\t/a.go:5 +0x1\n"
      "[originating from goroutine 7]:\nmain.g(...)\n\t/a.go:5 +0x1\ncreated by main.main\n"
      "\t/a.go:8 +0x1\n[originating from goroutine 1]:\nmain.main(...)\n\t/a.go:8 +0x1\n");
  ASSERT_EQ(s.goroutines.size(), 1u);
  const Goroutine& g = s.goroutines[0];
  EXPECT_EQ(g.parent_id, 7u);
  EXPECT_EQ(s.String(s.sites[g.created_at].function), "main.g");
  EXPECT_EQ(s.sites[g.created_at].line, 5);
  ASSERT_EQ(s.stacks[g.spawn_stack].locations.size(), 1u);
  EXPECT_THAT(s.notes, IsEmpty());
}

TEST(ReadGoTest, StackOfARunningOneMayBeMissing) {
  const Snapshot s = ReadText(
      "goroutine 5 [running]:\n\tgoroutine running on other thread; stack unavailable\n"
      "created by main.main in goroutine 1\n\t/a.go:3 +0x9\n");
  EXPECT_TRUE(s.stacks[s.goroutines[0].stack].locations.empty());
  EXPECT_EQ(s.goroutines[0].parent_id, 1u);
  EXPECT_THAT(s.notes, IsEmpty());
}

TEST(ReadGoTest, WindowsLineEndsAreRead) {
  const Snapshot s = ReadText("goroutine 5 [select]:\r\nmain.f()\r\n\t/a.go:3 +0x9\r\n\r\n");
  EXPECT_EQ(s.locations[s.stacks[s.goroutines.at(0).stack].locations.at(0)].frames[0].line, 3);
}

TEST(ReadGoTest, ForeignLinesInsideOfAStackAreSteppedOver) {
  const Snapshot s = ReadText(
      "goroutine 5 [select]:\nmain.f()\nsomebody else's log\n\t/a.go:3 +0x9\nmain.g()\n"
      "\t/a.go:4 +0x9\n\nexit status 2\n");
  EXPECT_EQ(s.stacks[s.goroutines.at(0).stack].locations.size(), 1u);
  EXPECT_THAT(s.notes,
              ElementsAre("stepped over 2 lines inside of stacks, the first at offset 31"));
}

TEST(ReadGoTest, CutLastRecordIsANote) {
  const std::string text = ReadTestFile(TestData("go1.27/debug2.txt"));
  const size_t second = text.find("goroutine 9 ");
  EXPECT_THAT(ReadText(text.substr(0, second + 3)).notes, ElementsAre("cut after goroutine 8"));
  EXPECT_THAT(ReadText(text.substr(0, second + 20)).notes, ElementsAre("cut after goroutine 8"));
  EXPECT_THAT(ReadText(text.substr(0, second + 50)).notes, ElementsAre("cut in goroutine 9"));
  EXPECT_THAT(ReadText(text.substr(0, second - 1)).notes, IsEmpty());
}

TEST(ReadGoTest, EveryPrefixIsReadOrRefusedInOneLine) {
  for (const char* name :
       {"go1.27/leak_debug1.txt", "go1.27/synctest.txt", "go1.27/goroutine.pb.gz"}) {
    const std::string text = ReadTestFile(TestData(name));
    for (size_t n = 0; n < text.size(); n += 1 + n / 97) {
      absl::StatusOr<Snapshot> s = ReadSnapshot(text.substr(0, n), "p");
      if (!s.ok()) {
        const std::string message(s.status().message());
        EXPECT_EQ(message.find('\n'), message.npos);
        EXPECT_TRUE(message.starts_with("read p: offset ")) << message;
      }
    }
  }
}

TEST(ReadGoTest, ErrorsNameTheOffsetAndWhatWasWanted) {
  EXPECT_EQ(Error(""), "read app.dump: offset 0: want \"goroutine N [\", have the end of the file");
  EXPECT_EQ(Error(std::string(4095, 'x') + "\ngorou"),
            "read app.dump: offset 4096: want \"goroutine N [\", have \"gorou\"");
  EXPECT_EQ(Error("goroutine 5 [select\nmain.f()\n"),
            "read app.dump: offset 19: want \"]\", have \"\\n\"");
  EXPECT_EQ(Error("\ngoroutine 5 select:\n"),
            "read app.dump: offset 1: want \"goroutine N [\", have \"goroutine 5 select:\"");
  EXPECT_EQ(Error("goroutine 99999999999999999999 [x]:\n"),
            "read app.dump: offset 10: want a goroutine's id of 64 bits, have "
            "\"99999999999999999999 [x]\"");
  EXPECT_EQ(Error("goroutine 5 [select] {a b}:\n"),
            "read app.dump: offset 20: want labels \"{key: value}:\", have \" {a b}:\"");
  EXPECT_EQ(Error("goroutine profile: total 2\n1 @ 0x1\n#\t0x0\tf+0x1\n1 @ 0x2\n"),
            "read app.dump: offset 46: want a tab before the file, have \"\\n\"");
  EXPECT_EQ(Error("goroutine profile: total 2\nmany @ 0x1\n\n"),
            "read app.dump: offset 27: want \"COUNT @ 0x...\", have \"many @ 0x1\"");
}

TEST(ReadGoTest, AFieldOfAnotherTypeThanProfileProtosIsAnError) {
  // string_table, as a number; then a sample type whose type is 8 bytes.
  EXPECT_EQ(Error("\x30\x01"),
            "read app.dump: offset 1: want a field of profile.proto, have \"\\x01\"");
  EXPECT_EQ(Error("\x0a\x09\x09\x01\x01\x01\x01\x01\x01\x01\x01"),
            "read app.dump: offset 11: want a field of profile.proto, have the end of the file");
}

TEST(ReadGoTest, LimitsAreErrors) {
  ReadLimits limits;
  limits.goroutines = 10;
  EXPECT_EQ(Error("goroutine profile: total 11\n11 @ 0x1\n\n", limits),
            "read app.dump: offset 37: want at most 10 goroutines, have more");
  limits.line_bytes = 100;
  EXPECT_EQ(Error(std::string(101, 'x') + "\n", limits),
            "read app.dump: offset 0: want at most 100 bytes in a line, have more");
  limits.inflated_bytes = 1000;
  std::string bomb;
  internal::StringSink sink(&bomb);
  internal::GzipSink gzip(&sink);
  gzip.Append(std::string(1 << 20, ' '));
  gzip.Finish();
  EXPECT_LT(bomb.size(), 2000u);
  EXPECT_THAT(Error(bomb, limits), ::testing::HasSubstr("want at most 1000 bytes when inflated"));
}

TEST(ReadGoTest, MissingFileAndFolderAreOneLine) {
  EXPECT_EQ(ReadSnapshotFile("/nonexistent/x").status().message(),
            "read /nonexistent/x: No such file or directory");
  EXPECT_EQ(ReadSnapshotFile("/").status().message(), "read /: Is a directory");
}

}  // namespace
}  // namespace leash
