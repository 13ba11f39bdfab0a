// Which test is which: what a goroutine's ancestry is called, and what a check in a test is about.
//
//   a test                        "CacheTest.Evict"
//   SetUpTestSuite and its kin    "CacheTest (suite)"
//   a testing::Environment        "global test environment"
//   the rest                      "", shown as "code outside of tests"

#ifndef LEASH_INTEGRATION_VERIFY_TEST_NAMES_H_
#define LEASH_INTEGRATION_VERIFY_TEST_NAMES_H_

#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"
#include "verify/check.h"

namespace leash::verify::internal {

inline constexpr std::string_view kOutsideOfTests = "code outside of tests";

std::string TestName(const testing::TestInfo& test);
std::string SuiteName(const testing::TestSuite& suite);

// Makes the binary's goroutines know their tests. Done when the program starts, in every binary
// that this file is linked into; a call is what links it.
void TellGoroutinesTheirTests();

// What a check by the caller is about. In a test: what it spawned, and what no test did. In a
// suite's set-up or tear-down: the same of the suite and its tests. Elsewhere everything.
InScope ScopeOfCaller();

// Goroutines that have been reported as some test's failure: no second test fails for them.
bool WasReported(uint64_t id);
void RememberReported(const std::vector<LeakReport>& reports);

// Whether this process is the child of a death test, whose goroutines nobody wants to know.
bool InDeathTest();

}  // namespace leash::verify::internal

#endif  // LEASH_INTEGRATION_VERIFY_TEST_NAMES_H_
