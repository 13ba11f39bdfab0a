// The goroutine profiles of a live process over HTTP: ours, with goroutines stuck in known places.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>
#include <leash/analyzer/read.h>
#include <leash/debug.h>
#include <leash/leash.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <mutex>
#include <regex>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "integration/debug_server/goroutine_text.h"
#include "support/golden.h"
#include "support/run_program.h"
#include "support/wait_until_blocked.h"

// Where goroutines get stuck. A comment at the end of a line is how a test finds its number. Each
// function does something behind its wait, so that its frame is not replaced by the wait's.
namespace stuck {

using leash::Chan;

struct Ids {
  std::mutex mu;
  std::map<std::string, std::set<uint64_t>> by_function;
};
Ids& AllIds() {
  static auto* const ids = new Ids;
  return *ids;
}
// Takes down who is in `function`.
void Enter(const char* function) {
  const std::lock_guard hold(AllIds().mu);
  AllIds().by_function[function].insert(leash::GoroutineId());
}
std::set<uint64_t> IdsIn(const std::string& function) {
  const std::lock_guard hold(AllIds().mu);
  return AllIds().by_function[function];
}

std::atomic<int> done{0};

[[gnu::noinline]] void Receive(Chan<int> ch) {
  Enter("Receive");
  ch.Recv();  // waits: Receive
  ++done;
}

[[gnu::noinline]] void Send(Chan<int> ch) {
  Enter("Send");
  ch.Send(1);  // waits: Send
  ++done;
}

// On the nil channel: what proves this leak is not left to what other stacks happen to hold.
[[gnu::noinline]] void Lose(Chan<int> ch) {
  Enter("Lose");
  ch.Send(2);  // waits: Lose
  ++done;
}

[[gnu::noinline]] void Choose(Chan<int> a, Chan<int> b) {
  Enter("Choose");
  leash::Select(leash::OnRecv(a), leash::OnSend(b, 1));  // waits: Choose
  ++done;
}

[[gnu::noinline]] void Hold(leash::Mutex* mu, leash::WaitGroup* never) {
  Enter("Hold");
  mu->Lock();
  never->Wait();  // waits: Hold
  mu->Unlock();
}

[[gnu::noinline]] void Lock(leash::Mutex* mu) {
  Enter("Lock");
  mu->Lock();  // waits: Lock
  mu->Unlock();
}

[[gnu::noinline]] void Nap(absl::Duration time) {
  Enter("Nap");
  leash::Sleep(time);  // waits: Nap
  ++done;
}

[[gnu::noinline]] void Compute(std::atomic<int>* running, const std::atomic<bool>* stop) {
  Enter("Compute");
  ++*running;
  while (!stop->load(std::memory_order_relaxed)) {  // computes
  }
  ++done;
}

// Stay as they are until the process ends.
void Plant() {
  struct Objects {
    Chan<int> values, results, left, right;
    leash::Mutex mu;
    leash::WaitGroup never;
  };
  static auto* const o = new Objects;
  o->values = leash::MakeChan<int>(0, "values");  // made: values
  o->results = leash::MakeChan<int>();
  o->left = leash::MakeChan<int>();
  o->right = leash::MakeChan<int>();
  o->never.Add(1);
  for (int i = 0; i < 37; ++i) leash::go(Receive, o->values);        // spawns: Receive
  for (int i = 0; i < 5; ++i) leash::go(Send, o->results);           // spawns: Send
  for (int i = 0; i < 4; ++i) leash::go(Choose, o->left, o->right);  // spawns: Choose
  for (int i = 0; i < 2; ++i) leash::go(Nap, absl::Hours(1));        // spawns: Nap
  leash::GoWith({.name = "holder of it"}, Hold, &o->mu, &o->never);  // spawns: Hold
  leash::testing::WaitUntilBlockedCount(1, "sync.WaitGroup.Wait");
  for (int i = 0; i < 3; ++i) leash::go(Lock, &o->mu);  // spawns: Lock
  leash::go(Lose, Chan<int>());                         // spawns: Lose
}

}  // namespace stuck

