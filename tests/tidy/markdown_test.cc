// Pages: their links lead somewhere, their blocks are of a known kind, and become the C++ they
// shall.

#include "tidy/markdown.h"

#include <gtest/gtest.h>

namespace leash::tidy {
namespace {

const char kPage[] =
    "# Title\n"
    "```cpp\n"
    "#include <map>\n"
    "int a;\n"
    "```\n"
    "```cpp run\n"
    "Run();\n"
    "```\n"
    "```cpp program=leak_test.cc\n"
    "TEST(A, B) {}\n"
    "```\n"
    "```text output=leak_test.cc\n"
    "leash: A.B leaked\n"
    "```\n"
    "```cpp fragment\n"
    "...\n"
    "```\n";

TEST(MarkdownTest, LinksAndBlocksOfEveryPageAreInOrder) {
  Findings findings;
  for (const SourceFile& page : ReadTree({".md"})) {
    for (std::string& finding : PageFindings(page)) findings.push_back(std::move(finding));
  }
  EXPECT_EQ(Join(findings), "");
}

TEST(MarkdownTest, EveryPageIsLinked) {
  EXPECT_EQ(Join(UnlinkedPageFindings(ReadTree({".md"}))), "");
}

TEST(MarkdownTest, PageThatNobodyLinksToIsFound) {
  EXPECT_EQ(Join(UnlinkedPageFindings({{"README.md", "[a](docs/guide/a.md#part)"},
                                       {"docs/guide/a.md", "[b](../b.md)"},
                                       {"docs/b.md", ""},
                                       {"docs/c.md", ""}})),
            "docs/c.md: no page links to it\n");
}

TEST(MarkdownTest, FencesHaveTheirLineAndTheirCode) {
  const std::vector<Fence> fences = FencesIn(kPage);
  ASSERT_EQ(fences.size(), 5u);
  EXPECT_EQ(fences[1].line, 7u);
  EXPECT_EQ(fences[1].language, "cpp");
  EXPECT_EQ(fences[1].info, "run");
  EXPECT_EQ(fences[1].code, "Run();\n");
}

TEST(MarkdownTest, ExamplesAreCompiledWhereTheyStand) {
  const std::string code = ExamplesOf({"docs/a.md", kPage});
  EXPECT_NE(
      code.find("#include \"leash/verify.h\"\n#include <map>\nnamespace {\nnamespace docs_a_md {\n"
                "namespace line_3 {\n"
                "#line 3 \"docs/a.md\"\n"
                "\n"
                "int a;\n"
                "}  // namespace line_3\n"
                "namespace line_7 {\n"
                "TEST(docs_a_md, Line7) {\n"
                "#line 7 \"docs/a.md\"\n"
                "Run();\n"
                "}\n"
                "}  // namespace line_7\n"
                "}\n}\n"),
      std::string::npos)
      << code;
}

TEST(MarkdownTest, ProgramAndItsOutputAreFoundByName) {
  EXPECT_EQ(ProgramOf({"a.md", kPage}, "leak_test.cc"), "TEST(A, B) {}\n");
  EXPECT_EQ(OutputOf({"a.md", kPage}, "leak_test.cc"), "leash: A.B leaked\n");
  EXPECT_EQ(ProgramOf({"a.md", kPage}, "other.cc"), "");
}

TEST(MarkdownTest, DeadLinkAndUnknownBlockAreFound) {
  EXPECT_EQ(
      Join(PageFindings(
          {"README.md",
           "[docs](docs/absent.md#part) [web](https://example.com)\n```cpp later\n```\n"})),
      "README.md:1: link to docs/absent.md, which does not exist\n"
      "README.md:2: want cpp, cpp run, cpp program=NAME.cc or cpp fragment, have cpp later\n");
}

}  // namespace
}  // namespace leash::tidy
