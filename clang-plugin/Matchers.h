//===--- Matchers.h - AST matchers of the checks ----------------*- C++ -*-===//

#ifndef LEASH_CLANG_PLUGIN_MATCHERS_H
#define LEASH_CLANG_PLUGIN_MATCHERS_H

#include "Spawn.h"
#include "clang/ASTMatchers/ASTMatchers.h"

namespace clang::tidy::leash {

/// Matches a call or construction that starts a task.
AST_MATCHER_P(Expr, isSpawn, const Vocabulary *, Words) {
  return asSpawn(&Node, *Words).has_value();
}

} // namespace clang::tidy::leash

#endif // LEASH_CLANG_PLUGIN_MATCHERS_H
