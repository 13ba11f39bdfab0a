//===--- MoveStatement.h - A statement moved before another -----*- C++ -*-===//

#ifndef LEASH_CLANG_PLUGIN_MOVESTATEMENT_H
#define LEASH_CLANG_PLUGIN_MOVESTATEMENT_H

#include "WaitGroupUse.h"
#include "clang/Basic/Diagnostic.h"

namespace clang::tidy::leash {

/// Moves the Adds that can be moved out of the lambda that \p S spawns, to
/// before the spawn; none if the result would not mean the same or compile.
/// One fix for all: two that insert at the same place cannot both be applied.
std::vector<FixItHint> moveBeforeSpawn(llvm::ArrayRef<TaskAdd> Adds,
                                       const Spawn &S, const Task &T,
                                       ASTContext &Context);

} // namespace clang::tidy::leash

#endif // LEASH_CLANG_PLUGIN_MOVESTATEMENT_H
