// The arrows of the tree hold, and an include against them is found.

#include "tidy/layering.h"

#include <gtest/gtest.h>

namespace leash::tidy {
namespace {

TEST(LayeringTest, TreeFollowsTheArrows) {
  EXPECT_EQ(Join(LayeringFindings(ReadTree({".h", ".cc", ".cpp"}))), "");
}

TEST(LayeringTest, LayerToTheLeftMayNotIncludeOneToTheRight) {
  EXPECT_EQ(
      Join(LayeringFindings({
          {"runtime/src/sched/park.cc", "#include \"base/lock.h\"\n#include \"chan/chan.h\"\n"},
          {"runtime/src/chan/chan.h", "#include \"sched/park.h\"\n"},
          {"runtime/src/sched/park.h", ""},
          {"runtime/src/base/lock.h", ""},
      })),
      "runtime/src/sched/park.cc:2: runtime/sched includes runtime/chan (not public): "
      "runtime/src/chan/chan.h\n");
}

TEST(LayeringTest, PublicHeaderOfALayerToTheRightIsSeenToo) {
  EXPECT_EQ(Join(LayeringFindings({
                {"runtime/src/chan/chan.cc", "#include <leash/sync.h>\n#include <leash/chan.h>\n"},
                {"runtime/include/leash/sync.h", ""},
                {"runtime/include/leash/chan.h", ""},
            })),
            "runtime/src/chan/chan.cc:1: runtime/chan includes runtime: "
            "runtime/include/leash/sync.h\n");
}

TEST(LayeringTest, ModelKnowsNoScheduler) {
  EXPECT_EQ(Join(LayeringFindings({
                {"runtime/src/model/writer.cc",
                 "#include \"leash/snapshot.h\"\n#include \"base/check.h\"\n"},
                {"runtime/include/leash/snapshot.h", ""},
                {"runtime/src/base/check.h", ""},
            })),
            "runtime/src/model/writer.cc:2: model includes runtime/base (not public): "
            "runtime/src/base/check.h\n");
}

TEST(LayeringTest, AnalyzerAndToolsKnowNoScheduler) {
  EXPECT_EQ(Join(LayeringFindings({
                {"analyzer/src/read/reader.cc",
                 "#include \"leash/snapshot.h\"\n#include \"leash/go.h\"\n"},
                {"tools/dump.cc", "#include \"leash/go.h\"\n#include \"leash/analyzer/read.h\"\n"},
                {"runtime/include/leash/snapshot.h", ""},
                {"runtime/include/leash/go.h", ""},
                {"analyzer/include/leash/analyzer/read.h", ""},
            })),
            "analyzer/src/read/reader.cc:2: analyzer includes runtime: runtime/include/leash/go.h\n"
            "tools/dump.cc:1: tools includes runtime: runtime/include/leash/go.h\n");
}

TEST(LayeringTest, ClangPluginIncludesNothingOfLeash) {
  EXPECT_EQ(Join(LayeringFindings({
                {"clang-plugin/checks/A.cpp", "#include \"A.h\"\n#include \"leash/go.h\"\n"},
                {"clang-plugin/checks/A.h", ""},
                {"runtime/include/leash/go.h", ""},
            })),
            "clang-plugin/checks/A.cpp:2: clang-plugin includes runtime: "
            "runtime/include/leash/go.h\n");
}

TEST(LayeringTest, PublicHeaderIncludesPublicOnesOnly) {
  EXPECT_EQ(Join(LayeringFindings({
                {"runtime/include/leash/go.h", "#include \"sched/g.h\"\n"},
                {"runtime/src/sched/g.h", ""},
            })),
            "runtime/include/leash/go.h:1: runtime includes runtime/sched (not public): "
            "runtime/src/sched/g.h\n");
}

TEST(LayeringTest, HeaderThatDoesNotExistIsFound) {
  EXPECT_EQ(Join(LayeringFindings({{"tools/dump.cc", "#include <leash/absent.h>\n"}})),
            "tools/dump.cc:1: includes leash/absent.h, which does not exist\n");
}

}  // namespace
}  // namespace leash::tidy
