// The words that stand for kinds of waited-for objects in text 3 and in JSON.

#ifndef LEASH_MODEL_OBJECT_WORDS_H_
#define LEASH_MODEL_OBJECT_WORDS_H_

#include <array>
#include <optional>
#include <string_view>

#include "leash/snapshot.h"

namespace leash::internal {

inline constexpr std::array<std::string_view, 10> kObjectKindWords = {
    "unknown", "chan", "mutex", "rwmutex", "waitgroup", "cond", "semaphore", "once", "fd", "timer"};
inline constexpr std::array<std::string_view, 3> kWaitOpWords = {"on", "send", "recv"};
inline constexpr std::array<std::string_view, 4> kLeakTierWords = {"none", "proved", "still there",
                                                                   "runaway"};

inline constexpr std::array<std::string_view, 2> kGoroutineKindWords = {"goroutine", "thread"};
inline constexpr std::array<std::string_view, 5> kStateWords = {"runnable", "running", "syscall",
                                                                "waiting", "other"};

template <class Enum, size_t n>
std::optional<Enum> FromWord(const std::array<std::string_view, n>& words, std::string_view word) {
  for (size_t i = 0; i < n; ++i) {
    if (words[i] == word) return static_cast<Enum>(i);
  }
  return std::nullopt;
}

inline std::string_view Word(ObjectKind kind) {
  return kObjectKindWords[static_cast<size_t>(kind)];
}
inline std::string_view StateWord(GoroutineState state) {
  return kStateWords[static_cast<size_t>(state)];
}
inline std::string_view Word(Wait::Op op) { return kWaitOpWords[static_cast<size_t>(op)]; }
inline std::string_view Word(LeakTier tier) { return kLeakTierWords[static_cast<size_t>(tier)]; }

}  // namespace leash::internal

#endif  // LEASH_MODEL_OBJECT_WORDS_H_
