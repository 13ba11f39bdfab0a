// Groups and reports of hand-made snapshots, whole texts compared.

#include "leash/analyzer/render.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analyzer/snapshot_builder.h"
#include "leash/analyzer/leak.h"

namespace leash {
namespace {

using testing::SendOn;
using testing::SnapshotBuilder;

// The report that the style of the house shows.
SnapshotBuilder LeakyCache(int goroutines) {
  SnapshotBuilder b;
  const ObjectId c = b.Chan({static_cast<uint64_t>(goroutines), 0}, {0, 0});
  WaitObject& o = b.s.objects[c];
  o.element = b.s.AddString("Key");
  o.name = b.s.AddString("evictions");
  o.made_at = b.Site("Cache::Cache()", "/src/cache.cc", 30);
  o.last_recv_dropped_at = b.Site("Cache::Stop()", "/src/cache.cc", 95);
  const StackId stack =
      b.Stack({{"leash::rt::Park()", "park.cc", 10}, {"Cache::Evict(Key)", "/src/cache.cc", 88}});
  const SiteId site = b.Site("Cache::Start(int)", "/src/cache.cc", 41);
  for (int i = 0; i < goroutines; ++i) {
    Goroutine& g = b.Waiting(12 + static_cast<uint64_t>(i), "chan send", {SendOn(c)}, {c});
    g.parent_id = 1;
    g.stack = stack;
    g.created_at = site;
    g.wait_ns = 3'000'000'000;
  }
  return b;
}

TEST(RenderTest, ReportOfALeakIsTheContract) {
  SnapshotBuilder b = LeakyCache(3);
  ASSERT_EQ(ProveLeaks(b.s), 3u);
  const std::vector<Group> groups = GroupGoroutines(b.s, GroupBy::kExact);
  EXPECT_EQ(LeakHeadline("CacheTest.Evict", groups) + "\n\n" + RenderReport(b.s, groups),
            R"(leash: CacheTest.Evict leaked 3 goroutines in 1 group

3 goroutines [chan send] proved: no receiver is alive
    Cache::Evict(Key)                       cache.cc:88
    created by Cache::Start at cache.cc:41 in goroutine 1
    waits for Chan<Key> "evictions" (cap 0) made at cache.cc:30; its last receiver went at cache.cc:95
    goroutines 12, 13, 14; waiting 3s
see: leash explain "chan send"
)");
}

TEST(RenderTest, OneIsSingularAndManyIdsAreCounted) {
  SnapshotBuilder one = LeakyCache(1);
  const std::string text = RenderReport(one.s, GroupGoroutines(one.s, GroupBy::kExact));
  EXPECT_THAT(text, ::testing::StartsWith("1 goroutine [chan send]\n"));
  EXPECT_THAT(text, ::testing::HasSubstr("    goroutine 12; waiting 3s\n"));
  SnapshotBuilder many = LeakyCache(100);
  EXPECT_THAT(RenderReport(many.s, GroupGoroutines(many.s, GroupBy::kExact)),
              ::testing::HasSubstr("    goroutines 12, 13, 14 and 97 more; waiting 3s\n"));
}

TEST(RenderTest, EveryFactHasItsLine) {
  SnapshotBuilder b;
  WaitObject mutex;
  mutex.kind = ObjectKind::kMutex;
  mutex.holder = 12;
  mutex.made_at = b.Site("", "/src/store.cc", 9);
  const ObjectId m = b.s.AddObject(mutex);
  const LabelSetId labels = b.s.AddLabelSet({{b.s.AddString("tenant"), b.s.AddString("acme")}});
  for (uint64_t id : {20, 21, 22}) {
    Goroutine& g = b.Waiting(id, "sync.Mutex.Lock", {{m, Wait::Op::kOther}});
    g.wait_ns = static_cast<int64_t>(id - 19) * 1'500'000'000;
    g.parent_id = id == 20 ? 2 : 3;
    g.labels = labels;
    g.test = b.s.AddString("StoreTest.Update");
    g.background = b.s.AddString("flusher");
    g.created_at = b.Site("Main()", "main.cc", 5);
    g.stack = b.Stack({{"A::VeryLongFunctionNameThatTakesMoreThanTheColumnHas(int, long, char)",
                        "/src/long.cc", 1234},
                       {"B()", "/src/b.cc", 2},
                       {"", "", 0, 0x1234}});
    g.tier = LeakTier::kStillThere;
  }
  EXPECT_EQ(RenderReport(b.s, GroupGoroutines(b.s, GroupBy::kExact)),
            R"(3 goroutines [sync.Mutex.Lock] still there
    A::VeryLongFunctionNameThatTakesMoreThanTheColumnHas(int, long, char)  long.cc:1234
    B()                                                                    b.cc:2
    0x1234
    created by Main at main.cc:5 in goroutines 2, 3
    began in test StoreTest.Update
    background: flusher
    waits for Mutex made at store.cc:9; held by goroutine 12, which has ended
    labels tenant=acme
    goroutines 20, 21, 22; waiting 1.5s to 4.5s, median 3s
see: leash explain "sync.Mutex.Lock"
)");
}

TEST(RenderTest, RunawayAndThread) {
  SnapshotBuilder b;
  Goroutine& g = b.Running(4);
  g.tier = LeakTier::kRunaway;
  g.wait_ns = 1'200'000'000;
  b.Thread(1);
  EXPECT_EQ(RenderReport(b.s, GroupGoroutines(b.s, GroupBy::kExact)),
            R"(1 goroutine [running] runaway
    goroutine 4; so for 1.2s

1 goroutine [sync.WaitGroup.Wait]
    goroutine 1 (a thread)
see: leash explain "running"
)");
}

TEST(RenderTest, DifferentChannelsOfOneKindAreOneLine) {
  SnapshotBuilder b;
  for (uint64_t id : {5, 6}) {
    const ObjectId c = b.Chan({1, 1}, {1, 1});
    b.Waiting(id, "select", {SendOn(c), {0, Wait::Op::kRecv}});
  }
  EXPECT_EQ(RenderReport(b.s, GroupGoroutines(b.s, GroupBy::kExact)),
            R"(2 goroutines [select]
    waits for Chan<int> (cap 0) (2 of them)
    waits for a nil channel
    goroutines 5, 6
see: leash explain "select"
)");
}

TEST(RenderTest, ChannelsWhoseOtherSideWentAtOnePlaceAreOneLine) {
  SnapshotBuilder b;
  for (uint64_t id : {5, 6, 7, 8, 9}) {
    const ObjectId c = b.Chan({1, 1}, {0, 0});
    WaitObject& o = b.s.objects[c];
    o.last_recv_dropped_at = b.Site("Fetch()", "/src/fetch.cc", 19);
    o.last_recv_dropped_by = id == 9 ? 5 : id;
    b.Waiting(id, "chan send", {SendOn(c)});
  }
  EXPECT_EQ(RenderReport(b.s, GroupGoroutines(b.s, GroupBy::kExact)),
            R"(5 goroutines [chan send]
    waits for Chan<int> (cap 0) (5 of them); its last receiver went at fetch.cc:19 in goroutines 5, 6, 7 and 1 more
    goroutines 5, 6, 7 and 2 more
see: leash explain "chan send"
)");
}

TEST(RenderTest, TopCountsTheRest) {
  SnapshotBuilder b;
  for (uint64_t id : {1, 2, 3}) b.Waiting(id, id == 3 ? "sleep" : "select");
  RenderOptions options;
  options.groups_max = 1;
  options.see = false;
  EXPECT_EQ(RenderReport(b.s, GroupGoroutines(b.s, GroupBy::kExact), options),
            "2 goroutines [select]\n    goroutines 1, 2\n\nand 1 goroutine in 1 more group\n");
}

TEST(RenderTest, ColorIsEscapesAndNothingElse) {
  SnapshotBuilder b = LeakyCache(2);
  ProveLeaks(b.s);
  const std::vector<Group> groups = GroupGoroutines(b.s, GroupBy::kExact);
  RenderOptions options;
  options.color = true;
  std::string painted = RenderReport(b.s, groups, options);
  EXPECT_NE(painted.find("\x1b[1m2 goroutines\x1b[0m"), painted.npos);
  for (size_t at; (at = painted.find('\x1b')) != painted.npos;) {
    painted.erase(at, painted.find('m', at) - at + 1);
  }
  EXPECT_EQ(painted, RenderReport(b.s, groups));
}

TEST(RenderTest, FoldedHasTheRootFirst) {
  SnapshotBuilder b;
  const StackId stack =
      b.Stack({{"leash::rt::Park()", "", 0}, {"Leaf(A; B)", "", 0}, {"Root()", "", 0}});
  b.Waiting(1, "sleep").stack = stack;
  b.Waiting(2, "select").stack = stack;
  b.Waiting(3, "select").stack = b.Stack({{"Other()", "", 0}});
  b.Running(4);
  EXPECT_EQ(RenderFolded(b.s, {0, 1, 2, 3}), "Root();Leaf(A: B) 2\n??? 1\nOther() 1\n");
}

TEST(RenderTest, WaitTimesHaveTwoUnitsAtMost) {
  constexpr int64_t kS = 1'000'000'000;
  EXPECT_EQ(FormatWait(-1), "unknown");
  EXPECT_EQ(FormatWait(999'999), "0s");
  EXPECT_EQ(FormatWait(250'999'999), "250ms");
  EXPECT_EQ(FormatWait(3 * kS), "3s");
  EXPECT_EQ(FormatWait(3 * kS + 240'000'000), "3.2s");
  EXPECT_EQ(FormatWait(59 * kS + kS - 1), "59s");
  EXPECT_EQ(FormatWait(60 * kS), "1m");
  EXPECT_EQ(FormatWait(123 * kS), "2m3s");
  EXPECT_EQ(FormatWait(5 * 3600 * kS + 720 * kS + 5 * kS), "5h12m");
  EXPECT_EQ(FormatWait(49 * 3600 * kS), "2d1h");
}

class GroupTest : public ::testing::Test {
 protected:
  // Four that differ in line, site and reason, one by one.
  GroupTest() {
    Add(4, "select", 10, 1);
    Add(3, "select", 10, 1);
    Add(2, "select", 11, 1);
    Add(1, "sleep", 10, 2);
  }
  void Add(uint64_t id, std::string_view reason, int line, int site_line) {
    Goroutine& g = b_.Waiting(id, reason);
    g.stack = b_.Stack({{"F()", "f.cc", line}});
    g.created_at = b_.Site("Main()", "main.cc", site_line);
  }
  std::vector<size_t> Sizes(GroupBy by) {
    std::vector<size_t> sizes;
    for (const Group& g : GroupGoroutines(b_.s, by)) sizes.push_back(g.members.size());
    return sizes;
  }
  SnapshotBuilder b_;
};

TEST_F(GroupTest, KeysAreWhatTheirNamesSay) {
  using ::testing::ElementsAre;
  EXPECT_THAT(Sizes(GroupBy::kExact), ElementsAre(2, 1, 1));
  EXPECT_THAT(Sizes(GroupBy::kSimilar), ElementsAre(3, 1));
  EXPECT_THAT(Sizes(GroupBy::kSite), ElementsAre(3, 1));
  EXPECT_THAT(Sizes(GroupBy::kReason), ElementsAre(3, 1));
}

TEST_F(GroupTest, MembersComeById) {
  const std::vector<Group> groups = GroupGoroutines(b_.s, GroupBy::kExact);
  EXPECT_THAT(groups[0].members, ::testing::ElementsAre(1, 0));
}

TEST_F(GroupTest, WhatMembersDoNotShareIsNotShown) {
  const std::vector<Group> groups = GroupGoroutines(b_.s, GroupBy::kSite);
  EXPECT_EQ(RenderGroup(b_.s, groups[0]),
            "3 goroutines [select]\n    with several stacks\n    created by Main at main.cc:1\n"
            "    goroutines 2, 3, 4\n");
}

TEST_F(GroupTest, AddressesAndHiddenFramesDoNotSplit) {
  SnapshotBuilder b;
  b.Waiting(1, "select").stack = b.Stack({{"F()", "f.cc", 1, 0x10, 4}});
  b.Waiting(2, "select").stack =
      b.Stack({{"leash::rt::Park()", "p.cc", 7}, {"F()", "f.cc", 1, 0x20, 5}});
  EXPECT_EQ(GroupGoroutines(b.s, GroupBy::kExact).size(), 1u);
}

TEST_F(GroupTest, CopyKeepsWhatItRefersTo) {
  const Snapshot copy = CopyGoroutines(b_.s, {2, 3});
  EXPECT_EQ(RenderReport(copy, GroupGoroutines(copy, GroupBy::kExact)),
            RenderReport(b_.s, GroupGoroutines(b_.s, GroupBy::kExact, {2, 3})));
  EXPECT_LT(copy.locations.size(), b_.s.locations.size());
}

}  // namespace
}  // namespace leash