namespace leash::debug {
namespace {

using leash::testing::CountedText;
using leash::testing::FullText;
using leash::testing::ReadCountedText;
using leash::testing::ReadFullText;
using leash::testing::ReadTestFile;
using leash::testing::WaitUntilBlockedCount;
using leash::testing::WaitUntilSnapshot;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

struct Kind {
  std::string function, parameters, status;
  size_t count;
  std::string labels = "";
};
const std::vector<Kind>& Kinds() {
  static const auto* const kinds = new std::vector<Kind>{
      {"Receive", "leash::Chan<int>", "chan receive", 37},
      {"Send", "leash::Chan<int>", "chan send", 5},
      {"Choose", "leash::Chan<int>, leash::Chan<int>", "select", 4},
      {"Lock", "leash::Mutex*", "sync.Mutex.Lock", 3},
      {"Nap", "absl::Duration", "sleep", 2},
      {"Lose", "leash::Chan<int>", "chan send (nil chan)", 1},
      {"Hold", "leash::Mutex*, leash::WaitGroup*", "sync.WaitGroup.Wait", 1,
       R"("name":"holder of it")"},
  };
  return *kinds;
}
constexpr int kPlanted = 37 + 5 + 4 + 3 + 2 + 1 + 1;

// "serve_test.cc:40": the line of this file that ends with this comment.
std::string PlaceOf(const std::string& comment, int lines_below = 0) {
  static const auto* const source = new std::string(ReadTestFile(__FILE__));
  const size_t at = source->find("// " + comment + "\n");
  EXPECT_NE(at, source->npos) << comment;
  const auto line = std::count(source->begin(), source->begin() + static_cast<long>(at), '\n') + 1;
  return "serve_test.cc:" + std::to_string(line + lines_below);
}

// As a dump shows the frame of one of this kind.
std::string FrameOf(const Kind& kind) {
  return "stuck::" + kind.function + "(" + kind.parameters + ") at " +
         PlaceOf("waits: " + kind.function);
}

Server MustServe(std::string_view address) {
  absl::StatusOr<Server> server = Serve(address);
  EXPECT_TRUE(server.ok()) << server.status();
  return *std::move(server);
}

class GoroutineProfileTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    static bool planted = false;
    if (std::exchange(planted, true)) return;
    stuck::Plant();
    for (const Kind& kind : Kinds()) {
      WaitUntilSnapshot(
          [&](const Snapshot& s) {
            const std::set<uint64_t> ids = stuck::IdsIn(kind.function);
            return ids.size() == kind.count &&
                   std::count_if(s.goroutines.begin(), s.goroutines.end(), [&](const Goroutine& g) {
                     return ids.contains(g.id) && s.StatusWord(g) == kind.status;
                   }) == static_cast<long>(kind.count);
          },
          "stuck::" + kind.function + " [" + kind.status + "]");
    }
  }

  GoroutineProfileTest()
      : server_(MustServe("127.0.0.1:0")), client_("http://" + server_.Address()) {
    client_.set_read_timeout(60);
    // Who has said that it is done in a test before may still be on its way out.
    while (NumGoroutine() != kPlanted) std::this_thread::yield();
  }

  httplib::Response Get(const std::string& path) {
    const httplib::Result result = client_.Get(path);
    EXPECT_TRUE(result) << path << ": " << httplib::to_string(result.error());
    return result ? *result : httplib::Response();
  }

  // The text of /debug/pprof/goroutine?debug=N.
  std::string Text(int debug) {
    const httplib::Response r = Get("/debug/pprof/goroutine?debug=" + std::to_string(debug));
    EXPECT_EQ(r.status, 200);
    EXPECT_EQ(r.get_header_value("Content-Type"), "text/plain; charset=utf-8");
    EXPECT_EQ(r.get_header_value("X-Content-Type-Options"), "nosniff");
    EXPECT_FALSE(r.has_header("Content-Disposition"));
    return r.body;
  }

  // The profile.proto at this path.
  std::string Proto(const std::string& path, const std::string& name = "goroutine") {
    const httplib::Response r = Get(path);
    EXPECT_EQ(r.status, 200);
    EXPECT_EQ(r.get_header_value("Content-Type"), "application/octet-stream");
    EXPECT_EQ(r.get_header_value("Content-Disposition"), "attachment; filename=\"" + name + "\"");
    EXPECT_EQ(r.get_header_value("X-Content-Type-Options"), "nosniff");
    EXPECT_THAT(r.body, StartsWith("\x1f\x8b"));
    return r.body;
  }

  Server server_;
  httplib::Client client_;
};

