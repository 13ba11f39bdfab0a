//===--- Spawn.h - Where tasks start, and what they run ---------*- C++ -*-===//
//
// A spawn is a call that starts a task: a goroutine, thread, fiber or timer
// callback. This file says which calls are spawns, what their task runs, and
// what becomes of the handle that they return.
//
//===----------------------------------------------------------------------===//

#ifndef LEASH_CLANG_PLUGIN_SPAWN_H
#define LEASH_CLANG_PLUGIN_SPAWN_H

#include "Vocabulary.h"
#include "clang/AST/ASTContext.h"
#include "clang/AST/ExprCXX.h"
#include "llvm/ADT/SmallVector.h"
#include <optional>

namespace clang::tidy::leash {

/// What a task runs.
struct Task {
  /// Its function, with a body; null if that is not known or not visible.
  const FunctionDecl *Function = nullptr;
  /// The lambda, if that is what it is.
  const LambdaExpr *Lambda = nullptr;
  /// The lambda is written in the spawn itself.
  bool IsInline = false;
  /// Arguments for the function's parameters, as far as they are known.
  llvm::SmallVector<const Expr *, 4> Arguments;
  /// What a member function is called on, if that is what the task does.
  const Expr *Object = nullptr;
};

struct Spawn {
  /// The CallExpr or CXXConstructExpr.
  const Expr *Site = nullptr;
  const SpawnName *Name = nullptr;
  const FunctionDecl *Callee = nullptr;
  /// The object of a member function: `wg` in `wg.Go(f)`.
  const Expr *Object = nullptr;
  llvm::SmallVector<const Expr *, 4> Arguments;
};

/// The spawn that \p E is, if it is one.
std::optional<Spawn> asSpawn(const Expr *E, const Vocabulary &Words);

/// What the task of \p S runs.
Task taskOf(const Spawn &S);

/// True if the spawn says that its task is meant to outlive its spawner, or
/// may say so where this cannot be seen.
bool isBackground(const Spawn &S, ASTContext &Context);

/// True if the handle of the task, if it has one, is dropped or detached, so
/// that nobody can wait through it.
bool dropsHandle(const Spawn &S, ASTContext &Context);

/// True if a function that waits for tasks is called after \p S, in the same
/// function: `WaitForAll()`.
bool isJoinedLater(const Spawn &S, ASTContext &Context,
                   const Vocabulary &Words);

/// The function or lambda body in which \p S stands, or null.
const Stmt *enclosingBody(const Stmt *S, ASTContext &Context);
/// The outermost one: that of the function that holds all lambdas around.
const Stmt *outermostBody(const Stmt *S, ASTContext &Context);

/// \p E without parentheses, casts, temporaries, copies, std::move and
/// std::ref: the expression that names the object.
const Expr *strip(const Expr *E);

/// Calls \p Visit for each statement below \p S, itself included, until it
/// returns false for one, whose children are then left out. Enters lambdas.
void forEachStmt(const Stmt *S, llvm::function_ref<bool(const Stmt *)> Visit);

} // namespace clang::tidy::leash

#endif // LEASH_CLANG_PLUGIN_SPAWN_H
