// TsoMachine: runs a few threads of a test on a machine that it makes up, one step at a time in an
// order drawn by chance, so that what goes wrong once in a million runs of the real one goes wrong
// here, and again with the same seed.
//
// The machine is x86's, total store order: a store waits in its processor's buffer, in order, until
// it is drawn to reach memory; a load sees the own buffer first; a read-modify-write, a
// sequentially consistent store and a fence wait until the own buffer is empty. (After Owens,
// Sarkar, Sewell, "A Better x86 Memory Model: x86-TSO".) What weaker machines may do besides is not
// found here.
//
//     TsoMachine machine(seed);
//     TsoAtomic<int> flag;              // takes the place of std::atomic in the code under test
//     machine.Run({[&] { flag.store(1, std::memory_order_relaxed); }, [&] { ... }});
//
// The threads are contexts on one thread, and each operation of a TsoAtomic is a point at which
// another may go on. Outside of Run, operations take place at once. What is used in Run must be
// there until Run returns: a store may reach it when the thread that made it has returned.

#ifndef LEASH_TESTS_SUPPORT_TSO_MACHINE_H_
#define LEASH_TESTS_SUPPORT_TSO_MACHINE_H_

#include <atomic>
#include <cstdint>
#include <cstring>
#include <deque>
#include <functional>
#include <memory>
#include <random>
#include <type_traits>
#include <vector>

#include "stack/context.h"

namespace leash::testing {

class TsoCell;

class TsoMachine {
 public:
  explicit TsoMachine(uint64_t seed) : random_(seed) {}
  TsoMachine(const TsoMachine&) = delete;
  TsoMachine& operator=(const TsoMachine&) = delete;

  // Runs them until all have returned and all stores have reached memory.
  void Run(std::vector<std::function<void()>> threads);

  // The machine whose thread this is; null outside of Run.
  static TsoMachine* Current() { return current_; }

  // For the code under test, from its threads.
  uint64_t Random(uint64_t below) { return random_() % below; }
  // Every processor's buffer empties: membarrier(2).
  static void FenceEverywhere();
  // The own one does.
  static void Fence();
  // A point at which another may go on.
  static void Step();

 private:
  friend class TsoCell;
  struct Store {
    uint64_t* address;
    uint64_t value;
  };
  struct Thread {
    std::function<void()> body;
    rt::Context context;
    std::unique_ptr<char[]> stack;
    std::deque<Store> buffer;
    bool done = false;
  };
  static constexpr size_t kStackBytes = size_t{32} << 10;

  [[noreturn]] static void Enter();
  static void SwitchTo(rt::Context* save, rt::Context* load);
  void StepHere();
  void Drain(Thread& thread);
  void DrainOne(Thread& thread);

  static inline TsoMachine* current_ = nullptr;
  std::mt19937_64 random_;
  std::vector<Thread> threads_;
  size_t running_ = 0;
  rt::Context back_;
};

// A word of the machine's memory.
class TsoCell {
 public:
  explicit TsoCell(uint64_t value) : memory_(value) {}
  uint64_t Load() const;
  void Store(uint64_t value);
  // A read-modify-write begins: the word as it is in memory, until the thread's next operation.
  uint64_t* Lock();

 private:
  uint64_t memory_;
};

template <class T>
class TsoAtomic {
  static_assert(sizeof(T) <= sizeof(uint64_t) && std::is_trivially_copyable_v<T>);

 public:
  TsoAtomic() : TsoAtomic(T{}) {}
  TsoAtomic(T value) : cell_(Word(value)) {}  // NOLINT(google-explicit-constructor): as std::atomic
  TsoAtomic(const TsoAtomic&) = delete;
  TsoAtomic& operator=(const TsoAtomic&) = delete;

  T load(std::memory_order) const { return Value(cell_.Load()); }
  void store(T value, std::memory_order order) {
    cell_.Store(Word(value));
    if (order == std::memory_order_seq_cst) TsoMachine::Fence();
  }
  T exchange(T value, std::memory_order) {
    uint64_t* word = cell_.Lock();
    const T old = Value(*word);
    *word = Word(value);
    return old;
  }
  T fetch_add(T by, std::memory_order) {
    uint64_t* word = cell_.Lock();
    const T old = Value(*word);
    *word = Word(static_cast<T>(old + by));
    return old;
  }
  bool compare_exchange_strong(T& expected, T value, std::memory_order, std::memory_order) {
    uint64_t* word = cell_.Lock();
    if (*word == Word(expected)) {
      *word = Word(value);
      return true;
    }
    expected = Value(*word);
    return false;
  }
  bool compare_exchange_weak(T& expected, T value, std::memory_order good, std::memory_order bad) {
    return compare_exchange_strong(expected, value, good, bad);
  }

 private:
  static uint64_t Word(T value) {
    uint64_t word = 0;
    std::memcpy(&word, &value, sizeof(value));
    return word;
  }
  static T Value(uint64_t word) {
    T value;
    std::memcpy(&value, &word, sizeof(value));
    return value;
  }

  TsoCell cell_;
};

}  // namespace leash::testing

#endif  // LEASH_TESTS_SUPPORT_TSO_MACHINE_H_
