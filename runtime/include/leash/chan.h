// Channels: typed queues between goroutines, and select, which waits for several of them at once.
//
//     leash::Chan<int> squares = leash::MakeChan<int>();
//     leash::go([squares] {
//       for (int i = 1; i <= 3; ++i) squares.Send(i * i);
//       squares.Close();
//     });
//     for (int square : squares) std::cout << square << "\n";
//
// Usable from goroutines and threads. Shown in dumps as [chan send], [chan receive] and [select],
// with the channel's name, element type, capacity, and the place where it was made.
//
// Handles copy cheaply and may be used from anywhere; the channel goes with the last of them, and
// what is still in it is destroyed then. A handle inside an element of its own channel keeps both
// for ever. Copying or dropping a handle orders nothing in memory.

#ifndef LEASH_CHAN_H_
#define LEASH_CHAN_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <source_location>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "leash/go.h"
#include "leash/internal/chan_handle.h"
#include "leash/internal/select_case.h"

namespace leash {

// Unit: the element of a channel that only signals: Chan<Unit>. Takes no room.
struct Unit {
  friend bool operator==(Unit, Unit) { return true; }
};

template <class T>
class SendChan;
template <class T>
class RecvChan;

// Chan
//
// A channel that the holder can send on, receive from and close. Default-constructed it is the nil
// channel, on which every operation but Len() and Cap() blocks for ever or panics.
//
// T can be moved, and destroyed without throwing; it need be neither copyable nor default-
// constructible. A value is moved once from sender to receiver where one of them waits already,
// else once into the channel and once out of it. An exception out of T's move reaches the operation
// that moved it, which then has had no effect; a sender or receiver at the other end waits on.
// Moves run while the channel is locked: T's move constructor, and the destructor of what it was
// moved from, must neither block nor use a channel (copying and moving handles is no use).
template <class T>
class Chan {
  static_assert(std::is_object_v<T> && !std::is_array_v<T> && !std::is_const_v<T>,
                "a channel's element is an object: not a reference, an array or const");
  static_assert(std::is_move_constructible_v<T>, "a channel's element must be movable");
  static_assert(std::is_nothrow_destructible_v<T>,
                "a channel's element's destructor must not throw");

 public:
  using element_type = T;

  Chan() = default;
  Chan(const Chan&) = default;
  Chan(Chan&&) = default;
  Chan& operator=(const Chan&) = default;
  Chan& operator=(Chan&&) = default;
  [[gnu::always_inline]] ~Chan() = default;

  // Chan::Make()
  //
  // Returns a new channel that holds up to `capacity` elements; 0: a send waits until its value is
  // received. `name` is copied, and shown in dumps with the place of the call.
  // Panics: "makechan: size out of range". Throws std::bad_alloc.
  static Chan Make(size_t capacity = 0, std::string_view name = "",
                   std::source_location site = std::source_location::current()) {
    return internal::ChanAccess::Make<Chan>(capacity, name, site, internal::ChanFlavor::kPlain);
  }

  // Chan::Send()
  //
  // Blocks until there is room or a receiver has taken the value; for ever on nil.
  // Panics: "send on closed channel", also when it is closed while this waits.
  // Memory ordering: what precedes the k-th send is visible after the k-th receive; what precedes
  // the k-th receive is visible after the send k + capacity.
  void Send(T value) const { internal::ChanSend(handle_.chan(), std::addressof(value)); }

  // Chan::Recv()
  //
  // Blocks until there is a value, and returns it; std::nullopt once the channel is closed and
  // drained. Blocks for ever on nil.
  // Memory ordering: as with Send(); what precedes Close() is visible after std::nullopt.
  std::optional<T> Recv() const { return internal::Recv<T>(handle_.chan()); }

  // Chan::TrySend()
  //
  // Send() if that would not block; else returns false, and the value is gone. Never blocks; always
  // false on nil. A failure orders nothing.
  // Panics: "send on closed channel".
  bool TrySend(T value) const {
    return internal::ChanTrySend(handle_.chan(), std::addressof(value));
  }

  // Chan::TryRecv()
  //
  // Recv() if that would not block, else std::nullopt. `*closed` tells the two kinds of
  // std::nullopt apart: true if the channel is closed and drained. Never blocks.
  std::optional<T> TryRecv(bool* closed = nullptr) const {
    return internal::TryRecv<T>(handle_.chan(), closed);
  }

  // Chan::Close()
  //
  // Says that no more will be sent. Wakes everybody who waits: receivers get std::nullopt, senders
  // panic. What is in the channel can still be received. Never blocks.
  // Panics: "close of closed channel", "close of nil channel".
  void Close() const { internal::ChanClose(handle_.chan()); }

  // Chan::Len(), Chan::Cap()
  //
  // How many elements are in the channel, a moment's figure, and how many can be. 0 for nil.
  size_t Len() const { return internal::ChanLen(handle_.chan()); }
  size_t Cap() const { return internal::ChanCap(handle_.chan()); }

  // False for the nil channel.
  explicit operator bool() const { return handle_.chan() != nullptr; }