TEST_F(GoroutineProfileTest, CountedTextHasAGroupForEachStack) {
  const std::string text = Text(1);
  const CountedText read = ReadCountedText(text);
  EXPECT_THAT(read.errors, IsEmpty()) << text;
  // The test's own thread beside them, and none of the server's.
  EXPECT_EQ(read.total, kPlanted + 1) << text;
  EXPECT_THAT(text,
              StartsWith("goroutine profile: total " + std::to_string(kPlanted + 1) + "\n37 @ 0x"));
  for (const Kind& kind : Kinds()) {
    int groups = 0;
    for (const CountedText::Group& group : read.groups) {
      if (!::testing::Value(group.frames, Contains(FrameOf(kind)))) continue;
      ++groups;
      EXPECT_EQ(group.count, kind.count) << text;
      EXPECT_EQ(group.labels, kind.labels);
      EXPECT_EQ(group.frames.back(), FrameOf(kind)) << "the runtime's frames are hidden";
    }
    EXPECT_EQ(groups, 1) << FrameOf(kind) << "\n" << text;
  }
}

TEST_F(GoroutineProfileTest, FullTextSaysWhereEachWaitsAndWhoStartedIt) {
  const uint64_t self = GoroutineId();
  const std::string text = Text(2);
  const FullText read = ReadFullText(text);
  EXPECT_THAT(read.errors, IsEmpty()) << text;
  EXPECT_EQ(read.records.size(), kPlanted + 1) << text;
  for (const Kind& kind : Kinds()) {
    const std::set<uint64_t> ids = stuck::IdsIn(kind.function);
    EXPECT_EQ(ids.size(), kind.count);
    for (const uint64_t id : ids) {
      const FullText::Record* record = read.Find(id);
      ASSERT_NE(record, nullptr) << id << "\n" << text;
      EXPECT_EQ(record->status, kind.status);
      EXPECT_EQ(record->labels, kind.labels.empty() ? "" : R"(name: "holder of it")");
      EXPECT_THAT(record->facts, IsEmpty());
      ASSERT_FALSE(record->frames.empty()) << text;
      EXPECT_EQ(record->frames.back(), FrameOf(kind)) << "the runtime's frames are hidden";
      EXPECT_EQ(record->created_by, "stuck::Plant in goroutine " + std::to_string(self) + " at " +
                                        PlaceOf("spawns: " + kind.function));
    }
  }
  const FullText::Record* thread = read.Find(self);
  ASSERT_NE(thread, nullptr) << text;
  EXPECT_THAT(thread->annotations, EndsWith("locked to thread"));
  EXPECT_EQ(thread->created_by, "");
}

TEST_F(GoroutineProfileTest, FullTextIsReadBack) {
  const absl::StatusOr<Snapshot> s = ReadSnapshot(Text(2), "live");
  ASSERT_TRUE(s.ok()) << s.status();
  EXPECT_THAT(s->notes, IsEmpty());
  std::map<std::string, std::set<uint64_t>> ids;
  for (const Goroutine& g : s->goroutines) {
    if (g.id == GoroutineId()) continue;
    EXPECT_EQ(g.state, GoroutineState::kWaiting) << g.id;
    EXPECT_EQ(g.parent_id, GoroutineId());
    EXPECT_EQ(s->String(s->sites[g.created_at].function), "stuck::Plant");
    EXPECT_THAT(s->String(s->sites[g.created_at].file), EndsWith("/serve_test.cc"));
    ids[std::string(s->StatusWord(g))].insert(g.id);
  }
  EXPECT_EQ(s->goroutines.size(), kPlanted + 1);
  std::map<std::string, std::set<uint64_t>> planted;
  for (const Kind& kind : Kinds()) planted[kind.status].merge(stuck::IdsIn(kind.function));
  EXPECT_EQ(ids, planted);
}

