// Goldens: expected outputs that sit beside their inputs in tests/analyzer/testdata.

#ifndef LEASH_TESTS_ANALYZER_GOLDEN_H_
#define LEASH_TESTS_ANALYZER_GOLDEN_H_

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

namespace leash::testing {

inline std::string TestData(const std::string& name) {
  return std::string(LEASH_SOURCE_DIR) + "/tests/analyzer/testdata/" + name;
}

inline std::string ReadWholeFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in.good()) << "cannot open " << path;
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

// Compares with the golden, or rewrites it when LEASH_UPDATE_GOLDENS=1.
inline void ExpectGolden(const std::string& name, const std::string& text) {
  const char* update = std::getenv("LEASH_UPDATE_GOLDENS");
  if (update != nullptr && std::string(update) == "1") {
    std::ofstream(TestData(name), std::ios::binary) << text;
    return;
  }
  EXPECT_EQ(ReadWholeFile(TestData(name)), text)
      << name << " differs; LEASH_UPDATE_GOLDENS=1 rewrites it";
}

}  // namespace leash::testing

#endif  // LEASH_TESTS_ANALYZER_GOLDEN_H_