  // Range-for: receives until the channel is closed and drained.
  internal::RecvIterator<T> begin() const { return internal::RecvIterator<T>(handle_.chan()); }
  std::default_sentinel_t end() const { return {}; }

  // Whether both are the same channel.
  friend bool operator==(const Chan& a, const Chan& b) {
    return a.handle_.chan() == b.handle_.chan();
  }

 private:
  friend struct internal::ChanAccess;
  explicit Chan(rt::ChanCore* chan) : handle_(chan) {}

  internal::ChanHandle<internal::kSendAndRecv> handle_;
};

// MakeChan()
//
// As Chan<T>::Make().
template <class T>
Chan<T> MakeChan(size_t capacity = 0, std::string_view name = "",
                 std::source_location site = std::source_location::current()) {
  return Chan<T>::Make(capacity, name, site);
}

// SendChan
//
// A channel as its senders see it: Go's chan<- T. Any Chan<T> converts to it.
template <class T>
class SendChan {
 public:
  using element_type = T;

  SendChan() = default;
  SendChan(const Chan<T>& chan)  // NOLINT(google-explicit-constructor): as in Go
      : handle_(internal::ChanAccess::Core(chan)) {}
  SendChan(const SendChan&) = default;
  SendChan(SendChan&&) = default;
  SendChan& operator=(const SendChan&) = default;
  SendChan& operator=(SendChan&&) = default;
  [[gnu::always_inline]] ~SendChan() = default;

  // As those of Chan.
  void Send(T value) const { internal::ChanSend(handle_.chan(), std::addressof(value)); }
  bool TrySend(T value) const {
    return internal::ChanTrySend(handle_.chan(), std::addressof(value));
  }
  void Close() const { internal::ChanClose(handle_.chan()); }
  size_t Len() const { return internal::ChanLen(handle_.chan()); }
  size_t Cap() const { return internal::ChanCap(handle_.chan()); }
  explicit operator bool() const { return handle_.chan() != nullptr; }

  friend bool operator==(const SendChan& a, const SendChan& b) {
    return a.handle_.chan() == b.handle_.chan();
  }

 private:
  friend struct internal::ChanAccess;
  explicit SendChan(rt::ChanCore* chan) : handle_(chan) {}

  internal::ChanHandle<internal::kSendRight> handle_;
};

// RecvChan
//
// A channel as its receivers see it: Go's <-chan T. Any Chan<T> converts to it.
template <class T>
class RecvChan {
 public:
  using element_type = T;

  RecvChan() = default;
  RecvChan(const Chan<T>& chan)  // NOLINT(google-explicit-constructor): as in Go
      : handle_(internal::ChanAccess::Core(chan)) {}
  RecvChan(const RecvChan&) = default;
  RecvChan(RecvChan&&) = default;
  RecvChan& operator=(const RecvChan&) = default;
  RecvChan& operator=(RecvChan&&) = default;
  [[gnu::always_inline]] ~RecvChan() = default;

  // As those of Chan.
  std::optional<T> Recv() const { return internal::Recv<T>(handle_.chan()); }
  std::optional<T> TryRecv(bool* closed = nullptr) const {
    return internal::TryRecv<T>(handle_.chan(), closed);
  }
  size_t Len() const { return internal::ChanLen(handle_.chan()); }
  size_t Cap() const { return internal::ChanCap(handle_.chan()); }
  explicit operator bool() const { return handle_.chan() != nullptr; }
  internal::RecvIterator<T> begin() const { return internal::RecvIterator<T>(handle_.chan()); }
  std::default_sentinel_t end() const { return {}; }

  friend bool operator==(const RecvChan& a, const RecvChan& b) {
    return a.handle_.chan() == b.handle_.chan();
  }

 private:
  friend struct internal::ChanAccess;
  explicit RecvChan(rt::ChanCore* chan) : handle_(chan) {}

