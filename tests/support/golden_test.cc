// The golden helper fails where it must, and says how to rewrite.

#include "support/golden.h"

#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>

namespace leash::testing {
namespace {

std::string GoldenFile(std::string_view name, std::string_view text) {
  const std::string path =
      ::testing::TempDir() + std::to_string(getpid()) + "_" + std::string(name);
  std::ofstream(path) << text;
  return path;
}

TEST(GoldenTest, EqualTextPasses) {
  ExpectGolden(GoldenFile("equal.golden", "one\ntwo\n"), "one\ntwo\n");
}

TEST(GoldenTest, DifferentTextFailsWithTheLineThatDiffers) {
  const std::string path = GoldenFile("different.golden", "one\ntwo\n");
  EXPECT_NONFATAL_FAILURE(ExpectGolden(path, "one\nthree\n"), "-two\\n\n+three\\n");
}

TEST(GoldenTest, MissingFileFailsAndSaysHowToWriteIt) {
  EXPECT_NONFATAL_FAILURE(ExpectGolden("tests/support/none.golden", "one\n"),
                          "no golden tests/support/none.golden; LEASH_UPDATE_GOLDENS=1 writes it");
}

TEST(GoldenTest, UpdateRewritesTheFile) {
  const std::string path = GoldenFile("update.golden", "old\n");
  setenv("LEASH_UPDATE_GOLDENS", "1", 1);
  ExpectGolden(path, "new\n");
  unsetenv("LEASH_UPDATE_GOLDENS");
  EXPECT_EQ(ReadTestFile(path), "new\n");
}

TEST(GoldenTest, ScrubGivesOneSpellingToWhatDiffers) {
  EXPECT_EQ(Scrub("goroutine 18 at 0x7f01, goroutine 7 at 0x3", "0x[0-9a-f]+", "0xADDR"),
            "goroutine 18 at 0xADDR, goroutine 7 at 0xADDR");
}

}  // namespace
}  // namespace leash::testing
