// TestMain(): one check when all tests have run, its verdict in the exit status, on standard error
// and in the files that GoogleTest writes.

#include <cstdio>
#include <memory>
#include <string>

#include "gtest/gtest.h"
#include "leash/verify.h"
#include "verify/check.h"
#include "verify/option.h"
#include "verify/test_names.h"

namespace leash::verify::internal {
namespace {

// What TestMain() wants to know when the listener is gone.
struct Run {
  explicit Run(const std::vector<Option>& options) : options(options) {}
  const OptionSet options;
  bool verified = false;
};

// Stands in for GoogleTest's printer, and hands everything on to it, but for the failure that a
// leak is recorded as: XML and JSON shall have it, a person reads the report once, below the
// summary.
class Verifier : public testing::TestEventListener {
 public:
  Verifier(std::unique_ptr<testing::TestEventListener> printer, std::shared_ptr<Run> run)
      : printer_(std::move(printer)), run_(std::move(run)) {}

  void OnTestProgramStart(const testing::UnitTest& all) override {
    if (printer_) printer_->OnTestProgramStart(all);
  }
  void OnTestIterationStart(const testing::UnitTest& all, int iteration) override {
    verified_ = false;
    if (printer_) printer_->OnTestIterationStart(all, iteration);
  }
  void OnEnvironmentsSetUpStart(const testing::UnitTest& all) override {
    if (printer_) printer_->OnEnvironmentsSetUpStart(all);
  }
  void OnEnvironmentsSetUpEnd(const testing::UnitTest& all) override {
    if (printer_) printer_->OnEnvironmentsSetUpEnd(all);
  }
  void OnTestSuiteStart(const testing::TestSuite& suite) override {
    if (printer_) printer_->OnTestSuiteStart(suite);
  }
  void OnTestDisabled(const testing::TestInfo& test) override {
    if (printer_) HandOnDisabled(printer_.get(), test);
  }
  void OnTestStart(const testing::TestInfo& test) override {
    if (printer_) printer_->OnTestStart(test);
  }
  void OnTestPartResult(const testing::TestPartResult& result) override {
    if (printer_ && !recording_) printer_->OnTestPartResult(result);
  }
  void OnTestEnd(const testing::TestInfo& test) override {
    if (printer_) printer_->OnTestEnd(test);
  }
  void OnTestSuiteEnd(const testing::TestSuite& suite) override {
    if (printer_) printer_->OnTestSuiteEnd(suite);
  }
#ifndef GTEST_REMOVE_LEGACY_TEST_CASEAPI_
  void OnTestCaseStart(const testing::TestCase& suite) override {
    if (printer_) printer_->OnTestCaseStart(suite);
  }
  void OnTestCaseEnd(const testing::TestCase& suite) override {
    if (printer_) printer_->OnTestCaseEnd(suite);
  }
#endif
  void OnEnvironmentsTearDownStart(const testing::UnitTest& all) override {
    if (printer_) printer_->OnEnvironmentsTearDownStart(all);
  }
  void OnEnvironmentsTearDownEnd(const testing::UnitTest& all) override {
    if (printer_) printer_->OnEnvironmentsTearDownEnd(all);
    Verify(all);
  }
  void OnTestIterationEnd(const testing::UnitTest& all, int iteration) override {
    // Where no test was to run, no environment was either.
    if (!verified_ && all.test_to_run_count() == 0) Verify(all);
    if (printer_) printer_->OnTestIterationEnd(all, iteration);
    Print();
  }
  void OnTestProgramEnd(const testing::UnitTest& all) override {
    if (printer_) printer_->OnTestProgramEnd(all);
  }

 private:
  template <class Printer>
  static void HandOnDisabled(Printer* printer, const testing::TestInfo& test) {
    if constexpr (requires { printer->OnTestDisabled(test); }) printer->OnTestDisabled(test);
  }

  // Whether something else than a leak has failed. Failures that belong to no test stay from one
  // iteration to the next, ours too.
  bool Failed(const testing::UnitTest& all) const {
    if (all.failed_test_count() > 0 || all.failed_test_suite_count() > 0) return true;
    const testing::TestResult& result = all.ad_hoc_test_result();
    int failures = 0;
    for (int i = 0; i < result.total_part_count(); ++i) {
      if (result.GetTestPartResult(i).failed()) ++failures;
    }
    return failures > recorded_;
  }

  void Verify(const testing::UnitTest& all) {
    verified_ = true;
    if (InDeathTest() || (Failed(all) && !run_->options.run_on_failure())) return;
    run_->verified = true;
    const std::vector<LeakReport> reports =
        Check([](uint64_t id, std::string_view) { return !WasReported(id); }, run_->options,
              kOutsideOfTests);
    if (reports.empty()) return;
    RememberReported(reports);
    pending_ = JoinReports(reports);
    // The program may end at the failure.
    if (GTEST_FLAG_GET(break_on_failure)) Print();
    for (const LeakReport& report : reports) Record(report);
  }

  void Record(const LeakReport& report) {
    struct Quiet {
      explicit Quiet(bool* flag) : flag(flag) { *flag = true; }
      ~Quiet() { *flag = false; }
      bool* flag;
    } quiet(&recording_);
    ++recorded_;
    ADD_FAILURE_AT(report.file.c_str(), report.line) << report.text;
  }

  void Print() {
    if (pending_.empty()) return;
    std::fflush(stdout);
    std::fprintf(stderr, "%s\n", pending_.c_str());
    pending_.clear();
  }

  const std::unique_ptr<testing::TestEventListener> printer_;
  const std::shared_ptr<Run> run_;
  bool verified_ = false;
  bool recording_ = false;
  int recorded_ = 0;
  std::string pending_;
};

}  // namespace

int TestMainImpl(int argc, char** argv, std::vector<Option> options) {
  TellGoroutinesTheirTests();
  testing::InitGoogleTest(&argc, argv);
  const auto run = std::make_shared<Run>(options);
  testing::TestEventListeners& listeners = testing::UnitTest::GetInstance()->listeners();
  std::unique_ptr<testing::TestEventListener> printer(
      listeners.Release(listeners.default_result_printer()));
  listeners.Append(new Verifier(std::move(printer), run));
  const int status = RUN_ALL_TESTS();
  if (run->verified) run->options.WarnAboutStale();
  run->options.CallCleanups(status);
  return status;
}

}  // namespace leash::verify::internal
