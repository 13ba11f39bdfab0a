// What channel handles are made of, and what the templates of <leash/chan.h> ask of the runtime.
// Not for use outside of leash.
//
// The runtime knows no element types: it moves and destroys elements through an ElementType. All
// counting of handles is done inside the runtime, out of line and not instrumented, so that a race
// detector sees no edge in it; who dropped the last one is told by the return address of that call,
// hence the inlining forced below.

#ifndef LEASH_INTERNAL_CHAN_HANDLE_H_
#define LEASH_INTERNAL_CHAN_HANDLE_H_

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <new>
#include <optional>
#include <source_location>
#include <string_view>
#include <type_traits>
#include <utility>

namespace leash {

namespace rt {
struct ChanCore;
}  // namespace rt

namespace internal {

// How to store and hand over elements of one type.
struct ElementType {
  size_t size;   // of a slot; 0: there is nothing to store
  size_t align;  // of a slot
  // Moves `*from` into raw memory. Null: an element is `size` bytes, to be copied, and that is all.
  void (*construct)(void* slot, void* from);
  // Moves `*from` into the empty std::optional of a receiver.
  void (*receive)(void* optional, void* from);
  void (*destroy)(void* element);  // null: nothing to do
  bool nothrow;                    // neither of the two moves throws
  const char* function_name;       // ElementFunctionName: the type's name is in it
};

// Elements that are copied as bytes, by the runtime. Larger ones are better constructed in place.
template <class T>
inline constexpr bool kElementIsBytes = std::is_trivially_copyable_v<T> && sizeof(T) <= 128;

template <class T>
constexpr const char* ElementFunctionName() {
  return __PRETTY_FUNCTION__;
}

template <class T>
constexpr ElementType MakeElementType() {
  ElementType type{};
  type.size = std::is_empty_v<T> && kElementIsBytes<T> ? 0 : sizeof(T);
  type.align = alignof(T);
  type.nothrow = std::is_nothrow_move_constructible_v<T>;
  type.function_name = ElementFunctionName<T>();
  if constexpr (!kElementIsBytes<T>) {
    type.construct = [](void* slot, void* from) {
      ::new (slot) T(std::move(*static_cast<T*>(from)));
    };
    type.receive = [](void* optional, void* from) {
      static_cast<std::optional<T>*>(optional)->emplace(std::move(*static_cast<T*>(from)));
    };
    if constexpr (!std::is_trivially_destructible_v<T>) {
      type.destroy = [](void* element) { static_cast<T*>(element)->~T(); };
    }
  }
  return type;
}

template <class T>
inline constexpr ElementType kElementType = MakeElementType<T>();

// Where a receiver wants its element.
template <class T, bool = kElementIsBytes<T>>
class RecvRoom {
 public:
  void* address() { return bytes_; }
  // What has arrived, if anything has. Empties the room.
  std::optional<T> Take(bool received) {
    if (!received) return std::nullopt;
    return std::optional<T>(*std::launder(reinterpret_cast<T*>(bytes_)));
  }

 private:
  alignas(T) unsigned char bytes_[sizeof(T)];
};

template <class T>
class RecvRoom<T, false> {
 public:
  void* address() { return &value_; }
  std::optional<T> Take(bool) { return std::exchange(value_, std::nullopt); }

 private:
  std::optional<T> value_;
};

// Operations on a channel; null is the nil channel. They throw what <leash/chan.h> says, and what
// moves of elements throw.
enum class ChanFlavor : uint8_t {
  kPlain,
  // Of a timer: one tick is kept for whoever comes, and Len and Cap are 0
  // (runtime/src/chan/timer_chan.h).
  kTimer,
};
enum class TryResult : uint8_t { kWouldBlock, kDone, kClosed };

// Returns a channel on which one handle of kSendAndRecv is counted, which lies at `handle`.
rt::ChanCore* ChanMake(const ElementType* type, size_t capacity, std::string_view name,
                       std::source_location site, ChanFlavor flavor, const void* handle);
void ChanSend(rt::ChanCore* chan, void* value);
bool ChanTrySend(rt::ChanCore* chan, void* value);
bool ChanRecv(rt::ChanCore* chan, void* room);  // false: closed and drained
TryResult ChanTryRecv(rt::ChanCore* chan, void* room);
void ChanClose(rt::ChanCore* chan);
size_t ChanLen(const rt::ChanCore* chan);
size_t ChanCap(const rt::ChanCore* chan);

// What a handle can do, as what it adds to a channel's count of handles: those that can send in the
// upper half, those that can receive in the lower.
inline constexpr uint64_t kSendRight = uint64_t{1} << 32;
inline constexpr uint64_t kRecvRight = 1;
inline constexpr uint64_t kSendAndRecv = kSendRight | kRecvRight;

// A handle at `at` came to be, went, or went on from `from` to `to`. The last to go destroys the
// channel.
void HandleAdded(rt::ChanCore* chan, uint64_t rights, const void* at) noexcept;
void HandleDropped(rt::ChanCore* chan, uint64_t rights, const void* at) noexcept;
void HandleMoved(rt::ChanCore* chan, uint64_t rights, const void* from, const void* to) noexcept;

// A counted pointer to a channel.
template <uint64_t kRights>
class ChanHandle {
 public:
  ChanHandle() = default;
  // Counts one more handle.
  explicit ChanHandle(rt::ChanCore* chan) noexcept : chan_(chan) {
    if (chan_ != nullptr) HandleAdded(chan_, kRights, this);
  }
  ChanHandle(const ChanHandle& other) noexcept : ChanHandle(other.chan_) {}
  ChanHandle(ChanHandle&& other) noexcept : chan_(std::exchange(other.chan_, nullptr)) {
    if (chan_ != nullptr) HandleMoved(chan_, kRights, &other, this);
  }
  [[gnu::always_inline]] ChanHandle& operator=(const ChanHandle& other) noexcept {
    if (other.chan_ != nullptr) HandleAdded(other.chan_, kRights, this);
    rt::ChanCore* old = std::exchange(chan_, other.chan_);
    if (old != nullptr) HandleDropped(old, kRights, this);
    return *this;
  }
  [[gnu::always_inline]] ChanHandle& operator=(ChanHandle&& other) noexcept {
    rt::ChanCore* next = std::exchange(other.chan_, nullptr);
    if (next != nullptr) HandleMoved(next, kRights, &other, this);
    rt::ChanCore* old = std::exchange(chan_, next);
    if (old != nullptr) HandleDropped(old, kRights, this);
    return *this;
  }
  [[gnu::always_inline]] ~ChanHandle() {
    if (chan_ != nullptr) HandleDropped(chan_, kRights, this);
  }

