// Group: errgroup over a WaitGroup, a Once for the first error, and a Semaphore for the limit.

#include <atomic>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "leash/context.h"
#include "leash/go.h"
#include "leash/sync.h"

namespace leash {
namespace internal {

class GroupState {
 public:
  explicit GroupState(const Context& parent) {
    std::pair<Context, CancelCauseFunc> made = WithCancelCause(parent);
    context_ = std::move(made.first);
    cancel_ = std::move(made.second);
  }

  const Context& context() const { return context_; }

  void SetLimit(int n) {
    if (const int active = active_.load(std::memory_order_relaxed); active != 0) {
      Panic("errgroup: modify limit while " + std::to_string(active) +
            " goroutines in the group are still active");
    }
    limit_ = n < 0 ? nullptr : std::make_unique<Semaphore>(n);
  }

  void Enter() {
    if (limit_ != nullptr) limit_->Acquire(Context::Background()).IgnoreError();  // cannot fail
    Count();
  }

  bool TryEnter() {
    if (limit_ != nullptr && !limit_->TryAcquire()) return false;
    Count();
    return true;
  }

  void Leave() {
    active_.fetch_sub(1, std::memory_order_relaxed);
    if (limit_ != nullptr) limit_->Release();
    functions_.Done();  // the last access: Wait may return and the group be destroyed
  }

  void Report(absl::Status status) {
    if (status.ok()) return;
    first_error_.Do([&] {
      error_ = std::move(status);
      cancel_(error_);
    });
  }

  absl::Status Wait() {
    functions_.Wait();
    cancel_(error_);  // gives back what the parent keeps for the context
    return error_;
  }

 private:
  void Count() {
    active_.fetch_add(1, std::memory_order_relaxed);
    functions_.Add(1);
  }

  Context context_;
  CancelCauseFunc cancel_;
  WaitGroup functions_;
  std::unique_ptr<Semaphore> limit_;  // changes only while nothing is active
  std::atomic<int> active_{0};        // only for SetLimit's check
  Once first_error_;
  absl::Status error_;  // written inside first_error_, read once functions_ has been waited for
};

void GroupEnter(GroupState* group) { group->Enter(); }
bool GroupTryEnter(GroupState* group) { return group->TryEnter(); }
void GroupCounter::Leave() { group->Leave(); }
void GroupCounter::Report(absl::Status status) { group->Report(std::move(status)); }

}  // namespace internal

Group::Group() : Group(Context::Background()) {}
Group::Group(const Context& parent) : state_(new internal::GroupState(parent)) {}

Group::~Group() {
  state_->Wait().IgnoreError();  // whoever wants the error has called Wait
  delete state_;
}

Context Group::context() const { return state_->context(); }
void Group::SetLimit(int n) { state_->SetLimit(n); }
absl::Status Group::Wait() { return state_->Wait(); }

}  // namespace leash