TEST_F(GoroutineProfileTest, Text3SaysWhatEachWaitsFor) {
  const std::string text = Text(3);
  const FullText read = ReadFullText(text);
  EXPECT_THAT(read.errors, IsEmpty()) << text;
  EXPECT_EQ(read.records.size(), kPlanted + 1) << text;
  const std::string holder = std::to_string(*stuck::IdsIn("Hold").begin());
  const std::map<std::string, std::vector<std::string>> kWaits = {
      {"Receive",
       {" recv chan 0x", " element \"int\" name \"values\" cap 0 len 0 ",
        PlaceOf("made: values").replace(13, 1, "\":")}},
      {"Send", {" send chan 0x", " element \"int\" cap 0 len 0 "}},
      {"Lock", {" on mutex 0x", " holder " + holder + " alive"}},
      {"Hold", {" on waitgroup 0x", " counter 1"}},
  };
  for (const Kind& kind : Kinds()) {
    for (const uint64_t id : stuck::IdsIn(kind.function)) {
      const FullText::Record* record = read.Find(id);
      ASSERT_NE(record, nullptr) << text;
      EXPECT_EQ(record->status, kind.status);
      EXPECT_EQ(record->frames.back(), FrameOf(kind));
      ASSERT_FALSE(record->facts.empty()) << text;
      EXPECT_TRUE(std::regex_match(
          record->facts[0], std::regex("# goroutine, waiting [0-9]+([.][0-9]+)?s, parent " +
                                       std::to_string(GoroutineId()) + ", stack [0-9]+ bytes")))
          << record->facts[0];
      const auto waits = kWaits.find(kind.function);
      if (waits == kWaits.end()) continue;
      ASSERT_EQ(record->facts.size(), 2U) << text;
      EXPECT_THAT(record->facts[1], StartsWith("# waits:"));
      for (const std::string& words : waits->second)
        EXPECT_THAT(record->facts[1], HasSubstr(words));
    }
  }
  const FullText::Record* choose = read.Find(*stuck::IdsIn("Choose").begin());
  EXPECT_THAT(choose->facts,
              ElementsAre(StartsWith("# goroutine, "), StartsWith("# waits: recv chan 0x"),
                          StartsWith("# waits: send chan 0x")));
}

TEST_F(GoroutineProfileTest, Text3IsReadBack) {
  const absl::StatusOr<Snapshot> s = ReadSnapshot(Text(3), "live");
  ASSERT_TRUE(s.ok()) << s.status();
  EXPECT_EQ(s->origin, "leash");
  EXPECT_THAT(s->notes, IsEmpty());
  EXPECT_EQ(s->goroutines.size(), kPlanted + 1);
  for (const Goroutine& g : s->goroutines) {
    if (!stuck::IdsIn("Receive").contains(g.id)) continue;
    ASSERT_EQ(g.waits.size(), 1U);
    EXPECT_EQ(g.waits[0].op, Wait::Op::kRecv);
    EXPECT_EQ(s->String(s->objects[g.waits[0].object].name), "values");
    EXPECT_GE(g.wait_ns, 0);
  }
}

// How many goroutines are at each place of stuck::.
std::map<std::string, size_t> CountByFunction(const Snapshot& s) {
  std::map<std::string, size_t> counts;
  for (const Goroutine& g : s.goroutines) {
    for (const LocationId id : s.stacks[g.stack].locations) {
      for (const Frame& frame : s.locations[id].frames) {
        const std::string_view name = s.String(frame.function);
        if (name.starts_with("stuck::")) {
          ++counts[std::string(name) + " at " +
                   std::string(s.String(frame.file).substr(s.String(frame.file).rfind('/') + 1)) +
                   ":" + std::to_string(frame.line)];
        }
      }
    }
  }
  return counts;
}

TEST_F(GoroutineProfileTest, ProtoCountsTheSame) {
  // 0 is what it is without the parameter, as with Go.
  for (const char* path : {"/debug/pprof/goroutine?debug=0", "/debug/pprof/goroutine"}) {
    const absl::StatusOr<Snapshot> s = ReadSnapshot(Proto(path), "live");
    ASSERT_TRUE(s.ok()) << s.status();
    EXPECT_EQ(s->goroutines.size(), kPlanted + 1);
    std::map<std::string, size_t> counts = CountByFunction(*s);
    EXPECT_EQ(counts.size(), Kinds().size());
    for (const Kind& kind : Kinds()) EXPECT_EQ(counts[FrameOf(kind)], kind.count) << FrameOf(kind);
  }
}

