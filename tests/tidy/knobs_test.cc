// Every knob is documented, and nothing is documented that is no knob.

#include "tidy/knobs.h"

#include <gtest/gtest.h>

namespace leash::tidy {
namespace {

constexpr std::string_view kPage = "docs/reference/environment.md";

bool IsOfTheProduct(const SourceFile& file) {
  for (std::string_view part : {"runtime/", "analyzer/", "integration/", "tools/", "tests/support/",
                                "tests/bench/", "tests/fuzz/", "tests/explore/"}) {
    if (StartsWith(file.path, part)) return !EndsWith(file.path, "_test.cc");
  }
  return false;
}

TEST(KnobsTest, EveryKnobIsDocumentedAndNoOther) {
  std::vector<SourceFile> files = ReadTree({".h", ".cc", ".cmake", "CMakeLists.txt", ".py"});
  std::erase_if(files, [](const SourceFile& f) { return !IsOfTheProduct(f); });
  Knobs documented;
  for (const SourceFile& page : ReadTree({".md"})) {
    if (page.path == kPage) documented = KnobsDocumentedIn(page);
  }
  EXPECT_EQ(Join(KnobFindings(KnobsIn(files), documented)), "");
}

TEST(KnobsTest, EnvironmentVariablesAreFoundByTheirLiteral) {
  const Knobs knobs = KnobsIn({{"a.cc",
                                "\n  getenv(\"LEASH_A\");  // LEASH_NOT\n"
                                "  Reject(\"LEASH_A key\");\n#if LEASH_RACE\n"}});
  EXPECT_EQ(knobs, (Knobs{{"LEASH_A", "a.cc:2"}}));
}

TEST(KnobsTest, DebugKeysAreFoundWhereLeashDebugIsRead) {
  const Knobs knobs = KnobsIn({{"env.cc", "getenv(\"LEASH_DEBUG\");\nif (key == \"guards\") {\n"},
                               {"other.cc", "if (key == \"name\") {\n"}});
  EXPECT_EQ(knobs, (Knobs{{"LEASH_DEBUG", "env.cc:1"}, {"LEASH_DEBUG=guards", "env.cc:2"}}));
}

TEST(KnobsTest, OptionsOfCMakeAreKnobs) {
  const Knobs knobs =
      KnobsIn({{"x.cmake",
                "option(LEASH_RACE \"Build so\" OFF)\nset(LEASH_S \"\" CACHE STRING \"\")\n"
                "set(leash_targets \"\")\n"}});
  EXPECT_EQ(knobs, (Knobs{{"LEASH_RACE", "x.cmake:1"}, {"LEASH_S", "x.cmake:2"}}));
}

TEST(KnobsTest, BothDirectionsAreFound) {
  const Knobs documented = KnobsDocumentedIn(
      {"env.md", "| `LEASH_GONE` | ... |\n| `LEASH_DEBUG=guards` | ... |\ntext `LEASH_X`\n"});
  EXPECT_EQ(
      Join(KnobFindings({{"LEASH_NEW", "a.cc:7"}, {"LEASH_DEBUG=guards", "a.cc:8"}}, documented)),
      "a.cc:7: LEASH_NEW is not documented\nenv.md:1: LEASH_GONE is read nowhere\n");
}

}  // namespace
}  // namespace leash::tidy
