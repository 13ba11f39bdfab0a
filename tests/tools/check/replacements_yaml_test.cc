// The YAML of clang-tidy --export-fixes.

#include "check/replacements_yaml.h"

#include <gtest/gtest.h>

namespace leash::tools {
namespace {

// As clang-tidy 19 writes it.
constexpr char kYaml[] = R"(---
MainSourceFile:  '/src/a.cc'
Diagnostics:
  - DiagnosticName:  leash-add-inside-goroutine
    DiagnosticMessage:
      Message:         '''Add'' runs inside'
      FilePath:        '/src/a.cc'
      FileOffset:      85
      Replacements:
        - FilePath:        '/src/a.cc'
          Offset:          62
          Length:          0
          ReplacementText: "wg.Add(1);\n  "
        - FilePath:        '/src/a.cc'
          Offset:          78
          Length:          16
          ReplacementText: ''
      Ranges:
        - FilePath:        '/src/a.cc'
          FileOffset:      1
          Length:          2
    Notes:
      - Message:         the goroutine starts here
        FilePath:        'a.h'
        FileOffset:      7
        Replacements:    []
    Level:           Warning
    BuildDirectory:  '/build'
  - DiagnosticName:  clang-diagnostic-error
    DiagnosticMessage:
      Message:         "tab\there \xC3\xA9 \u00E9"
      FilePath:        'b.h'
      FileOffset:      3
      Replacements:    []
    Level:           Error
    BuildDirectory:  '/build'
...
)";

TEST(ReplacementsYamlTest, ReadsMessagesNotesAndFixes) {
  std::vector<YamlDiagnostic> found;
  std::string error;
  ASSERT_TRUE(ParseReplacements(kYaml, &found, &error)) << error;
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].name, "leash-add-inside-goroutine");
  EXPECT_EQ(found[0].message.text, "'Add' runs inside");
  EXPECT_EQ(found[0].message.file, "/src/a.cc");
  EXPECT_EQ(found[0].message.offset_bytes, 85u);
  ASSERT_EQ(found[0].message.fix.size(), 2u);
  EXPECT_EQ(found[0].message.fix[0].offset_bytes, 62u);
  EXPECT_EQ(found[0].message.fix[0].text, "wg.Add(1);\n  ");
  EXPECT_EQ(found[0].message.fix[1].length_bytes, 16u);
  EXPECT_EQ(found[0].message.fix[1].text, "");
  ASSERT_EQ(found[0].notes.size(), 1u);
  EXPECT_EQ(found[0].notes[0].text, "the goroutine starts here");
  EXPECT_EQ(found[0].notes[0].file, "a.h");
  EXPECT_EQ(found[0].build_directory, "/build");
  EXPECT_EQ(found[1].name, "clang-diagnostic-error");
  EXPECT_EQ(found[1].level, "Error");
}

TEST(ReplacementsYamlTest, FoldsLinesInsideQuotesAsYamlDoes) {
  std::vector<YamlDiagnostic> found;
  std::string error;
  ASSERT_TRUE(
      ParseReplacements("Diagnostics:\n"
                        "  - DiagnosticName: x\n"
                        "    DiagnosticMessage:\n"
                        "      Message: 'one\n        two\n\n        three'\n",
                        &found, &error))
      << error;
  EXPECT_EQ(found.at(0).message.text, "one two\nthree");
}

TEST(ReplacementsYamlTest, EscapesBecomeUtf8) {
  std::vector<YamlDiagnostic> found;
  std::string error;
  ASSERT_TRUE(
      ParseReplacements("Diagnostics:\n"
                        "  - DiagnosticName: x\n"
                        "    DiagnosticMessage:\n"
                        "      Message: \"\\u00E9\\t\\\"\\\\\"\n",
                        &found, &error))
      << error;
  EXPECT_EQ(found.at(0).message.text, "\xC3\xA9\t\"\\");
}

TEST(ReplacementsYamlTest, SaysWhereItCannotBeRead) {
  std::vector<YamlDiagnostic> found;
  std::string error;
  EXPECT_FALSE(ParseReplacements("Diagnostics:\n  - DiagnosticName: 'x\n", &found, &error));
  EXPECT_EQ(error, "line 3: want a closing quote");
  EXPECT_FALSE(ParseReplacements("---\nnothing\n", &found, &error));
  EXPECT_EQ(error, "line 2: want a key and a colon");
  found.clear();
  EXPECT_FALSE(ParseReplacements("Message: x\n", &found, &error));
  EXPECT_EQ(error, "line 1: want DiagnosticName, have Message");
}

}  // namespace
}  // namespace leash::tools