TEST_F(GoroutineProfileTest, ProtoIsOpenedByGoWithoutWarning) {
  if (std::system("go version >/dev/null 2>&1") != 0) GTEST_SKIP() << "go is not installed";
  const std::string path =
      ::testing::TempDir() + "/leash_serve_" + std::to_string(getpid()) + ".pb.gz";
  std::ofstream(path, std::ios::binary) << Proto("/debug/pprof/goroutine?debug=0");
  const auto r = leash::testing::RunProgram({"go", "tool", "pprof", "-top", path});
  std::remove(path.c_str());
  EXPECT_EQ(r.status, 0);
  EXPECT_EQ(r.err, "");
  EXPECT_THAT(r.out, HasSubstr("\nType: goroutine\n"));
  EXPECT_THAT(r.out, HasSubstr(" of " + std::to_string(kPlanted + 1) + " total\n"));
  for (const Kind& kind : Kinds()) {
    // Columns: flat flat% sum% cum cum% name.
    const std::string name = "stuck::" + kind.function + "(" + kind.parameters + ")";
    const size_t end = r.out.find("%  " + name + "\n");
    ASSERT_NE(end, r.out.npos) << name << "\n" << r.out;
    const std::string line = r.out.substr(r.out.rfind('\n', end) + 1, end - r.out.rfind('\n', end));
    EXPECT_TRUE(
        std::regex_match(line, std::regex(".*% +" + std::to_string(kind.count) + " +[0-9.]+%")))
        << line;
  }
}

TEST_F(GoroutineProfileTest, EveryGoroutineOfManyIsSent) {
  constexpr int kMany = 4500;  // more than are captured at a time
  Chan<int> ch = MakeChan<int>();
  for (int i = 0; i < kMany; ++i) leash::go(stuck::Receive, ch);
  WaitUntilBlockedCount(37 + kMany, "chan receive");
  const CountedText counted = ReadCountedText(Text(1));
  EXPECT_THAT(counted.errors, IsEmpty());
  EXPECT_EQ(counted.total, kPlanted + 1 + kMany);
  EXPECT_EQ(counted.groups[0].count, 37 + kMany);
  const FullText full = ReadFullText(Text(2));
  EXPECT_THAT(full.errors, IsEmpty());
  EXPECT_EQ(full.records.size(), kPlanted + 1 + kMany);
  ch.Close();
}

TEST_F(GoroutineProfileTest, LeakProfileHoldsTheProvedOnly) {
  const Kind& lose = *std::find_if(Kinds().begin(), Kinds().end(),
                                   [](const Kind& kind) { return kind.function == "Lose"; });
  const std::string path = "/debug/pprof/goroutineleak?debug=";
  const std::string counted_text = Get(path + "1").body;
  EXPECT_THAT(counted_text, StartsWith("goroutineleak profile: total 1\n1 @ 0x"));
  const CountedText counted = ReadCountedText(counted_text);
  EXPECT_THAT(counted.errors, IsEmpty()) << counted_text;
  ASSERT_EQ(counted.groups.size(), 1U) << counted_text;
  EXPECT_EQ(counted.groups[0].frames.back(), FrameOf(lose));
  for (const int debug : {2, 3}) {
    const std::string text = Get(path + std::to_string(debug)).body;
    const FullText full = ReadFullText(text);
    EXPECT_THAT(full.errors, IsEmpty()) << text;
    ASSERT_EQ(full.records.size(), 1U) << text;
    EXPECT_EQ(full.records[0].id, *stuck::IdsIn("Lose").begin());
    EXPECT_EQ(full.records[0].status, "chan send (nil chan) (leaked)");
    EXPECT_EQ(full.records[0].frames.back(), FrameOf(lose));
    if (debug < 3) continue;
    EXPECT_THAT(full.records[0].facts, Contains("# leak: proved: \"the channel is nil\""));
  }
  const absl::StatusOr<Snapshot> s = ReadSnapshot(Proto(path + "0", "goroutineleak"), "live");
  ASSERT_TRUE(s.ok()) << s.status();
  EXPECT_EQ(s->goroutines.size(), 1U);
}

