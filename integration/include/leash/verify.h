// verify: no goroutine left behind.
//
// A whole test binary, each failure naming the test that spawned what is left:
//
//     int main(int argc, char** argv) { return leash::verify::TestMain(argc, argv); }
//
// one test:
//
//     TEST(CacheTest, Evict) {
//       LEASH_VERIFY_NONE();
//       ...
//     }
//
// or every test of a binary without a change to it: link leash::verify_main in place of
// GTest::gtest_main.
//
// What is found is reported in groups of equal goroutines, biggest first:
//
//     leash: CacheTest.Evict leaked 3 goroutines in 1 group
//
//     3 goroutines [chan send] proved: no receiver is alive
//         Cache::Evict(Key)                       cache.cc:88
//         created by Cache::Start at cache.cc:41 in goroutine 1
//         waits for Chan<Key> "evictions" (cap 0) made at cache.cc:30; its last receiver went at
//         cache.cc:95 goroutines 12, 13, 14; waiting 3s
//     see: leash explain "chan send"
//
// One that nothing alive can ever wake is "proved" and reported at once. Any other gets time to end
// (MaxWait) and is then "still there", or "runaway" if it has run or been runnable all along.
// Threads and goroutines of GoBackground are never reported, nor is the caller.
//
// Each goroutine belongs to the test that began its ancestry, for its whole life. What
// SetUpTestSuite began belongs to "CacheTest (suite)", what an Environment began to "global test
// environment", and what ran before all of these to "code outside of tests".

#ifndef LEASH_VERIFY_H_
#define LEASH_VERIFY_H_

#include <concepts>
#include <functional>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace leash::verify {

namespace internal {
struct OptionRep;
}  // namespace internal

// Option
//
// What a check leaves alone, and how it is made. Made by the functions below; copies share one
// object, usable from any thread. Patterns are globs ('*' any text, '?' any character) over what
// reports show, and must match all of it. A pattern that matched no goroutine in the whole of a
// check that was made is stale: a line on standard error says so, since it may hide the next leak.
// Patterns of functions on a stack are judged only if no goroutine ran whenever the check looked.
class [[nodiscard]] Option {
 public:
  explicit Option(std::shared_ptr<internal::OptionRep> rep) : rep_(std::move(rep)) {}
  const std::shared_ptr<internal::OptionRep>& rep() const { return rep_; }

 private:
  std::shared_ptr<internal::OptionRep> rep_;
};

// IgnoreTopFunction(), IgnoreAnyFunction()
//
// Goroutines whose innermost function, or any function on the stack, matches: as shown, with
// parameters or without. The one that created it is not on its stack.
[[nodiscard]] Option IgnoreTopFunction(std::string_view glob);
[[nodiscard]] Option IgnoreAnyFunction(std::string_view glob);

// IgnoreCreatedBy()
//
// Goroutines created by a matching function, or at a matching place: "Cache::Start", "cache.cc:41",
// "cache.cc". The calls that led there count too, as far as they were recorded (8 of them).
[[nodiscard]] Option IgnoreCreatedBy(std::string_view glob);

// IgnoreModule()
//
// Goroutines with a function of a matching program or library on their stacks, or that were created
// there: "libfoo.so.2", "libfoo*".
[[nodiscard]] Option IgnoreModule(std::string_view glob);

// IgnoreLabel()
//
// Goroutines with a label whose key and value match. A goroutine's name is its label "name".
[[nodiscard]] Option IgnoreLabel(std::string_view key, std::string_view value);

// IgnoreCurrent()
//
// Goroutines that exist at this call. Never stale.
[[nodiscard]] Option IgnoreCurrent();

// MaxWait()
//
// How long a check waits for goroutines that are not proved stuck while none of them makes
// progress; ten times that in all. One second unless given; zero looks once. Time for which the
// machine let this process's threads wait for a processor does not count as quiet. The last one
// given holds.
[[nodiscard]] Option MaxWait(absl::Duration duration);

// Cleanup()
//
// Of TestMain: `fn` is called with the exit status when everything is done, then TestMain returns
// it. Elsewhere it is called after the check, with 0, or 1 for a leak.
[[nodiscard]] Option Cleanup(std::function<void(int)> fn);

// RunOnFailure()
//
// Of TestMain and LEASH_VERIFY_NONE: verifies after a failure too. The status stays what it is.
[[nodiscard]] Option RunOnFailure();

namespace internal {

absl::Status FindImpl(std::vector<Option> options);
int TestMainImpl(int argc, char** argv, std::vector<Option> options);

// Verifies when it goes out of scope.
class [[nodiscard]] Scope {
 public:
  template <std::same_as<Option>... Options>
  Scope(const char* file, int line, Options... options)
      : Scope(std::vector<Option>{std::move(options)...}, file, line) {}
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;
  ~Scope() noexcept(false);

 private:
  Scope(std::vector<Option> options, const char* file, int line);

  std::vector<Option> options_;
  const char* file_;
  int line_;
  int exceptions_;
};

}  // namespace internal

// Find()
//
// Looks for goroutines that should have ended, and waits for those that might still. Inside of a
// test: those of this test, and those of no test; those of other tests are theirs. Elsewhere: all.
// Blocks as MaxWait() says; returns as soon as nothing is left, or all that is left is proved
// stuck. Returns kFailedPrecondition with the report as its message when something is left. Prints
// warnings about stale options, else nothing.
//
//     absl::Status left = leash::verify::Find(leash::verify::IgnoreTopFunction("Poller::Run"));
template <std::same_as<Option>... Options>
absl::Status Find(Options... options) {
  return internal::FindImpl({std::move(options)...});
}

// TestMain()
//
// InitGoogleTest, RUN_ALL_TESTS, then Find over everything, with one report for each test that left
// something. Returns RUN_ALL_TESTS()'s status; 0 becomes 1 on a leak. The reports go to standard
// error, and as a failure that belongs to no test into GoogleTest's XML or JSON. After a failure
// nothing is verified without RunOnFailure(). With --gtest_repeat it verifies when GoogleTest tears
// the environments down (after the last iteration unless it recreates them), and reports a
// goroutine once. Children of death tests and --gtest_list_tests verify nothing.
template <std::same_as<Option>... Options>
int TestMain(int argc, char** argv, Options... options) {
  return internal::TestMainImpl(argc, argv, {std::move(options)...});
}

}  // namespace leash::verify

#define LEASH_VERIFY_CONCAT_INNER_(a, b) a##b
#define LEASH_VERIFY_CONCAT_(a, b) LEASH_VERIFY_CONCAT_INNER_(a, b)

// LEASH_VERIFY_NONE()
//
// In a test's body, first: when the scope ends, a non-fatal failure here with the report if Find()
// with these options finds something that no check has reported before. After a failure of the test
// nothing is verified without RunOnFailure().
//
//     LEASH_VERIFY_NONE(leash::verify::IgnoreCurrent(), leash::verify::MaxWait(absl::Seconds(5)));
#define LEASH_VERIFY_NONE(...)                                                               \
  const ::leash::verify::internal::Scope LEASH_VERIFY_CONCAT_(leash_verify_none_, __LINE__)( \
      __FILE__, __LINE__ __VA_OPT__(, ) __VA_ARGS__)

#endif  // LEASH_VERIFY_H_
