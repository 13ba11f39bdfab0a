// Where the dumps are that the readers must read.

#ifndef LEASH_TESTS_ANALYZER_TEST_DATA_H_
#define LEASH_TESTS_ANALYZER_TEST_DATA_H_

#include <string>

namespace leash::testing {

// The absolute path of a file of tests/analyzer/testdata.
inline std::string TestData(const std::string& name) {
  return std::string(LEASH_SOURCE_DIR) + "/tests/analyzer/testdata/" + name;
}

}  // namespace leash::testing

#endif  // LEASH_TESTS_ANALYZER_TEST_DATA_H_
