// The frames of a stack as a person sees them.

#ifndef LEASH_MODEL_STACK_VIEW_H_
#define LEASH_MODEL_STACK_VIEW_H_

#include "leash/snapshot.h"

namespace leash::internal {

// Whether every frame is the runtime's own; then all are shown, else none of the runtime's.
inline bool OnlyRuntimeFrames(const Snapshot& snapshot, const Stack& stack) {
  for (LocationId id : stack.locations) {
    const Location& location = snapshot.locations[id];
    if (location.frames.empty()) return false;
    for (const Frame& frame : location.frames) {
      if (!frame.runtime) return false;
    }
  }
  return true;
}

// Calls f(location, frame) for each frame to show, innermost first, and elided(n) at the place
// where the writer of a file left out n of them. A location without a name is a frame without a
// function.
template <class FrameFn, class ElidedFn>
void ForEachVisibleFrame(const Snapshot& snapshot, const Stack& stack, FrameFn f, ElidedFn elided) {
  static const Frame kUnknown;
  const bool show_runtime = OnlyRuntimeFrames(snapshot, stack);
  for (size_t i = 0; i < stack.locations.size(); ++i) {
    if (stack.elided > 0 && i == static_cast<size_t>(stack.elided_after)) elided(stack.elided);
    const Location& location = snapshot.locations[stack.locations[i]];
    if (location.frames.empty()) f(location, kUnknown);
    for (const Frame& frame : location.frames) {
      if (show_runtime || !frame.runtime) f(location, frame);
    }
  }
  if (stack.elided > 0 && static_cast<size_t>(stack.elided_after) >= stack.locations.size()) {
    elided(stack.elided);
  }
}

template <class FrameFn>
void ForEachVisibleFrame(const Snapshot& snapshot, const Stack& stack, FrameFn f) {
  ForEachVisibleFrame(snapshot, stack, f, [](int32_t) {});
}

}  // namespace leash::internal

#endif  // LEASH_MODEL_STACK_VIEW_H_
