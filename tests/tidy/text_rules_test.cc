// The tree keeps the rules about texts, and each rule finds what breaks it.

#include "tidy/text_rules.h"

#include <gtest/gtest.h>

#include <iostream>

namespace leash::tidy {
namespace {

// The checks' tests are inputs: what stands in them is what users write.
bool IsInput(const SourceFile& file) {
  return StartsWith(file.path, "tests/clang-plugin/") && !EndsWith(file.path, "_test.cc");
}

std::vector<SourceFile> OurSources() {
  std::vector<SourceFile> files = ReadTree({".h", ".cc", ".cpp"});
  std::erase_if(files, IsInput);
  return files;
}

std::vector<SourceFile> AllTexts() {
  return ReadTree({".h", ".cc", ".cpp", ".S", ".sh", ".md", ".txt", ".cmake", ".in", ".json",
                   ".yml", "run", ".py", ".go"});
}

TEST(TextRulesTest, EveryHeaderHasItsGuard) {
  std::vector<SourceFile> files = OurSources();
  // LLVM's own way with guards holds in clang-plugin.
  std::erase_if(files, [](const SourceFile& f) { return StartsWith(f.path, "clang-plugin/"); });
  EXPECT_EQ(Join(GuardFindings(files)), "");
}

TEST(TextRulesTest, EverySourceSaysWhatItIsAbout) {
  EXPECT_EQ(Join(SubjectFindings(OurSources())), "");
}

TEST(TextRulesTest, NothingIsLeftUnfinished) { EXPECT_EQ(Join(OpenEndFindings(AllTexts())), ""); }

TEST(TextRulesTest, NoPathOfOneMachine) { EXPECT_EQ(Join(MachinePathFindings(AllTexts())), ""); }

TEST(TextRulesTest, NothingOfOneThreadIsAskedForInCodeThatParks) {
  EXPECT_EQ(Join(OfOneThreadFindings(OurSources())), "");
}

// Length is a question, not a fault: the list is printed for whoever reads the log, and only what
// is far past it fails.
TEST(TextRulesTest, NoFileIsFarTooLong) {
  const std::vector<SourceFile> files = OurSources();
  const Findings long_files = LongFileFindings(files, 600);
  if (!long_files.empty()) std::cout << "is there a second subject?\n" << Join(long_files);
  EXPECT_EQ(Join(LongFileFindings(files, 1000)), "");
}

TEST(TextRulesTest, GuardFollowsThePath) {
  EXPECT_EQ(GuardOf("runtime/include/leash/chan.h"), "LEASH_CHAN_H_");
  EXPECT_EQ(GuardOf("runtime/include/leash/internal/sync_words.h"), "LEASH_INTERNAL_SYNC_WORDS_H_");
  EXPECT_EQ(GuardOf("runtime/src/base/lock.h"), "LEASH_BASE_LOCK_H_");
  EXPECT_EQ(GuardOf("analyzer/include/leash/analyzer/group.h"), "LEASH_ANALYZER_GROUP_H_");
  EXPECT_EQ(GuardOf("analyzer/src/read/token.h"), "LEASH_ANALYZER_READ_TOKEN_H_");
  EXPECT_EQ(GuardOf("integration/verify/suspects.h"), "LEASH_INTEGRATION_VERIFY_SUSPECTS_H_");
  EXPECT_EQ(GuardOf("tests/support/golden.h"), "LEASH_TESTS_SUPPORT_GOLDEN_H_");
}

TEST(TextRulesTest, WrongGuardIsFound) {
  const std::string wrong =
      "// A.\n\n#ifndef LEASH_B_H_\n#define LEASH_B_H_\n#endif  // LEASH_B_H_\n";
  EXPECT_EQ(Join(GuardFindings({{"runtime/include/leash/a.h", wrong}})),
            "runtime/include/leash/a.h: want the guard LEASH_A_H_ at both ends\n");
  EXPECT_EQ(Join(GuardFindings({{"runtime/include/leash/b.h", wrong}})), "");
}

TEST(TextRulesTest, MissingSubjectIsFound) {
  EXPECT_EQ(Join(SubjectFindings({{"a.cc", "#include <vector>\n"},
                                  {"b.cc", "// About b.\n"},
                                  {"base/c.cc", "#include \"base/c.h\"\n"},
                                  {"tests/c_test.cc", "#include \"base/c.h\"\n"}})),
            "a.cc:1: want a comment that says what the file is about\n");
}

TEST(TextRulesTest, OpenEndIsFoundAndGosContextTodoIsNone) {
  const std::string word =
      "TO"
      "DO";
  EXPECT_EQ(Join(OpenEndFindings({{"a.cc", "// " + word + ": later\nContext::" + word + "();\n"}})),
            "a.cc:1: unfinished: " + word + "\n");
}

TEST(TextRulesTest, MachinePathIsFound) {
  EXPECT_EQ(Join(MachinePathFindings({{"a.md",
                                       "in /ho"
                                       "me/me/leash\n/homepage\n"}})),
            "a.md:1: a path of one machine: /ho"
            "me/m\n");
}

TEST(TextRulesTest, WhatIsOfOneThreadIsFoundInCodeOnly) {
  EXPECT_EQ(Join(OfOneThreadFindings(
                {{"runtime/src/net/a.cc", "// errno\n#include <cerrno>\nint e = errno;\n"},
                 {"runtime/src/net/b.cc", "out << \"errno \" << pthread_self();  // errno\n"},
                 {"runtime/src/sched/raw_syscall.cc", "return -errno;\n"},
                 {"tools/a.cc", "return errno;\n"}})),
            "runtime/src/net/a.cc:3: of one thread: see raw_syscall.h: errno\n"
            "runtime/src/net/b.cc:1: of one thread: see raw_syscall.h: pthread_self\n");
}

TEST(TextRulesTest, LongFileIsFound) {
  EXPECT_EQ(Join(LongFileFindings({{"a.cc", "1\n2\n3\n"}, {"b.cc", "1\n2\n"}}, 2)),
            "a.cc: 3 lines, want at most 2\n");
}

}  // namespace
}  // namespace leash::tidy
