// What the tests of sync share: who waits for an object, crews of goroutines and threads, and
// memory that must not be touched any more.

#ifndef LEASH_TESTS_RUNTIME_SYNC_SYNC_TEST_SUPPORT_H_
#define LEASH_TESTS_RUNTIME_SYNC_SYNC_TEST_SUPPORT_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <functional>
#include <new>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "leash/go.h"
#include "leash/sync.h"
#include "sync/sync_facts.h"

namespace leash::testing {

// What a dump would say of the object now. It copies as a dump does, while others write: not for
// the eyes of ThreadSanitizer.
template <class T>
__attribute__((no_sanitize("thread"))) rt::SyncFacts FactsOf(const T& object) {
  char copy[sizeof(T)];
  const volatile char* const bytes = reinterpret_cast<const volatile char*>(&object);
  for (size_t i = 0; i < sizeof(T); ++i) copy[i] = bytes[i];
  return rt::DecodeSyncObject(copy, sizeof(T)).value();
}

// Lets others run until the condition holds; false after a minute.
template <class Condition>
[[nodiscard]] bool Eventually(Condition condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    Gosched();
  }
  return true;
}

template <class T>
[[nodiscard]] bool EventuallyWaiting(const T& object, uint64_t waiters) {
  return Eventually([&] { return FactsOf(object).waiters == waiters; });
}

// Computes for as long: what a goroutine does that holds a lock.
inline void Compute(std::chrono::nanoseconds time) {
  const auto until = std::chrono::steady_clock::now() + time;
  while (std::chrono::steady_clock::now() < until) {
  }
}

// The text of the panic that the function ends with; "" if none.
template <class F>
std::string PanicOf(F f) {
  try {
    f();
  } catch (const PanicError& error) {
    return error.what();
  }
  return "";
}

enum class CrewKind { kGoroutines, kThreads, kMixed };

inline std::string CrewName(const ::testing::TestParamInfo<CrewKind>& info) {
  switch (info.param) {
    case CrewKind::kGoroutines:
      return "Goroutines";
    case CrewKind::kThreads:
      return "Threads";
    case CrewKind::kMixed:
      return "Mixed";
  }
  return "";
}

// Runs functions in goroutines, in threads, or in both by turns. Uses nothing of what is tested.
class Crew {
 public:
  explicit Crew(CrewKind kind = CrewKind::kGoroutines) : kind_(kind) {}
  ~Crew() { Join(); }

  void Start(std::function<void()> f) {
    const int n = started_++;
    if (kind_ == CrewKind::kThreads || (kind_ == CrewKind::kMixed && n % 2 == 1)) {
      threads_.emplace_back([this, f = std::move(f)] {
        f();
        ended_.fetch_add(1);
      });
    } else {
      go([this, f = std::move(f)] {
        f();
        ended_.fetch_add(1);
      });
    }
  }

  // How many have ended.
  int Ended() const { return ended_.load(); }

  void Join() {
    EXPECT_TRUE(Eventually([&] { return ended_.load() == started_; }));
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

 private:
  const CrewKind kind_;
  int started_ = 0;
  std::atomic<int> ended_{0};
  std::vector<std::thread> threads_;
};

// Room for one object whose memory is watched after its end: a write that comes too late shows.
template <class T>
class Grave {
 public:
  template <class... Args>
  explicit Grave(Args&&... args) {
    ::new (static_cast<void*>(room_)) T(std::forward<Args>(args)...);
  }
  T* get() { return std::launder(reinterpret_cast<T*>(room_)); }
  // Destroys the object and fills its memory.
  void Bury() {
    get()->~T();
    std::memset(room_, kEarth, sizeof room_);
  }
  bool Undisturbed() const {
    return std::all_of(std::begin(room_), std::end(room_),
                       [](unsigned char c) { return c == kEarth; });
  }

 private:
  static constexpr unsigned char kEarth = 0xab;
  alignas(T) unsigned char room_[sizeof(T)];
};

}  // namespace leash::testing

#endif  // LEASH_TESTS_RUNTIME_SYNC_SYNC_TEST_SUPPORT_H_
