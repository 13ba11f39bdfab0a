// The filter's grammar, and what each term looks at.

#include "leash/analyzer/filter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analyzer/snapshot_builder.h"

namespace leash {
namespace {

using ::testing::ElementsAre;
using testing::SnapshotBuilder;

std::string Error(std::string_view text) {
  return std::string(Filter::Parse(text).status().message());
}

class FilterTest : public ::testing::Test {
 protected:
  FilterTest() {
    Goroutine& a = b_.Waiting(12, "chan send");
    a.wait_ns = 15'000'000'000;
    a.stack = b_.Stack({{"leash::rt::Park()", "park.cc", 1},
                        {"Cache::Evict(Key, int) const", "/src/cache.cc", 88},
                        {"Cache::Run()", "/src/cache.cc", 12}});
    a.created_at = b_.Site("Cache::Start()", "/src/start.cc", 41);
    a.test = b_.s.AddString("CacheTest.Evict");
    a.labels = b_.s.AddLabelSet({{b_.s.AddString("tenant"), b_.s.AddString("acme corp")}});
    Goroutine& c = b_.Waiting(13, "IO wait");
    c.wait_ns = 500'000'000;
    c.stack = b_.Stack({{"Serve(Conn)", "/src/http/serve.cc", 7}});
    b_.Running(14);
  }

  std::vector<uint64_t> Ids(std::string_view text) {
    absl::StatusOr<Filter> filter = Filter::Parse(text);
    EXPECT_TRUE(filter.ok()) << filter.status();
    std::vector<uint64_t> ids;
    if (!filter.ok()) return ids;
    for (uint32_t i : filter->Select(b_.s)) ids.push_back(b_.s.goroutines[i].id);
    return ids;
  }

  SnapshotBuilder b_;
};

TEST_F(FilterTest, EmptyFilterMatchesAll) {
  EXPECT_THAT(Ids(""), ElementsAre(12, 13, 14));
  EXPECT_THAT(Ids(" ,, "), ElementsAre(12, 13, 14));
}

TEST_F(FilterTest, EachKeyLooksAtItsOwn) {
  EXPECT_THAT(Ids("reason:chan*"), ElementsAre(12));
  EXPECT_THAT(Ids("reason:\"IO wait\""), ElementsAre(13));
  EXPECT_THAT(Ids("reason:running"), ElementsAre(14));
  EXPECT_THAT(Ids("state:waiting"), ElementsAre(12, 13));
  EXPECT_THAT(Ids("func:Cache::Evict"), ElementsAre(12));
  EXPECT_THAT(Ids("func:Cache::Run"), ElementsAre());
  EXPECT_THAT(Ids("any:Cache::Run"), ElementsAre(12));
  EXPECT_THAT(Ids("any:cache.cc:12"), ElementsAre(12));
  EXPECT_THAT(Ids("any:*/http/*"), ElementsAre(13));
  EXPECT_THAT(Ids("created_by:Cache::Start"), ElementsAre(12));
  EXPECT_THAT(Ids("created_by:start.cc:41"), ElementsAre(12));
  EXPECT_THAT(Ids("created_by:start.cc:42"), ElementsAre());
  EXPECT_THAT(Ids("label:tenant"), ElementsAre(12));
  EXPECT_THAT(Ids("label:\"tenant=acme corp\""), ElementsAre(12));
  EXPECT_THAT(Ids("label:tenant=acm"), ElementsAre());
  EXPECT_THAT(Ids("id:13"), ElementsAre(13));
  EXPECT_THAT(Ids("id:13-20"), ElementsAre(13, 14));
  EXPECT_THAT(Ids("test:CacheTest.*"), ElementsAre(12));
  EXPECT_THAT(Ids("kind:goroutine"), ElementsAre(12, 13, 14));
  EXPECT_THAT(Ids("tier:none"), ElementsAre(12, 13, 14));
  EXPECT_THAT(Ids("wait>10s"), ElementsAre(12));
  EXPECT_THAT(Ids("wait>=15s"), ElementsAre(12));
  EXPECT_THAT(Ids("wait>15s"), ElementsAre());
  EXPECT_THAT(Ids("wait<1m"), ElementsAre(12, 13));
  EXPECT_THAT(Ids("wait<=500ms"), ElementsAre(13));
}

TEST_F(FilterTest, TermsMustAllHold) {
  EXPECT_THAT(Ids("state:waiting wait<1s"), ElementsAre(13));
  EXPECT_THAT(Ids("state:waiting,id:14"), ElementsAre());
}

TEST_F(FilterTest, ExclamationMarkTurnsATermAround) {
  EXPECT_THAT(Ids("!reason:chan*"), ElementsAre(13, 14));
  EXPECT_THAT(Ids("!wait>10s !state:running"), ElementsAre(13));
}

TEST_F(FilterTest, CommaBetweenParametersIsTheGlobsOwn) {
  EXPECT_THAT(Ids("func:Cache::Evict(Key,?int)*,id:12"), ElementsAre(12));
}

TEST_F(FilterTest, ErrorsPointAtTheColumn) {
  EXPECT_EQ(Error("id:1 fun:x"),
            "column 6: want one of any, background, created_by, func, id, kind, label, reason, "
            "state, test, tier, wait, have \"fun:x\"");
  EXPECT_EQ(Error("reason"), "column 7: want ':', have the end");
  EXPECT_EQ(Error("reason:"), "column 8: want a glob, have the end");
  EXPECT_EQ(Error("reason:\"chan"), "column 13: want a closing '\"', have the end");
  EXPECT_EQ(Error("id:7x"), "column 4: want an id, or two with a '-' between, have \"7x\"");
  EXPECT_EQ(Error("wait:3s"), "column 5: want '>' or '<', have \":3s\"");
  EXPECT_EQ(Error("!wait>soon,id:1"),
            "column 7: want a duration such as 10s or 1m30s, have \"soon\"");
  EXPECT_EQ(Error("state:stuck"),
            "column 7: want one of runnable, running, syscall, waiting, other, have \"stuck\"");
}

TEST(GlobTest, MatchesTheWholeText) {
  EXPECT_TRUE(GlobMatch("", ""));
  EXPECT_TRUE(GlobMatch("*", ""));
  EXPECT_TRUE(GlobMatch("a*c", "abbbc"));
  EXPECT_TRUE(GlobMatch("a?c", "abc"));
  EXPECT_TRUE(GlobMatch("*ab*ab", "abxxabab"));
  EXPECT_FALSE(GlobMatch("a*c", "abcd"));
  EXPECT_FALSE(GlobMatch("a?c", "ac"));
  EXPECT_FALSE(GlobMatch("", "a"));
  EXPECT_FALSE(GlobMatch("abc", "ab"));
}

TEST(GlobTest, ManyStarsStayFast) {
  const std::string text(20'000, 'a');
  EXPECT_FALSE(GlobMatch("*a*a*a*a*a*a*a*a*a*a*b", text));
}

}  // namespace
}  // namespace leash
