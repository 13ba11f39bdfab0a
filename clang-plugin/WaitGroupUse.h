//===--- WaitGroupUse.h - What a task does to a WaitGroup -------*- C++ -*-===//
//
// Which WaitGroup an expression names, where a task adds to one, and whether
// the task is counted by it already.
//
//===----------------------------------------------------------------------===//

#ifndef LEASH_CLANG_PLUGIN_WAITGROUPUSE_H
#define LEASH_CLANG_PLUGIN_WAITGROUPUSE_H

#include "Spawn.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"

namespace clang::tidy::leash {

/// The object that an expression names: a variable or `this`, and members.
/// A pointer, smart pointer or reference stands for what it points to.
struct ObjectPath {
  bool IsValid = false;
  /// Null: `this` of the function that holds the spawn.
  const VarDecl *Root = nullptr;
  llvm::SmallVector<const ValueDecl *, 2> Members;

  bool operator==(const ObjectPath &Other) const {
    return IsValid && Other.IsValid && Root == Other.Root &&
           Members == Other.Members;
  }
  /// A variable of a function that is no reference to something else.
  bool isLocal() const;
};

/// What the parameters and `this` of a function that is looked into stand for.
struct Bindings {
  llvm::DenseMap<const VarDecl *, ObjectPath> Parameters;
  ObjectPath This;

  /// Those of a function that stands on its own.
  static Bindings none();
  /// Those of \p Callee for a call with these arguments.
  Bindings enter(const FunctionDecl *Callee,
                 llvm::ArrayRef<const Expr *> Arguments,
                 const Expr *Object) const;
  /// Those of a task.
  Bindings enter(const Task &T) const;
};

ObjectPath pathOf(const Expr *E, const Bindings &Bound);

/// A call on a WaitGroup.
struct WaitGroupCall {
  enum Operation { Add, Done, Wait, Go, Other };
  Operation What = Other;
  const MemberExpr *Callee = nullptr;
  const CXXMemberCallExpr *Call = nullptr;
  ObjectPath Object;
  /// Of an Add: its argument's value, if that is constant. 1 for Done.
  std::optional<int64_t> Delta;

  bool isPositiveAdd() const { return What == Add && (!Delta || *Delta > 0); }
};

std::optional<WaitGroupCall> asWaitGroupCall(const Stmt *S,
                                             const Bindings &Bound,
                                             ASTContext &Context,
                                             const Vocabulary &Words);

/// An Add that a task runs, not one of the tasks that it starts.
struct TaskAdd {
  WaitGroupCall Call;
  /// The call in the task's own body through which it is reached; null if it
  /// stands there itself.
  const CallExpr *Via = nullptr;
};

/// Everything that is asked about one task.
class TaskWaitGroups {
public:
  TaskWaitGroups(const Task &T, ASTContext &Context, const Vocabulary &Words);

  const std::vector<TaskAdd> &adds() const { return Adds; }

  /// Made by the task itself.
  bool isOwn(const ObjectPath &Path) const;

  /// How many counts of \p Path the task, with the tasks that it starts, gives
  /// back beyond those that it takes itself: at most, over all its paths. More
  /// than none: it was counted before it started. nullopt: cannot be told.
  struct Balance {
    std::optional<int> Surplus;
    bool Waits = false;
  };
  Balance balance(const ObjectPath &Path) const;

private:
  void collect(const Stmt *S, const Bindings &Bound, const CallExpr *Via,
               unsigned Depth);

  const Task &Body;
  ASTContext &Context;
  const Vocabulary &Words;
  Bindings Outer;
  std::vector<TaskAdd> Adds;
  llvm::DenseSet<const FunctionDecl *> Entered;
};

/// Calls \p Visit as forEachStmt does, but not for what lambdas capture: to
/// capture an object is no use of it.
void forEachUse(const Stmt *S, llvm::function_ref<bool(const Stmt *)> Visit);

} // namespace clang::tidy::leash

#endif // LEASH_CLANG_PLUGIN_WAITGROUPUSE_H
