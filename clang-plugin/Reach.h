//===--- Reach.h - Can anybody wait for, cancel or hear a task? -*- C++ -*-===//
//
// A task can be waited for, cancelled or heard from if something that does so
// reaches it: by capture, by argument, or as a member or global that it uses.
// Whatever cannot be seen counts as if it did: precision comes before recall.
//
//===----------------------------------------------------------------------===//

#ifndef LEASH_CLANG_PLUGIN_REACH_H
#define LEASH_CLANG_PLUGIN_REACH_H

#include "Spawn.h"

namespace clang::tidy::leash {

enum class Reach {
  Nothing, ///< Seen through, and there is nothing.
  Hidden,  ///< Part of it cannot be seen.
  Found,   ///< There is something.
};

/// What reaches the task of \p S. Looks into every function with a body that
/// the task calls.
Reach reachOf(const Spawn &S, const Task &T, const Vocabulary &Words);

} // namespace clang::tidy::leash

#endif // LEASH_CLANG_PLUGIN_REACH_H