  rt::ChanCore* chan() const { return chan_; }
  // Takes over the handle that ChanMake has counted for this address.
  void Adopt(rt::ChanCore* chan) { chan_ = chan; }

 private:
  rt::ChanCore* chan_ = nullptr;
};

// The door to what public handles hide, for the runtime and for other handles.
struct ChanAccess {
  template <class Handle>
  static rt::ChanCore* Core(const Handle& handle) {
    return handle.handle_.chan();
  }
  // What a temporary holds, as a right to do one thing.
  template <uint64_t kRight, class Handle>
  static ChanHandle<kRight> Take(Handle&& handle) {
    if constexpr (std::is_same_v<decltype(handle.handle_), ChanHandle<kRight>>) {
      return std::move(handle.handle_);
    } else {
      return ChanHandle<kRight>(handle.handle_.chan());
    }
  }
  // A handle of type Handle to this channel; null makes the nil channel.
  template <class Handle>
  static Handle FromCore(rt::ChanCore* chan) {
    return Handle(chan);
  }
  template <class Handle>
  static Handle Make(size_t capacity, std::string_view name, std::source_location site,
                     ChanFlavor flavor) {
    Handle made;
    made.handle_.Adopt(ChanMake(&kElementType<typename Handle::element_type>, capacity, name, site,
                                flavor, &made));
    return made;
  }
};

template <class T>
  requires kElementIsBytes<T>
std::optional<T> Recv(rt::ChanCore* chan) {
  RecvRoom<T> room;
  return room.Take(ChanRecv(chan, room.address()));
}

// The sender moves its value to where the caller of Recv() wants the result: nothing in between.
template <class T>
std::optional<T> Recv(rt::ChanCore* chan) {
  std::optional<T> result;
  ChanRecv(chan, &result);
  return result;
}

template <class T>
std::optional<T> TryRecv(rt::ChanCore* chan, bool* closed) {
  RecvRoom<T> room;
  const TryResult result = ChanTryRecv(chan, room.address());
  if (closed != nullptr) *closed = result == TryResult::kClosed;
  return room.Take(result == TryResult::kDone);
}

// What a range-for over a channel goes through.
template <class T>
class RecvIterator {
 public:
  using value_type = T;
  using difference_type = std::ptrdiff_t;
  // An element that can only be moved is given away, so that `for (auto x : ch)` takes it.
  using reference = std::conditional_t<std::is_copy_constructible_v<T>, T&, T&&>;

  RecvIterator() = default;
  explicit RecvIterator(rt::ChanCore* chan) : chan_(chan), value_(Recv<T>(chan)) {}

  reference operator*() const { return static_cast<reference>(*value_); }
  RecvIterator& operator++() {
    // First the old element: while this waits nobody should seem to hold what the element holds.
    value_.reset();
    if (std::optional<T> next = Recv<T>(chan_)) value_.emplace(*std::move(next));
    return *this;
  }
  void operator++(int) { ++*this; }
  friend bool operator==(const RecvIterator& it, std::default_sentinel_t) {
    return !it.value_.has_value();
  }

 private:
  rt::ChanCore* chan_ = nullptr;
  mutable std::optional<T> value_;
};

}  // namespace internal
}  // namespace leash

#endif  // LEASH_INTERNAL_CHAN_HANDLE_H_
