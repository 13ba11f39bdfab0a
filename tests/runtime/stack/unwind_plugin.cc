// A library that is loaded while a test runs.

#include "runtime/stack/unwind_frames.h"

extern "C" [[gnu::visibility("default")]] int leash_test_plugin_call(leash_test::Leaf leaf,
                                                                     void* arg) {
  volatile int frame[16] = {};
  leaf(arg);
  return frame[3];
}
