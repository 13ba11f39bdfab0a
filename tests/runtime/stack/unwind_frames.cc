// See unwind_frames.h. UNWIND_FRAMES_NAME is the name of this build's entry.

#include "runtime/stack/unwind_frames.h"

#include <alloca.h>

#include <cstdlib>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>

namespace leash_test {
namespace {

#define NOINLINE [[gnu::noinline]]

volatile int sink;

struct Call {
  Leaf leaf;
  void* arg;
};

int Virtual(int depth, const Call& call);

NOINLINE int Bottom(int depth, const Call& call) {
  char text[40];
  text[depth & 31] = 1;
  sink = sink + text[3];
  call.leaf(call.arg);
  sink = sink + 1;
  return text[1];
}

// More arguments than registers.
NOINLINE int StackArguments(int depth, const Call& call, long a, long b, long c, long d, long e,
                            long f, long g) {
  const int r = Bottom(depth, call);
  sink = sink + static_cast<int>(a + b + c + d + e + f + g);
  return r;
}

// Needs a frame pointer: its size is known at run time.
NOINLINE int Alloca(int depth, const Call& call) {
  auto* p = static_cast<volatile long*>(alloca(32 + (depth & 3) * 16));
  p[0] = depth;
  const int r = StackArguments(depth, call, 1, 2, 3, 4, 5, 6, depth);
  return r + static_cast<int>(p[0]);
}

// The stack is realigned: the caller's frame is found through a saved pointer.
NOINLINE int Realigned(int depth, const Call& call) {
  alignas(64) volatile char text[64];
  text[depth & 31] = 2;
  const int r = Alloca(depth, call);
  return r + text[2];
}

// Both, with locals that fill the saved registers.
NOINLINE int RealignedAlloca(int depth, const Call& call, long a, long b, long c) {
  alignas(32) volatile char text[32];
  text[0] = static_cast<char>(depth);
  auto* p = static_cast<volatile long*>(alloca(16 + (depth & 7) * 16));
  p[0] = a;
  const int r = Realigned(depth, call);
  sink = sink + r;
  const int s = depth > 1000 ? Alloca(depth, call) : 0;
  return r + s + text[0] + static_cast<int>(p[0] + a * b + b * c + c * a);
}

NOINLINE int BigFrame(int depth, const Call& call) {
  volatile char text[9000];
  text[depth & 4095] = 3;
  const int r = RealignedAlloca(depth, call, depth, depth + 1, depth + 2);
  return r + text[8000];
}

template <class T, int N>
NOINLINE int Template(T depth, const Call& call) {
  if constexpr (N > 0) {
    const int r = Template<T, N - 1>(depth, call);
    sink = sink + N;
    return r;
  } else {
    return BigFrame(static_cast<int>(depth), call);
  }
}

NOINLINE int WithString(int depth, const Call& call) {
  const std::string text(static_cast<size_t>(depth & 63), 'x');
  const int r = Template<long, 3>(depth, call);
  sink = sink + static_cast<int>(text.size());
  return r;
}

// Called out of a handler, with the exception alive.
NOINLINE int InHandler(int depth, const Call& call) {
  try {
    if (depth >= 0) throw std::runtime_error("x");
  } catch (const std::runtime_error& e) {
    const int r = WithString(depth, call);
    sink = sink + e.what()[0];
    return r;
  }
  return 0;
}

NOINLINE int Lambda(int depth, const Call& call) {
  const std::function<int(int)> f = [&call, depth](int more) {
    const int r = InHandler(depth + more, call);
    sink = sink + 1;
    return r;
  };
  const int r = f(1);
  sink = sink + 1;
  return r;
}

// Through libc and the procedure linkage table: the comparison of qsort.
thread_local const Call* sorting;
thread_local bool sorted;

int Compare(const void* a, const void* b) {
  if (!sorted) {
    sorted = true;
    sink = sink + Lambda(1, *sorting);
  }
  return *static_cast<const int*>(a) - *static_cast<const int*>(b);
}

NOINLINE int ThroughLibc(int depth, const Call& call) {
  int values[3] = {depth, 1, 2};
  sorting = &call;
  sorted = false;
  qsort(values, 3, sizeof(int), &Compare);
  return values[1];
}

struct Base {
  virtual ~Base() = default;
  virtual int Go(int depth, const Call& call) = 0;
};
struct Derived : Base {
  int Go(int depth, const Call& call) override {
    const int r = ThroughLibc(depth, call);
    sink = sink + 1;
    return r;
  }
};

NOINLINE int Virtual(int depth, const Call& call) {
  const std::unique_ptr<Base> object = std::make_unique<Derived>();
  const int r = object->Go(depth, call);
  sink = sink + 1;
  return r;
}

NOINLINE int Recurse(int depth, const Call& call) {
  const int r = depth > 0 ? Recurse(depth - 1, call) : Virtual(depth, call);
  sink = sink + 1;
  return r;
}

}  // namespace

int UNWIND_FRAMES_NAME(int depth, Leaf leaf, void* arg) {
  const int r = Recurse(depth, Call{leaf, arg});
  sink = sink + 1;
  return r;
}

}  // namespace leash_test
