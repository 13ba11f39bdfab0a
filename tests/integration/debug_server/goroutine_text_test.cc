// The strict readers take what Go writes, and see what it would not.

#include "integration/debug_server/goroutine_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "support/golden.h"

namespace leash::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(ReadGoroutineTextTest, TakesWhatGoWrites) {
  for (const std::string version : {"go1.19", "go1.26", "go1.27"}) {
    const std::string folder = "tests/analyzer/testdata/" + version;
    const CountedText counted = ReadCountedText(ReadTestFile(folder + "/debug1.txt"));
    EXPECT_THAT(counted.errors, IsEmpty()) << version;
    EXPECT_GT(counted.groups.size(), 10U);
    const FullText full = ReadFullText(ReadTestFile(folder + "/debug2.txt"));
    EXPECT_THAT(full.errors, IsEmpty()) << version;
    EXPECT_EQ(full.records.size(), static_cast<size_t>(counted.total)) << version;
  }
}

TEST(ReadGoroutineTextTest, FindsWhatIsNotAsInCountedText) {
  const auto errors = [](std::string_view text) { return ReadCountedText(text).errors; };
  EXPECT_THAT(errors("goroutine profile: total 3\n2 @ 0x1 0x2\n#\t0x1\tF()+0x1\t\t/f.cc:8\n\n"
                     "1 @ 0x3\n# labels: {\"a\":\"b c\", \"d\":\"e\"}\n#\t0x3\n\n"),
              IsEmpty());
  EXPECT_THAT(errors(""), ElementsAre("line 1: want the total, have the end"));
  EXPECT_THAT(errors("goroutine profile: total 2\n1 @ 0x1\n\n"),
              ElementsAre("line 4: the sum of the groups is 1"));
  EXPECT_THAT(errors("goroutine profile: total 3\n1 @ 0x1\n\n2 @ 0x2\n\n"),
              ElementsAre("line 5: a group that is larger than the one before"));
  EXPECT_THAT(errors("goroutine profile: total 1\n1 @ 0x1\n"),
              ElementsAre("line 3: want an empty line behind a group, have the end"));
  EXPECT_THAT(errors("goroutine profile: total 1\n1 @ 0x1\n# 0x1\n\n"),
              ElementsAre("line 3: want an empty line behind a group, have # 0x1",
                          "line 3: want a group, have # 0x1", "line 4: want a group, have "));
}

TEST(ReadGoroutineTextTest, FindsWhatIsNotAsInFullText) {
  const auto errors = [](std::string_view text) { return ReadFullText(text).errors; };
  const std::string one = "goroutine 7 [select, 2 minutes]:\nF(int)\n\t/f.cc:8 +0x1\n";
  EXPECT_THAT(errors(one + "created by G in goroutine 1\n\t/f.cc:9\n"), IsEmpty());
  EXPECT_THAT(errors("goroutine 7 [running] {name: \"a b\"}:\n"
                     "\tgoroutine running on other thread; stack unavailable\n"),
              IsEmpty());
  EXPECT_THAT(errors(one + "\n" + one), ElementsAre("line 6: a goroutine twice"));
  EXPECT_THAT(errors(one + "\n\n"), ElementsAre("line 5: want a goroutine, have "));
  EXPECT_THAT(errors("goroutine 7 [select, two minutes]:\n"),
              ElementsAre("line 2: in brackets: two minutes"));
  EXPECT_THAT(errors("goroutine 7 [select]:\nF(int)\n"),
              ElementsAre("line 3: want a place, have the end"));
  EXPECT_THAT(errors("goroutine 7 [select]:\nF(int)\n\t/f.cc:8"),
              ElementsAre("line 1: the last line does not end"));
  EXPECT_THAT(errors("goroutine 7 []:\n"),
              ElementsAre("line 1: want a goroutine, have goroutine 7 []:"));
}

}  // namespace
}  // namespace leash::testing
