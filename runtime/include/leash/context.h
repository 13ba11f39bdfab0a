// Context: a deadline, a cancellation and values that go from a call to the calls that it makes.
//
//     auto [ctx, cancel] = leash::WithTimeout(parent, absl::Seconds(2));
//     leash::Select(leash::OnRecv(results, [&](std::optional<Result> r) { Use(*r); }),
//                   leash::OnDone(ctx, [&] { LOG(INFO) << ctx.Err(); }));
//     cancel();
//
// A Context made from another is its child: it ends at the latest when its parent does. No
// goroutine is kept for one. Everything here may be called from any goroutine or thread at any
// time, and nothing blocks.

#ifndef LEASH_CONTEXT_H_
#define LEASH_CONTEXT_H_

#include <functional>
#include <memory>
#include <optional>
#include <source_location>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "leash/chan.h"

namespace leash {

namespace rt {
struct ContextNode;
}  // namespace rt

class CancelFunc;
class CancelCauseFunc;
class StopFunc;

// ContextKey
//
// Names a value of type T in contexts. Its identity is the object: two keys are never equal. It has
// to outlive the contexts that it is used with, so it usually is a global.
//
//     const leash::ContextKey<std::string> kUser("user");
//
template <class T>
class ContextKey {
 public:
  // `name` is for people, and is not copied.
  constexpr explicit ContextKey(std::string_view name = "") : name_(name) {}
  ContextKey(const ContextKey&) = delete;
  ContextKey& operator=(const ContextKey&) = delete;

  std::string_view name() const { return name_; }

 private:
  std::string_view name_;
};

// Context
//
// A handle, copied like a shared_ptr. Default-constructed it is the background: never cancelled, no
// deadline, no values.
class Context {
 public:
  constexpr Context() noexcept = default;
  Context(const Context& other) noexcept;
  Context(Context&& other) noexcept : node_(std::exchange(other.node_, nullptr)) {}
  Context& operator=(Context other) noexcept {
    std::swap(node_, other.node_);
    return *this;
  }
  ~Context() {
    if (node_ != nullptr) Unref(node_);
  }

  static Context Background() { return Context(); }
  // The same, and says that it is not clear yet which one to use.
  static Context TODO() { return Context(); }

  // Context::Done()
  //
  // A channel that is closed when the context ends. The nil channel if it never can.
  // Memory ordering: what precedes a cancel is visible after a receive of the close.
  RecvChan<Unit> Done() const;

  // Context::Err()
  //
  // OK until the context has ended; then kCancelled "context canceled" or kDeadlineExceeded
  // "context deadline exceeded".
  // Memory ordering: what precedes a cancel is visible after an Err that is not OK.
  absl::Status Err() const;

  // Context::Cause()
  //
  // Why the context has ended, as given to a CancelCauseFunc, of this context or of the ancestor
  // that ended it; where none was given the same as Err().
  absl::Status Cause() const;

  // Context::Deadline()
  //
  // When the context ends by itself at the latest, if ever.
  std::optional<absl::Time> Deadline() const;

  // Context::Value()
  //
  // A copy of the value that the nearest WithValue of `key` gave, if any.
  template <class T>
  std::optional<T> Value(const ContextKey<T>& key) const {
    const void* value = FindValue(&key);
    if (value == nullptr) return std::nullopt;
    return *static_cast<const T*>(value);
  }

 private:
  friend struct rt::ContextNode;
  static void Unref(rt::ContextNode* node) noexcept;
  const void* FindValue(const void* key) const;

  rt::ContextNode* node_ = nullptr;  // counted; null: the background
};

// CancelFunc
//
// Ends the context that it came with, and that one's children: Err() becomes "context canceled".
// Only the first call does anything. A handle: copies cancel the same context. When the last one
// goes uncalled the context can only end by its parent or its deadline: whoever waits for more than
// that is seen as leaked.
class [[nodiscard]] CancelFunc {
 public:
  CancelFunc() noexcept = default;  // does nothing
  CancelFunc(const CancelFunc& other) noexcept;
  CancelFunc(CancelFunc&& other) noexcept : node_(std::exchange(other.node_, nullptr)) {}
  CancelFunc& operator=(CancelFunc other) noexcept {
    std::swap(node_, other.node_);
    return *this;
  }
  ~CancelFunc();

