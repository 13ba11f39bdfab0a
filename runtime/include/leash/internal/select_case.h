// The cases of a select: what OnRecv() and its kin return. Not for use outside of leash.
//
// A case made from a named channel refers to it, and counts no handle: the channel's handle
// outlives the call of Select anyway, and counting would cost more than the select. One made from a
// temporary takes that over; one that becomes a SelectCase, and may be kept, counts a handle of its
// own.

#ifndef LEASH_INTERNAL_SELECT_CASE_H_
#define LEASH_INTERNAL_SELECT_CASE_H_

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

#include "leash/internal/chan_handle.h"

namespace leash::internal {

enum class CaseOp : uint8_t { kSend, kRecv, kDefault, kTimeout };

// One case, as the runtime sees it.
struct CaseRecord {
  rt::ChanCore* chan = nullptr;  // null: never ready
  void* value = nullptr;         // kSend: the element; kRecv: where to put it
  int64_t timeout_ns = 0;        // kTimeout
  CaseOp op = CaseOp::kDefault;
  bool received = false;  // set by the runtime when a kRecv is taken: a value came
};

// Waits until one of `n` cases can go on, lets it, and returns its index. Throws what the operation
// that was chosen throws.
size_t SelectWait(CaseRecord* cases, size_t n);

// No function: the index that Select returns says it all.
struct NoFunction {
  void operator()() const {}
};

template <class F, class T>
concept RecvFunction = std::invocable<F&, std::optional<T>> || std::invocable<F&>;

// The channel of a case: referred to, or owned.
template <uint64_t kRight>
class CaseChan {
 public:
  template <class Handle>
  explicit CaseChan(Handle&& handle) : chan_(ChanAccess::Core(handle)) {
    if constexpr (!std::is_lvalue_reference_v<Handle> && !std::is_const_v<Handle>) {
      owned_ = ChanAccess::Take<kRight>(std::forward<Handle>(handle));
    } else if constexpr (!std::is_lvalue_reference_v<Handle>) {
      Own();
    }
  }
  void Own() {
    if (owned_.chan() == nullptr) owned_ = ChanHandle<kRight>(chan_);
  }
  rt::ChanCore* chan() const { return chan_; }

 private:
  rt::ChanCore* chan_;
  ChanHandle<kRight> owned_;
};

template <class T, class F>
class RecvCase {
 public:
  template <class Handle>
  RecvCase(Handle&& handle, F fn) : chan_(std::forward<Handle>(handle)), fn_(std::move(fn)) {}

  void Own() { chan_.Own(); }
  void Fill(CaseRecord& record) {
    record.op = CaseOp::kRecv;
    record.chan = chan_.chan();
    record.value = room_.address();
  }
  void Run(const CaseRecord& record) {
    std::optional<T> value = room_.Take(record.received);
    if constexpr (std::is_invocable_v<F&, std::optional<T>>) {
      static_cast<void>(std::invoke(fn_, std::move(value)));
    } else {
      static_cast<void>(std::invoke(fn_));
    }
  }

 private:
  CaseChan<kRecvRight> chan_;
  RecvRoom<T> room_;
  [[no_unique_address]] F fn_;
};

template <class T, class F>
class SendCase {
 public:
  template <class Handle>
  SendCase(Handle&& handle, T value, F fn)
      : chan_(std::forward<Handle>(handle)), value_(std::move(value)), fn_(std::move(fn)) {}

  void Own() { chan_.Own(); }
  void Fill(CaseRecord& record) {
    record.op = CaseOp::kSend;
    record.chan = chan_.chan();
    record.value = std::addressof(value_);
  }
  void Run(const CaseRecord&) { static_cast<void>(std::invoke(fn_)); }

 private:
  CaseChan<kSendRight> chan_;
  T value_;
  [[no_unique_address]] F fn_;
};

template <CaseOp kOp, class F>
class PlainCase {
 public:
  explicit PlainCase(F fn, int64_t timeout_ns = 0) : timeout_ns_(timeout_ns), fn_(std::move(fn)) {}

  void Own() {}
  void Fill(CaseRecord& record) {
    record.op = kOp;
    record.timeout_ns = timeout_ns_;
  }
  void Run(const CaseRecord&) { static_cast<void>(std::invoke(fn_)); }

 private:
  int64_t timeout_ns_;
  [[no_unique_address]] F fn_;
};

template <class C>
concept Case = requires(C& c, CaseRecord& record) {
  c.Own();
  c.Fill(record);
  c.Run(record);
};

template <class C>
inline constexpr bool kIsDefault = false;
template <class F>
inline constexpr bool kIsDefault<PlainCase<CaseOp::kDefault, F>> = true;

// A case whose type is forgotten.
struct AnyCase {
  virtual ~AnyCase() = default;
  virtual void Fill(CaseRecord& record) = 0;
  virtual void Run(const CaseRecord& record) = 0;
};

template <Case C>
struct KeptCase final : AnyCase {
  explicit KeptCase(C c) : kept(std::move(c)) { kept.Own(); }
  void Fill(CaseRecord& record) override { kept.Fill(record); }
  void Run(const CaseRecord& record) override { kept.Run(record); }
  C kept;
};

}  // namespace leash::internal

#endif  // LEASH_INTERNAL_SELECT_CASE_H_
