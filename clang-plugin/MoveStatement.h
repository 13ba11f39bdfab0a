//===--- MoveStatement.h - A statement moved before another -----*- C++ -*-===//

#ifndef LEASH_CLANG_PLUGIN_MOVESTATEMENT_H
#define LEASH_CLANG_PLUGIN_MOVESTATEMENT_H

#include "WaitGroupUse.h"
#include "clang/Basic/Diagnostic.h"

namespace clang::tidy::leash {

/// Moves an Add out of the lambda that \p S spawns, to before the spawn, if
/// the result means the same and compiles; else nothing.
std::vector<FixItHint> moveBeforeSpawn(const TaskAdd &Add, const Spawn &S,
                                       const Task &T, ASTContext &Context);

} // namespace clang::tidy::leash

#endif // LEASH_CLANG_PLUGIN_MOVESTATEMENT_H