  internal::ChanHandle<internal::kRecvRight> handle_;
};

namespace internal {

template <class C>
inline constexpr bool kCanSend = false;
template <class T>
inline constexpr bool kCanSend<Chan<T>> = true;
template <class T>
inline constexpr bool kCanSend<SendChan<T>> = true;
template <class C>
inline constexpr bool kCanRecv = false;
template <class T>
inline constexpr bool kCanRecv<Chan<T>> = true;
template <class T>
inline constexpr bool kCanRecv<RecvChan<T>> = true;

// Any handle that can do it, const or not, named or temporary.
template <class C>
concept SendHandle = kCanSend<std::remove_cvref_t<C>>;
template <class C>
concept RecvHandle = kCanRecv<std::remove_cvref_t<C>>;
template <class C>
using ElementOf = typename std::remove_cvref_t<C>::element_type;

}  // namespace internal

// OnRecv()
//
// The case of a select that receives. `fn`, if there is one, is called with the value, or with
// std::nullopt when the channel is closed and drained; or with nothing, if it takes nothing.
template <internal::RecvHandle C, class F = internal::NoFunction>
  requires internal::RecvFunction<F, internal::ElementOf<C>>
[[nodiscard]] auto OnRecv(C&& chan, F fn = {}) {
  return internal::RecvCase<internal::ElementOf<C>, F>(std::forward<C>(chan), std::move(fn));
}

// OnSend()
//
// The case that sends `value`, which is moved away only if this case is taken. `fn()` runs when the
// value has been sent.
// Panics: "send on closed channel", out of Select(), if the channel is closed.
template <internal::SendHandle C, std::invocable F = internal::NoFunction>
[[nodiscard]] auto OnSend(C&& chan, internal::ElementOf<C> value, F fn = {}) {
  return internal::SendCase<internal::ElementOf<C>, F>(std::forward<C>(chan), std::move(value),
                                                       std::move(fn));
}

// OnDone()
//
// The case that is ready once `ctx` is cancelled or its deadline has passed: OnRecv(ctx.Done(),
// fn).
template <class Context, class F = internal::NoFunction>
  requires internal::RecvFunction<F, Unit> && requires(const Context& ctx) {
    { ctx.Done() } -> std::convertible_to<RecvChan<Unit>>;
  }
[[nodiscard]] auto OnDone(const Context& ctx, F fn = {}) {
  return internal::RecvCase<Unit, F>(RecvChan<Unit>(ctx.Done()), std::move(fn));
}

// OnTimeout()
//
// The case that is ready when the select has waited for `timeout`. At once if that is not positive:
// then it is one of the ready cases, chosen as fairly as they are. Never for an infinite one.
template <std::invocable F = internal::NoFunction>
[[nodiscard]] auto OnTimeout(absl::Duration timeout, F fn = {}) {
  return internal::PlainCase<internal::CaseOp::kTimeout, F>(std::move(fn),
                                                            absl::ToInt64Nanoseconds(timeout));
}

// OnDefault()
//
// The case that is taken when no other is ready: the select does not wait.
template <std::invocable F = internal::NoFunction>
[[nodiscard]] auto OnDefault(F fn = {}) {
  return internal::PlainCase<internal::CaseOp::kDefault, F>(std::move(fn));
}

// Select()
//
// Waits until at least one of the cases is ready, takes one of the ready ones at random, runs its
// function, and returns its index, counted from 0 in the order of the arguments. A case on a nil
// channel is never ready; with no other, and no default, it blocks for ever.
//
//     leash::Select(leash::OnRecv(jobs, [&](std::optional<Job> job) { Do(job); }),
//                   leash::OnDone(ctx, [&] { stop = true; }),
//                   leash::OnTimeout(absl::Seconds(1)));
//
// Shown in dumps as [select], with no case at all as [select (no cases)].
// Panics and throws: as the operation that it takes; what the function throws.
// Memory ordering: that of the operation taken. The other cases order nothing.
template <class... Cases>
  requires(internal::Case<std::remove_reference_t<Cases>> && ...)
size_t Select(Cases&&... cases) {
  static_assert((size_t{internal::kIsDefault<std::remove_cvref_t<Cases>>} + ... + 0) <= 1,
                "a select has at most one OnDefault");
  if constexpr (sizeof...(Cases) == 0) {
    return internal::SelectWait(nullptr, 0);
  } else {
    std::array<internal::CaseRecord, sizeof...(Cases)> records;
    size_t i = 0;
    (cases.Fill(records[i++]), ...);
    const size_t taken = internal::SelectWait(records.data(), records.size());
    i = 0;
    ((i++ == taken ? cases.Run(records[taken]) : void()), ...);
    return taken;
  }
}

// SelectCase
//
// A case whose kind is known only at run time: what OnRecv() and its kin return converts to it. It
// may be kept and used again; a send case gives its value away when it is taken. Copies share the
// value and the function.
class SelectCase {
 public:
  template <class C>
    requires(!std::is_same_v<C, SelectCase> && internal::Case<C>)
  SelectCase(C c)  // NOLINT(google-explicit-constructor): it is how a case is written
      : case_(std::make_shared<internal::KeptCase<C>>(std::move(c))) {}

  void Own() {}
  void Fill(internal::CaseRecord& record) const { case_->Fill(record); }
  void Run(const internal::CaseRecord& record) const { case_->Run(record); }

 private:
  std::shared_ptr<internal::AnyCase> case_;
};

// SelectN()
//
// Select() for a number of cases that is known only at run time.
// Panics: "SelectN: multiple default cases", and as Select().
size_t SelectN(std::span<SelectCase> cases);

}  // namespace leash

template <class T>
struct std::hash<leash::Chan<T>> {
  size_t operator()(const leash::Chan<T>& c) const {
    return std::hash<const void*>()(leash::internal::ChanAccess::Core(c));
  }
};
template <class T>
struct std::hash<leash::SendChan<T>> {
  size_t operator()(const leash::SendChan<T>& c) const {
    return std::hash<const void*>()(leash::internal::ChanAccess::Core(c));
  }
};
template <class T>
struct std::hash<leash::RecvChan<T>> {
  size_t operator()(const leash::RecvChan<T>& c) const {
    return std::hash<const void*>()(leash::internal::ChanAccess::Core(c));
  }
};

#endif  // LEASH_CHAN_H_
