// Every static check has its page, its test and its lines in the lists.

#include "tidy/check_files.h"

#include <gtest/gtest.h>

namespace leash::tidy {
namespace {

TEST(CheckFilesTest, EveryCheckIsComplete) {
  EXPECT_EQ(Join(CheckFindings(ReadTree({".h", ".cpp", ".md"}))), "");
}

TEST(CheckFilesTest, NameFollowsTheType) {
  EXPECT_EQ(CheckNameOf("clang-plugin/checks/AddInsideGoroutineCheck.h"), "add-inside-goroutine");
  EXPECT_EQ(CheckNameOf("clang-plugin/Vocabulary.h"), "");
}

TEST(CheckFilesTest, WhatIsMissingIsFound) {
  EXPECT_EQ(
      Join(CheckFindings({
          {"clang-plugin/checks/BCheck.h", ""},
          {"clang-plugin/checks/BCheck.cpp", ""},
          {"tests/clang-plugin/b.cpp", ""},
          {"clang-plugin/LeashTidyModule.cpp", "Register<B>(\"leash-b\");\nR<A>(\"leash-a\");\n"},
          {"docs/checks/index.md", "- [a](a.md)\n"},
      })),
      "clang-plugin/checks/BCheck.h: want docs/checks/b.md\n"
      "clang-plugin/LeashTidyModule.cpp: the checks are not in alphabetical order\n"
      "docs/checks/index.md: want a line for b\n");
}

}  // namespace
}  // namespace leash::tidy
