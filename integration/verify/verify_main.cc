// leash::verify_main: a main() in which every test is verified as it ends.

#include <set>
#include <string>

#include "gtest/gtest.h"
#include "verify/check.h"
#include "verify/option.h"
#include "verify/test_names.h"

namespace leash::verify::internal {
namespace {

// Fails each test for what it left behind, each suite for what its set-up did, and the binary for
// the rest. What failed otherwise is not verified: its goroutines are excused.
class VerifyEveryTest : public testing::EmptyTestEventListener {
 public:
  void OnTestEnd(const testing::TestInfo& test) override {
    const std::string name = TestName(test);
    if (test.result()->Failed()) {
      excused_.insert(name);
      return;
    }
    for (const LeakReport& report : CheckOne(name)) {
      excused_.insert(name);
      ADD_FAILURE_AT(test.file(), test.line()) << report.text;
    }
  }

  void OnTestSuiteEnd(const testing::TestSuite& suite) override {
    const std::string name = SuiteName(suite);
    if (suite.ad_hoc_test_result().Failed()) {
      excused_.insert(name);
      return;
    }
    for (const LeakReport& report : CheckOne(name)) {
      // GoogleTest counts a suite's failure and prints it, but leaves it out of XML and JSON.
      testing::Test::RecordProperty("leak", report.headline);
      Fail(report);
    }
  }

  void OnEnvironmentsTearDownEnd(const testing::UnitTest& all) override {
    if (all.ad_hoc_test_result().Failed()) return;
    const InScope in_scope = [&](uint64_t id, std::string_view test) {
      return !excused_.contains(test) && !WasReported(id);
    };
    for (const LeakReport& report : CheckScope(in_scope)) Fail(report);
  }

 private:
  std::vector<LeakReport> CheckOne(const std::string& name) {
    return CheckScope(
        [&](uint64_t id, std::string_view test) { return test == name && !WasReported(id); });
  }

  std::vector<LeakReport> CheckScope(const InScope& in_scope) {
    if (InDeathTest()) return {};
    std::vector<LeakReport> reports = Check(in_scope, OptionSet({}), kOutsideOfTests);
    RememberReported(reports);
    return reports;
  }

  // What belongs to no test is shown where its goroutine was created.
  static void Fail(const LeakReport& report) {
    ADD_FAILURE_AT(report.file.c_str(), report.line) << report.text;
  }

  std::set<std::string, std::less<>> excused_;
};

}  // namespace
}  // namespace leash::verify::internal

int main(int argc, char** argv) {
  using leash::verify::internal::VerifyEveryTest;
  leash::verify::internal::TellGoroutinesTheirTests();
  testing::InitGoogleTest(&argc, argv);
  // The last listener is the first to hear of an end: the printer and the writer of XML, which came
  // before, see the failure.
  testing::UnitTest::GetInstance()->listeners().Append(new VerifyEveryTest);
  return RUN_ALL_TESTS();
}
