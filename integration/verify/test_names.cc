#include "verify/test_names.h"

#include <mutex>
#include <unordered_set>

#include "leash/internal/verify_seam.h"

namespace leash::verify::internal {
namespace {

constexpr std::string_view kEnvironment = "global test environment";
constexpr std::string_view kSuiteSuffix = " (suite)";

// GoogleTest runs one test at a time, whatever the number of the program's threads.
class TestNamer : public testing::EmptyTestEventListener {
 public:
  void OnTestProgramStart(const testing::UnitTest&) override {
    leash::internal::RecordSpawnStacks();
  }
  void OnEnvironmentsSetUpStart(const testing::UnitTest&) override { Set(kEnvironment); }
  void OnTestSuiteStart(const testing::TestSuite& suite) override { Set(SuiteName(suite)); }
  void OnTestStart(const testing::TestInfo& test) override { Set(TestName(test)); }
  void OnTestEnd(const testing::TestInfo& test) override {
    Set(std::string(test.test_suite_name()) += kSuiteSuffix);
  }
  void OnTestSuiteEnd(const testing::TestSuite&) override { Set(kEnvironment); }
  void OnTestProgramEnd(const testing::UnitTest&) override {
    leash::internal::SetRunningTest(nullptr);
  }

 private:
  static void Set(std::string_view name) {
    leash::internal::SetRunningTest(leash::internal::InternTestName(name));
  }
};

// Before any listener of the program: start events reach it first, and end events last.
const bool told = [] {
  testing::UnitTest::GetInstance()->listeners().Append(new TestNamer);
  return true;
}();

struct Reported {
  std::mutex mu;
  std::unordered_set<uint64_t> ids;
};
// Never destroyed: checks may be made while the program exits.
Reported& AllReported() {
  static auto* reported = new Reported;
  return *reported;
}

}  // namespace

std::string TestName(const testing::TestInfo& test) {
  return std::string(test.test_suite_name()) + "." + test.name();
}

std::string SuiteName(const testing::TestSuite& suite) {
  return std::string(suite.name()) += kSuiteSuffix;
}

void TellGoroutinesTheirTests() { (void)told; }

InScope ScopeOfCaller() {
  const char* test = leash::internal::TestOfCaller();
  const std::string own = test == nullptr ? "" : test;
  if (own.empty() || own == kEnvironment) {
    return [](uint64_t, std::string_view) { return true; };
  }
  std::string children;
  if (own.ends_with(kSuiteSuffix)) {
    children = own.substr(0, own.size() - kSuiteSuffix.size()) + ".";
  }
  return [own, children](uint64_t, std::string_view name) {
    return name.empty() || name == own || (!children.empty() && name.starts_with(children));
  };
}

bool WasReported(uint64_t id) {
  Reported& reported = AllReported();
  std::lock_guard hold(reported.mu);
  return reported.ids.contains(id);
}

void RememberReported(const std::vector<LeakReport>& reports) {
  Reported& reported = AllReported();
  std::lock_guard hold(reported.mu);
  for (const LeakReport& report : reports)
    reported.ids.insert(report.ids.begin(), report.ids.end());
}

bool InDeathTest() {
#if GTEST_HAS_DEATH_TEST
  return testing::internal::InDeathTestChild();
#else
  return false;
#endif
}

}  // namespace leash::verify::internal
