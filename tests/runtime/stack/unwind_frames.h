// Functions whose frames are hard to unwind, built several times with different options.

#ifndef LEASH_TESTS_RUNTIME_STACK_UNWIND_FRAMES_H_
#define LEASH_TESTS_RUNTIME_STACK_UNWIND_FRAMES_H_

namespace leash_test {

using Leaf = void (*)(void* arg);

// One per build of unwind_frames.cc: calls `leaf(arg)` from about `depth` times all of its
// functions.
using Descend = int (*)(int depth, Leaf leaf, void* arg);

struct FrameVariant {
  const char* name;
  Descend descend;
};

int DescendO0(int depth, Leaf leaf, void* arg);
int DescendO1FramePointer(int depth, Leaf leaf, void* arg);
int DescendO2(int depth, Leaf leaf, void* arg);
int DescendO2FramePointer(int depth, Leaf leaf, void* arg);
int DescendO3(int depth, Leaf leaf, void* arg);
int DescendO2Protected(int depth, Leaf leaf, void* arg);

inline constexpr FrameVariant kFrameVariants[] = {
    {"O0", DescendO0}, {"O1FramePointer", DescendO1FramePointer},
    {"O2", DescendO2}, {"O2FramePointer", DescendO2FramePointer},
    {"O3", DescendO3}, {"O2Protected", DescendO2Protected},
};

}  // namespace leash_test

#endif  // LEASH_TESTS_RUNTIME_STACK_UNWIND_FRAMES_H_