  // CancelFunc::operator()()
  //
  // Returns when the context and all its children have ended. Does not wait for what they stop.
  void operator()() const;

 private:
  friend class CancelCauseFunc;
  friend struct rt::ContextNode;
  rt::ContextNode* node_ = nullptr;
};

// CancelCauseFunc
//
// As CancelFunc, and says why: Cause() of the context and of the children that end with it.
class [[nodiscard]] CancelCauseFunc {
 public:
  // CancelCauseFunc::operator()()
  //
  // An OK `cause` stands for "context canceled".
  void operator()(absl::Status cause) const;

 private:
  friend struct rt::ContextNode;
  CancelFunc cancel_;
};

// StopFunc
//
// Takes back an AfterFunc.
class StopFunc {
 public:
  StopFunc() noexcept = default;  // returns false
  StopFunc(const StopFunc& other) noexcept;
  StopFunc(StopFunc&& other) noexcept : node_(std::exchange(other.node_, nullptr)) {}
  StopFunc& operator=(StopFunc other) noexcept {
    std::swap(node_, other.node_);
    return *this;
  }
  ~StopFunc();

  // StopFunc::operator()()
  //
  // True: the function has not been started and will not be. False: it has been started (and is not
  // waited for), or taken back before.
  bool operator()() const;

 private:
  friend struct rt::ContextNode;
  rt::ContextNode* node_ = nullptr;
};

// WithCancel()
//
// A child of `parent` that also ends when the CancelFunc is called. Call it as soon as the work is
// done: until then the parent remembers the child. Dumps show the place of this call as where the
// channel Done() was made.
[[nodiscard]] std::pair<Context, CancelFunc> WithCancel(
    const Context& parent, std::source_location site = std::source_location::current());

// WithTimeout(), WithDeadline()
//
// A child of `parent` that also ends, with "context deadline exceeded", when the time is over. A
// deadline later than the parent's changes nothing.
[[nodiscard]] std::pair<Context, CancelFunc> WithTimeout(
    const Context& parent, absl::Duration timeout,
    std::source_location site = std::source_location::current());
[[nodiscard]] std::pair<Context, CancelFunc> WithDeadline(
    const Context& parent, absl::Time deadline,
    std::source_location site = std::source_location::current());

// WithCancelCause()
//
// As WithCancel, for saying why.
[[nodiscard]] std::pair<Context, CancelCauseFunc> WithCancelCause(
    const Context& parent, std::source_location site = std::source_location::current());

// WithoutCancel()
//
// A child with the parent's values that does not end with it and has no deadline.
[[nodiscard]] Context WithoutCancel(const Context& parent);

namespace internal {
// The value lives as long as a context that can find it.
[[nodiscard]] Context ContextWithValue(const Context& parent, const void* key,
                                       std::shared_ptr<const void> value);
}  // namespace internal

// WithValue()
//
// A child of `parent` in which `key` has this value. For what belongs to one request and crosses
// layers, not for arguments.
template <class T>
[[nodiscard]] Context WithValue(const Context& parent, const ContextKey<T>& key,
                                std::type_identity_t<T> value) {
  return internal::ContextWithValue(parent, &key, std::make_shared<const T>(std::move(value)));
}

// AfterFunc()
//
// Runs `fn` in a goroutine of its own when `ctx` has ended; at once if it has. The goroutine is
// "created by" the caller of AfterFunc, at the place of this call.
// Panics if `fn` is empty: "context: AfterFunc of an empty function".
StopFunc AfterFunc(const Context& ctx, std::function<void()> fn,
                   std::source_location site = std::source_location::current());

}  // namespace leash

#endif  // LEASH_CONTEXT_H_
