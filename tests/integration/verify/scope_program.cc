// LEASH_VERIFY_NONE in a program with GoogleTest's own main(), for the tests to run.

#include <stdexcept>

#include "gtest/gtest.h"
#include "integration/verify/leaks.h"
#include "leash/chan.h"
#include "leash/go.h"
#include "leash/verify.h"
#include "support/wait_until_blocked.h"

namespace {

using leash::verify::IgnoreAnyFunction;
using leash::verify::IgnoreCurrent;
using leash::verify::IgnoreTopFunction;
using leash::verify::MaxWait;
using leash::verify::RunOnFailure;

TEST(ScopeTest, Clean) {
  LEASH_VERIFY_NONE();
  leash::go(leaks::EndSoon);
}

TEST(ScopeTest, Leaks) {
  LEASH_VERIFY_NONE();
  leash::go(leaks::ReceiveFromNil);
}

TEST(ScopeTest, DoesNotAnswerForTheTestBefore) { LEASH_VERIFY_NONE(); }

TEST(ScopeTest, InnerScope) {
  {
    LEASH_VERIFY_NONE(MaxWait(absl::Milliseconds(10)));
    leash::go(leaks::Sleep);
    leash::testing::WaitUntilBlockedCount(1, "sleep");  // for the report's text
  }
  SUCCEED();
}

TEST(ScopeTest, FailsAndLeaks) {
  LEASH_VERIFY_NONE();
  leash::go(leaks::ReceiveFromNil);
  ADD_FAILURE() << "the test's own failure";
}

TEST(ScopeTest, RunOnFailure) {
  LEASH_VERIFY_NONE(RunOnFailure());
  leash::go(leaks::ReceiveFromNil);
  ADD_FAILURE() << "the test's own failure";
}

TEST(ScopeTest, Throws) {
  LEASH_VERIFY_NONE();
  leash::go(leaks::ReceiveFromNil);
  throw std::runtime_error("the test's own exception");
}

TEST(ScopeTest, Current) {
  leash::go(leaks::ReceiveFromNil);
  LEASH_VERIFY_NONE(IgnoreCurrent());
}

TEST(ScopeTest, Stale) {
  LEASH_VERIFY_NONE(IgnoreTopFunction("Nobody"), IgnoreAnyFunction("leaks::ReceiveFromNil"));
  leash::go(leaks::ReceiveFromNil);
  // While one runs, it is not known what is stale.
  leash::testing::WaitUntilBlockedCount(1, "chan receive (nil chan)");
}

}  // namespace
