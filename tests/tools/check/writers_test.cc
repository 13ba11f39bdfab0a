// Findings as text, annotations and SARIF; each of them once.

#include "check/writers.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "check/finding.h"

namespace leash::tools {
namespace {

Finding FindingAt(const std::string& file, int line, int column) {
  Finding finding;
  finding.check = "leash-add-inside-goroutine";
  finding.message = "'Add' runs inside, 100%";
  finding.place = {file, line, column};
  finding.notes = {{{"/p/src/b.h", 2, 3}, "the goroutine starts here"}};
  finding.fix = {{file, 10, 0, "wg.Add(1);\n"}, {file, 20, 12, ""}};
  return finding;
}

const WriteContext kContext = {"/p/src", "/p", false, true};

TEST(FindingTest, OneForEachPlaceInOrder) {
  const std::vector<Finding> kept =
      Deduplicate({FindingAt("/p/b.h", 7, 1), FindingAt("/p/a.h", 9, 1), FindingAt("/p/b.h", 7, 1),
                   FindingAt("/p/a.h", 3, 1), FindingAt("/p/a.h", 3, 8)});
  ASSERT_EQ(kept.size(), 4u);
  EXPECT_EQ(kept[0].place.line, 3);
  EXPECT_EQ(kept[1].place.column, 8);
  EXPECT_EQ(kept[2].place.line, 9);
  EXPECT_EQ(kept[3].place.file, "/p/b.h");
}

TEST(TextWriterTest, ReadsAsACompilersOutput) {
  EXPECT_EQ(ToText({FindingAt("/p/src/a.cc", 4, 8), FindingAt("/q/c.cc", 1, 1)}, kContext),
            "a.cc:4:8: warning: 'Add' runs inside, 100% [leash-add-inside-goroutine]\n"
            "b.h:2:3: note: the goroutine starts here\n"
            "/q/c.cc:1:1: warning: 'Add' runs inside, 100% [leash-add-inside-goroutine]\n"
            "b.h:2:3: note: the goroutine starts here\n"
            "see: leash explain leash-add-inside-goroutine\n");
  EXPECT_EQ(ToText({}, kContext), "");
}

TEST(TextWriterTest, ColoursOnlyWhenAskedTo) {
  WriteContext context = kContext;
  context.colour = true;
  EXPECT_NE(ToText({FindingAt("/p/src/a.cc", 4, 8)}, context).find("\033[1;35mwarning: "),
            std::string::npos);
}

TEST(GitHubWriterTest, EscapesWhatEndsACommand) {
  EXPECT_EQ(ToGitHub({FindingAt("/p/src/a,b:c.cc", 4, 8)}, kContext),
            "::warning file=a%2Cb%3Ac.cc,line=4,col=8,title=leash-add-inside-goroutine::"
            "'Add' runs inside, 100%25%0Ab.h:2:3: the goroutine starts here\n");
}

TEST(SarifWriterTest, HasRulesWithHelpPlacesRelatedPlacesAndFixes) {
  const nlohmann::json log =
      nlohmann::json::parse(ToSarif({FindingAt("/p/src/a b.cc", 4, 8)}, kContext));
  EXPECT_EQ(log["version"], "2.1.0");
  ASSERT_EQ(log["runs"].size(), 1u);
  const auto& run = log["runs"][0];
  EXPECT_EQ(run["tool"]["driver"]["name"], "leash");
  EXPECT_EQ(run["columnKind"], "unicodeCodePoints");
  EXPECT_EQ(run["originalUriBaseIds"]["SRCROOT"]["uri"], "file:///p/");
  EXPECT_EQ(run["invocations"][0]["executionSuccessful"], true);

  const auto& rules = run["tool"]["driver"]["rules"];
  ASSERT_EQ(rules.size(), 2u);
  EXPECT_EQ(rules[0]["id"], "leash-add-inside-goroutine");
  EXPECT_EQ(rules[0]["shortDescription"]["text"],
            "Finds a `WaitGroup::Add` that runs inside the goroutine that it counts.");
  EXPECT_NE(rules[0]["help"]["markdown"].get<std::string>().find("## Bad"), std::string::npos);
  EXPECT_EQ(rules[0]["help"]["text"].get<std::string>().find("##"), std::string::npos);
  EXPECT_EQ(rules[1]["id"], "leash-fire-and-forget-spawn");

  ASSERT_EQ(run["results"].size(), 1u);
  const auto& result = run["results"][0];
  EXPECT_EQ(result["ruleId"], "leash-add-inside-goroutine");
  EXPECT_EQ(result["ruleIndex"], 0);
  EXPECT_EQ(result["level"], "warning");
  EXPECT_EQ(result["message"]["text"], "'Add' runs inside, 100%");
  const auto& place = result["locations"][0]["physicalLocation"];
  EXPECT_EQ(place["artifactLocation"]["uri"], "src/a%20b.cc");
  EXPECT_EQ(place["artifactLocation"]["uriBaseId"], "SRCROOT");
  EXPECT_EQ(place["region"]["startLine"], 4);
  EXPECT_EQ(result["relatedLocations"][0]["message"]["text"], "the goroutine starts here");
  EXPECT_EQ(result["partialFingerprints"]["leash/v1"].get<std::string>().size(), 16u);
  const auto& change = result["fixes"][0]["artifactChanges"][0];
  EXPECT_EQ(change["artifactLocation"]["uri"], "src/a%20b.cc");
  ASSERT_EQ(change["replacements"].size(), 2u);
  EXPECT_EQ(change["replacements"][0]["deletedRegion"]["byteOffset"], 10);
  EXPECT_EQ(change["replacements"][0]["insertedContent"]["text"], "wg.Add(1);\n");
  EXPECT_FALSE(change["replacements"][1].contains("insertedContent"));
}

TEST(SarifWriterTest, OfNothingFoundSaysWhatWasLookedFor) {
  WriteContext context = kContext;
  context.complete = false;
  const nlohmann::json log = nlohmann::json::parse(ToSarif({}, context));
  EXPECT_TRUE(log["runs"][0]["results"].is_array());
  EXPECT_TRUE(log["runs"][0]["results"].empty());
  EXPECT_EQ(log["runs"][0]["tool"]["driver"]["rules"].size(), 2u);
  EXPECT_EQ(log["runs"][0]["invocations"][0]["executionSuccessful"], false);
}

}  // namespace
}  // namespace leash::tools