TEST_F(GoroutineProfileTest, IndexLinksToWhatIsThere) {
  const httplib::Response r = Get("/debug/pprof/");
  EXPECT_EQ(r.status, 200);
  EXPECT_EQ(r.get_header_value("Content-Type"), "text/html; charset=utf-8");
  EXPECT_THAT(r.body, HasSubstr("<td class=\"n\">" + std::to_string(kPlanted) +
                                "</td><td><a href=\"goroutine?debug=1\">goroutine</a></td>"));
  const std::regex link("href=\"([^\"]*)\"");
  std::vector<std::string> links;
  for (std::sregex_iterator it(r.body.begin(), r.body.end(), link), end; it != end; ++it) {
    std::string to = (*it)[1];
    if (to.starts_with("https://") || to.starts_with("trace?")) continue;
    if (!to.starts_with("/")) to.insert(0, "/debug/pprof/");
    EXPECT_EQ(Get(to).status, 200) << to;
    links.push_back(to);
  }
  for (const char* to : {"/debug/pprof/goroutine?debug=0", "/debug/pprof/goroutine?debug=2",
                         "/debug/pprof/goroutine?debug=3", "/debug/pprof/goroutineleak?debug=1"}) {
    EXPECT_THAT(links, Contains(to));
  }
  const httplib::Response without_slash = Get("/debug/pprof");
  EXPECT_EQ(without_slash.status, 302);
  EXPECT_EQ(without_slash.get_header_value("Location"), "/debug/pprof/");
}

TEST_F(GoroutineProfileTest, WantsADebugFrom0To3) {
  for (const char* profile : {"goroutine", "goroutineleak"}) {
    for (const char* debug : {"x", "", "-1", "4", "02", "2x", "1.0"}) {
      const httplib::Response r = Get(std::string("/debug/pprof/") + profile + "?debug=" + debug);
      EXPECT_EQ(r.status, 400) << debug;
      EXPECT_EQ(r.get_header_value("Content-Type"), "text/plain; charset=utf-8");
      EXPECT_EQ(r.body, "debug: want 0, 1, 2 or 3\n");
    }
  }
}

TEST_F(GoroutineProfileTest, WhatIsNotThereIs404) {
  for (const char* path : {"/", "/debug", "/debug/pprof/heap", "/debug/pprof/goroutine/",
                           "/debug/pprof/goroutines", "/debug/leash/nothing"}) {
    const auto answer = Get(path);
    EXPECT_EQ(answer.status, 404) << path;
    EXPECT_EQ(answer.body, "404 page not found\n") << path;
  }
}

TEST_F(GoroutineProfileTest, IsAnsweredWhileEveryPComputes) {
  const int procs = GOMAXPROCS(0);
  std::atomic<bool> stop{false};
  std::atomic<int> running{0};
  WaitGroup wg;
  for (int i = 0; i < procs; ++i) {
    wg.Go([&] { stuck::Compute(&running, &stop); });  // spawns: Compute
  }
  while (running.load() < procs) std::this_thread::yield();
  const std::set<uint64_t> ids = stuck::IdsIn("Compute");
  const auto of_compute = Contains(
      AllOf(StartsWith("stuck::Compute(std::atomic<int>*, const std::atomic<bool>*) at "),
            ::testing::AnyOf(EndsWith(PlaceOf("computes")), EndsWith(PlaceOf("computes", 1)))));
  // Each is interrupted for its stack. A processor with much to do may not come to its thread in
  // time: then the answer says that it has no stack, and is asked for again.
  FullText full;
  std::string text;
  const absl::Time deadline = absl::Now() + absl::Minutes(1);
  const auto missing = [&] {
    return std::count_if(full.records.begin(), full.records.end(), [&](const auto& record) {
      return ids.contains(record.id) && record.stack_unavailable;
    });
  };
  do {
    text = Text(2);
    full = ReadFullText(text);
  } while (missing() > 0 && absl::Now() < deadline);
  int64_t counted = 0;
  do {
    counted = 0;
    for (const CountedText::Group& group : ReadCountedText(Text(1)).groups) {
      if (::testing::Value(group.frames, of_compute)) counted += group.count;
    }
  } while (counted < procs && absl::Now() < deadline);
  stop.store(true);
  wg.Wait();
  EXPECT_THAT(full.errors, IsEmpty()) << text;
  EXPECT_EQ(full.records.size(), static_cast<size_t>(kPlanted + 1 + procs)) << text;
  EXPECT_EQ(counted, procs);
  int found = 0;
  for (const FullText::Record& record : full.records) {
    if (record.status != "running" || record.annotations == "locked to thread") continue;
    EXPECT_TRUE(ids.contains(record.id)) << text;
    EXPECT_THAT(record.frames, of_compute) << text;
    EXPECT_THAT(record.created_by, EndsWith(" at " + PlaceOf("spawns: Compute")));
    ++found;
  }
  EXPECT_EQ(found, procs) << text;
}

}  // namespace
}  // namespace leash::debug
