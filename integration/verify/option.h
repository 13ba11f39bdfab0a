// Options of a check: which goroutines it leaves alone, and how long it waits.

#ifndef LEASH_INTEGRATION_VERIFY_OPTION_H_
#define LEASH_INTEGRATION_VERIFY_OPTION_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "leash/snapshot.h"
#include "leash/verify.h"

namespace leash::verify::internal {

struct OptionRep {
  enum class Kind : uint8_t {
    kTopFunction,
    kAnyFunction,
    kCreatedBy,
    kModule,
    kLabel,
    kCurrent,
    kMaxWait,
    kCleanup,
    kRunOnFailure,
  };
  Kind kind;
  std::string glob;           // of kLabel: the value's
  std::string key;            // kLabel
  std::vector<uint64_t> ids;  // kCurrent, sorted
  absl::Duration max_wait;    // kMaxWait
  std::function<void(int)> cleanup;
  std::atomic<bool> matched{false};
};

// The options of one check, sorted out.
class OptionSet {
 public:
  explicit OptionSet(const std::vector<Option>& options);

  absl::Duration max_wait() const { return max_wait_; }
  bool run_on_failure() const { return run_on_failure_; }

  // Whether IgnoreCurrent() knew the goroutine: told without a snapshot.
  bool IgnoresId(uint64_t id) const;
  // Whether some option can be judged only by a snapshot, and by one with stacks.
  bool has_patterns() const { return !patterns_.empty(); }
  bool needs_stacks() const { return needs_stacks_; }
  // Whether some pattern ignores the goroutine. Remembers each one that does.
  bool IgnoresGoroutine(const Snapshot& snapshot, const Goroutine& g) const;

  // Whether every goroutine that a check has seen was seen at rest; of several checks, in each.
  // Where one was not, its stack is of the moment, or none: that a pattern of functions did not
  // match it says nothing.
  void SetSeenAtRest(bool seen_at_rest) const { seen_at_rest_ = seen_at_rest_ && seen_at_rest; }
  // A line on standard error for each pattern that has never matched and had its chance.
  void WarnAboutStale() const;
  void CallCleanups(int status) const;

 private:
  std::vector<std::shared_ptr<OptionRep>> patterns_, cleanups_, currents_;
  absl::Duration max_wait_ = absl::Seconds(1);
  bool run_on_failure_ = false;
  bool needs_stacks_ = false;
  mutable bool seen_at_rest_ = true;
};

}  // namespace leash::verify::internal

#endif  // LEASH_INTEGRATION_VERIFY_OPTION_H_
