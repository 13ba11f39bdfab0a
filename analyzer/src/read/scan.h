// What the readers of text share: positions in the input, errors that name them, fast interning.

#ifndef LEASH_ANALYZER_READ_SCAN_H_
#define LEASH_ANALYZER_READ_SCAN_H_

#include <charconv>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "leash/analyzer/read.h"
#include "leash/snapshot.h"

namespace leash::internal {

// `offset 4096: want "goroutine N [", have "gorou"`. `want` is used as it is; of `rest`, the input
// from the offset on, the first bytes of its line are shown.
absl::Status WantHave(size_t offset, std::string_view want, std::string_view rest);
absl::Status TooMuch(size_t offset, std::string_view what, size_t limit);

inline bool Consume(std::string_view prefix, std::string_view* text) {
  if (!text->starts_with(prefix)) return false;
  text->remove_prefix(prefix.size());
  return true;
}

// Takes a number from the start of `text`; false and `text` untouched if there is none or it does
// not fit.
template <std::integral T>
bool ConsumeInt(std::string_view* text, T* value, int base = 10) {
  const auto [end, error] =
      std::from_chars(text->data(), text->data() + text->size(), *value, base);
  if (error != std::errc()) return false;
  text->remove_prefix(static_cast<size_t>(end - text->data()));
  return true;
}
inline bool ConsumeHex(std::string_view* text, uint64_t* value) {
  std::string_view rest = *text;
  if (!Consume("0x", &rest) || !ConsumeInt(&rest, value, 16)) return false;
  *text = rest;
  return true;
}

// Takes a text in double quotes, escaped as Go's strconv.Quote does it.
bool ConsumeQuoted(std::string_view* text, std::string* value);

// The lines of a text, without their line ends.
class Lines {
 public:
  explicit Lines(std::string_view text) : text_(text) {}
  bool Next(std::string_view* line) {
    if (next_ >= text_.size()) return false;
    begin_ = next_;
    const char* from = text_.data() + begin_;
    const auto* end = static_cast<const char*>(std::memchr(from, '\n', text_.size() - begin_));
    ended_ = end != nullptr;
    size_t length = ended_ ? static_cast<size_t>(end - from) : text_.size() - begin_;
    next_ = begin_ + length + (ended_ ? 1 : 0);
    if (length > 0 && from[length - 1] == '\r') --length;
    *line = {from, length};
    return true;
  }
  size_t offset() const { return begin_; }  // of the line that Next gave
  bool ended() const { return ended_; }     // by a newline, not by the end of the text
  std::string_view rest() const { return text_.substr(begin_); }

 private:
  const std::string_view text_;
  size_t begin_ = 0, next_ = 0;
  bool ended_ = true;
};

// Ids of pairs of texts. The views must outlive the table: they lie in the input, which saves a
// copy and an allocation for each frame of a dump.
class PairTable {
 public:
  // The id stored for (a, b, extra); adds `make()` if there is none.
  template <class Make>
  uint32_t Find(std::string_view a, std::string_view b, uint32_t extra, Make make) {
    if (slots_.size() < 2 * (used_ + 1)) Grow();
    const uint64_t hash = Hash(a, Hash(b, extra));
    for (size_t i = hash & (slots_.size() - 1);; i = (i + 1) & (slots_.size() - 1)) {
      Slot& slot = slots_[i];
      if (!slot.used) {
        slot = {hash, a, b, extra, make(), true};
        ++used_;
        return slot.id;
      }
      if (slot.hash == hash && slot.extra == extra && slot.a == a && slot.b == b) return slot.id;
    }
  }

 private:
  struct Slot {
    uint64_t hash = 0;
    std::string_view a, b;
    uint32_t extra = 0;
    uint32_t id = 0;
    bool used = false;
  };

  // Eight bytes at a time, mixed by multiplication. Equal keys are compared in full, so a bad hash
  // costs time only; the input is no attacker's choice of keys here but somebody's own dump.
  static uint64_t Hash(std::string_view text, uint64_t seed) {
    uint64_t h = (seed ^ text.size()) * 0x9e3779b97f4a7c15ULL;
    const char* p = text.data();
    size_t n = text.size();
    for (; n >= 8; p += 8, n -= 8) h = Mix(h, Load(p, 8));
    if (n > 0) h = Mix(h, Load(p, n));
    return h ^ h >> 32;
  }
  static uint64_t Load(const char* p, size_t n) {
    uint64_t v = 0;
    std::memcpy(&v, p, n);
    return v;
  }
  static uint64_t Mix(uint64_t h, uint64_t v) {
    h = (h ^ v) * 0xff51afd7ed558ccdULL;
    return h ^ h >> 29;
  }

  void Grow() {
    std::vector<Slot> old(slots_.empty() ? 1024 : slots_.size() * 2);
    old.swap(slots_);
    for (Slot& slot : old) {
      if (!slot.used) continue;
      size_t i = slot.hash & (slots_.size() - 1);
      while (slots_[i].used) i = (i + 1) & (slots_.size() - 1);
      slots_[i] = slot;
    }
  }

  std::vector<Slot> slots_;
  size_t used_ = 0;
};

// Finds equal stacks without making a Stack for each goroutine first.
class StackTable {
 public:
  explicit StackTable(Snapshot* snapshot) : snapshot_(*snapshot) {}
  StackId Find(const std::vector<LocationId>& locations, int32_t elided, int32_t elided_after);

 private:
  struct Slot {
    uint64_t hash = 0;
    StackId id = 0;  // 0: free (the empty stack is never looked up)
  };
  Snapshot& snapshot_;
  std::vector<Slot> slots_;
  size_t used_ = 0;
};

// Whether dumps hide a function: leash's own two namespaces, and Go's package runtime.
inline bool IsRuntimeFunction(std::string_view function) {
  return function.starts_with("runtime.") || function.starts_with("leash::rt::") ||
         function.starts_with("leash::internal::");
}

// A frame as text gives it: its own location, no inlining known but that it is.
Location TextLocation(Snapshot* s, std::string_view function, std::string_view file, int32_t line,
                      uint64_t pc, uint64_t offset, bool inlined);

// "/src/a.go:12" at the start of `text`, up to a space or the end.
bool ParsePlace(std::string_view text, std::string_view* file, int32_t* line,
                std::string_view* rest);

// Sorted by key, the last of equal keys wins.
LabelSetId AddLabels(Snapshot* s, std::vector<std::pair<std::string, std::string>> labels);

// The state and wait reason that stand for a word in brackets.
void SetStatusWord(Snapshot* s, std::string_view word, Goroutine* g);

inline constexpr std::string_view kGoLeakReason = "Go's collector found that nothing can wake it";

absl::StatusOr<Snapshot> ReadGoText(std::string_view bytes, const ReadLimits& limits);
absl::StatusOr<Snapshot> ReadCountedText(std::string_view bytes, const ReadLimits& limits);
absl::StatusOr<Snapshot> ReadProfileProto(std::string_view bytes, const ReadLimits& limits);
absl::StatusOr<Snapshot> ReadJson(std::string_view bytes, const ReadLimits& limits);

}  // namespace leash::internal

#endif  // LEASH_ANALYZER_READ_SCAN_H_
