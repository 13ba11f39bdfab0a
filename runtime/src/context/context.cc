// The functions of <leash/context.h>, but for AfterFunc.

#include "leash/context.h"

#include <memory>
#include <utility>

#include "base/race.h"
#include "context/node.h"
#include "time/clock.h"

namespace leash {

using rt::CancelNode;
using rt::CancelNodeRef;
using rt::ContextNode;
using rt::ValueNode;

namespace {

CancelNode* CancellerOf(const ContextNode* node) {
  return node != nullptr ? node->canceller : nullptr;
}

// A child of `parent` that a CancelFunc can end, not linked yet.
CancelNodeRef MakeChild(const Context& parent, std::source_location site) {
  CancelNodeRef node(new CancelNode(ContextNode::Of(parent), site));
  rt::LockHolder hold(node->lock);
  node->sources = CancelNode::kHandle;
  return node;
}

// The two handles of a node; takes over the reference.
std::pair<Context, CancelFunc> HandlesOf(CancelNodeRef node) {
  node->Retain();
  CancelFunc cancel = ContextNode::MakeCancelFunc(node.get());
  return {ContextNode::MakeContext(node.release()), std::move(cancel)};
}

// `left` is the time until `deadline`, which is what counts: the time of day may jump.
std::pair<Context, CancelFunc> WithDeadlineAt(const Context& parent, absl::Time deadline,
                                              absl::Duration left, std::source_location site) {
  const std::optional<absl::Time> of_parent = parent.Deadline();
  if (of_parent.value_or(absl::InfiniteFuture()) <= deadline) return WithCancel(parent, site);
  CancelNodeRef node = MakeChild(parent, site);
  node->deadline = deadline;
  if (left > absl::ZeroDuration()) node->ArmTimer(rt::WhenAfter(left));
  node->LinkToParent();
  if (left <= absl::ZeroDuration()) {
    node->Cancel(CancelNode::Error::kDeadlineExceeded, absl::OkStatus(), /*may_park=*/true);
  }
  return HandlesOf(std::move(node));
}

}  // namespace

Context::Context(const Context& other) noexcept : node_(other.node_) {
  if (node_ != nullptr) node_->Retain();
}

void Context::Unref(ContextNode* node) noexcept { ContextNode::Release(node); }

RecvChan<Unit> Context::Done() const {
  CancelNode* const canceller = CancellerOf(node_);
  return canceller != nullptr ? canceller->Done() : RecvChan<Unit>();
}

absl::Status Context::Err() const {
  const CancelNode* const canceller = CancellerOf(node_);
  return canceller != nullptr ? canceller->Err() : absl::OkStatus();
}

absl::Status Context::Cause() const {
  const CancelNode* const canceller = CancellerOf(node_);
  return canceller != nullptr ? canceller->Cause() : absl::OkStatus();
}

std::optional<absl::Time> Context::Deadline() const {
  const CancelNode* const canceller = CancellerOf(node_);
  if (canceller == nullptr || canceller->deadline == absl::InfiniteFuture()) return std::nullopt;
  return canceller->deadline;
}

const void* Context::FindValue(const void* key) const {
  for (const ContextNode* node = node_; node != nullptr; node = node->parent) {
    if (node->kind != ContextNode::Kind::kValue) continue;
    const auto* const value = static_cast<const ValueNode*>(node);
    if (value->key != key) continue;
    return value->value.get();
  }
  return nullptr;
}

CancelFunc::CancelFunc(const CancelFunc& other) noexcept : node_(other.node_) {
  if (node_ == nullptr) return;
  node_->Retain();
  static_cast<CancelNode*>(node_)->handles.fetch_add(1, std::memory_order_relaxed);
}

CancelFunc::~CancelFunc() {
  if (node_ == nullptr) return;
  auto* const node = static_cast<CancelNode*>(node_);
  // Acquire and release: the last one comes after what was done with the others.
  if (node->handles.fetch_sub(1, std::memory_order_acq_rel) == 1) {
    node->DropSource(CancelNode::kHandle);
  }
  ContextNode::Release(node_);
}

void CancelFunc::operator()() const {
  if (node_ == nullptr) return;
  static_cast<CancelNode*>(node_)->Cancel(CancelNode::Error::kCanceled, absl::OkStatus(),
                                          /*may_park=*/true);
}

void CancelCauseFunc::operator()(absl::Status cause) const {
  if (cancel_.node_ == nullptr) return;
  static_cast<CancelNode*>(cancel_.node_)
      ->Cancel(CancelNode::Error::kCanceled, cause, /*may_park=*/true);
}

std::pair<Context, CancelFunc> WithCancel(const Context& parent, std::source_location site) {
  CancelNodeRef node = MakeChild(parent, site);
  node->LinkToParent();
  return HandlesOf(std::move(node));
}

std::pair<Context, CancelCauseFunc> WithCancelCause(const Context& parent,
                                                    std::source_location site) {
  CancelNodeRef node = MakeChild(parent, site);
  node->LinkToParent();
  node->Retain();
  CancelCauseFunc cancel = ContextNode::MakeCancelCauseFunc(node.get());
  return {ContextNode::MakeContext(node.release()), std::move(cancel)};
}

std::pair<Context, CancelFunc> WithTimeout(const Context& parent, absl::Duration timeout,
                                           std::source_location site) {
  return WithDeadlineAt(parent, rt::WallNow() + timeout, timeout, site);
}

std::pair<Context, CancelFunc> WithDeadline(const Context& parent, absl::Time deadline,
                                            std::source_location site) {
  return WithDeadlineAt(parent, deadline, deadline - rt::WallNow(), site);
}

Context WithoutCancel(const Context& parent) {
  ContextNode* const above = ContextNode::Of(parent);
  if (above == nullptr) return Context();
  return ContextNode::MakeContext(new ContextNode(ContextNode::Kind::kDetached, above));
}

namespace internal {

Context ContextWithValue(const Context& parent, const void* key,
                         std::shared_ptr<const void> value) {
  return ContextNode::MakeContext(new ValueNode(ContextNode::Of(parent), key, std::move(value)));
}

}  // namespace internal
}  // namespace leash
