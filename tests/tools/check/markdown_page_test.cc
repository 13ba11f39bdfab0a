// Pages of docs in a terminal.

#include "check/markdown_page.h"

#include <gtest/gtest.h>

namespace leash::tools {
namespace {

constexpr char kPage[] = R"(# leash-x

Finds an x
that is [wrong](y.md).

## `one thing`

Text.

```cpp
## no heading
f();
```

## two

More.
)";

TEST(MarkdownPageTest, TheFirstParagraphIsTheSummary) {
  EXPECT_EQ(PageSummary(kPage), "Finds an x that is wrong.");
}

TEST(MarkdownPageTest, CodeIsIndentedAndMarksAreGone) {
  EXPECT_EQ(RenderPage(kPage),
            "leash-x\n\nFinds an x\nthat is wrong.\n\none thing\n\nText.\n\n"
            "    ## no heading\n    f();\n\ntwo\n\nMore.\n");
}

TEST(MarkdownPageTest, SectionsAreThoseOfLevelTwo) {
  const std::vector<Section> sections = PageSections(kPage);
  ASSERT_EQ(sections.size(), 2u);
  EXPECT_EQ(sections[0].title, "one thing");
  EXPECT_EQ(sections[1].title, "two");
  EXPECT_EQ(sections[1].body, "\nMore.\n");
}

}  // namespace
}  // namespace leash::tools
