// Find() and LEASH_VERIFY_NONE: a check where the program asks for one.

#include <exception>

#include "gtest/gtest.h"
#include "leash/verify.h"
#include "verify/check.h"
#include "verify/option.h"
#include "verify/test_names.h"

namespace leash::verify::internal {
namespace {

// What goroutines of no test are called in a check by the caller.
std::string_view UntaggedName() {
  const bool in_tests = testing::UnitTest::GetInstance()->current_test_suite() != nullptr;
  return in_tests ? kOutsideOfTests : "this program";
}

}  // namespace

absl::Status FindImpl(std::vector<Option> options) {
  TellGoroutinesTheirTests();
  const OptionSet set(options);
  const std::vector<LeakReport> reports = Check(ScopeOfCaller(), set, UntaggedName());
  set.WarnAboutStale();
  set.CallCleanups(reports.empty() ? 0 : 1);
  if (reports.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(JoinReports(reports));
}

Scope::Scope(std::vector<Option> options, const char* file, int line)
    : options_(std::move(options)),
      file_(file),
      line_(line),
      exceptions_(std::uncaught_exceptions()) {
  TellGoroutinesTheirTests();
}

// noexcept(false): a failure throws under --gtest_throw_on_failure.
Scope::~Scope() noexcept(false) {
  if (InDeathTest()) return;
  const OptionSet set(options_);
  // An exception that leaves the test is a failure that GoogleTest does not know yet.
  const bool unwinding = std::uncaught_exceptions() > exceptions_;
  const bool failed = unwinding || testing::Test::HasFailure();
  if (failed && !set.run_on_failure()) {
    set.CallCleanups(1);
    return;
  }
  const InScope in_scope = ScopeOfCaller();
  const std::vector<LeakReport> reports = Check(
      [&](uint64_t id, std::string_view test) { return in_scope(id, test) && !WasReported(id); },
      set, UntaggedName());
  RememberReported(reports);
  set.WarnAboutStale();
  set.CallCleanups(failed || !reports.empty() ? 1 : 0);
  if (reports.empty()) return;
  // Throwing while an exception is on its way would end the program.
  if (unwinding) {
    try {
      ADD_FAILURE_AT(file_, line_) << JoinReports(reports);
    } catch (...) {
    }
    return;
  }
  ADD_FAILURE_AT(file_, line_) << JoinReports(reports);
}

}  // namespace leash::verify::internal
