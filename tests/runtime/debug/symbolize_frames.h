// Functions to symbolise, built with different debug information.

#ifndef LEASH_TESTS_RUNTIME_DEBUG_SYMBOLIZE_FRAMES_H_
#define LEASH_TESTS_RUNTIME_DEBUG_SYMBOLIZE_FRAMES_H_

namespace leash_test {

using Leaf = void (*)(void* arg);

// Each calls `leaf(arg)` through the same functions.
void FramesO0(Leaf leaf, void* arg);       // -O0 -g
void FramesO2(Leaf leaf, void* arg);       // -O2 -g
void FramesO2G1(Leaf leaf, void* arg);     // -O2 -g1
void FramesNoDebug(Leaf leaf, void* arg);  // -O2 -g0

}  // namespace leash_test

#endif  // LEASH_TESTS_RUNTIME_DEBUG_SYMBOLIZE_FRAMES_H_
