//===--- WaitGroupUse.cpp - What a task does to a WaitGroup ---------------===//

#include "WaitGroupUse.h"
#include "clang/AST/DeclTemplate.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringSwitch.h"

namespace clang::tidy::leash {
namespace {

constexpr unsigned DepthMax = 6;

bool isPointerLike(QualType Type) {
  if (Type->isReferenceType() || Type->isAnyPointerType())
    return true;
  const CXXRecordDecl *Record = Type->getAsCXXRecordDecl();
  return Record && Record->getIdentifier() &&
         Record->getName() == "reference_wrapper";
}

// An iterator has the same operators, and points to something else each time.
bool isSmartPointer(QualType Type) {
  const CXXRecordDecl *Record = Type->getAsCXXRecordDecl();
  return Record && Record->getIdentifier() &&
         Record->getName().contains_insensitive("ptr");
}

const FunctionDecl *bodyOf(const FunctionDecl *F, const Vocabulary &Words) {
  const FunctionDecl *Definition = nullptr;
  if (!F || Words.isLibrary(F) || !F->hasBody(Definition))
    return nullptr;
  const auto *Method = dyn_cast<CXXMethodDecl>(Definition);
  return Method && Method->isVirtual() ? nullptr : Definition;
}

// The arguments without the object of an operator call.
llvm::ArrayRef<const Expr *> argumentsOf(const CallExpr *Call) {
  llvm::ArrayRef<const Expr *> All(Call->getArgs(), Call->getNumArgs());
  const bool HasObject =
      isa<CXXOperatorCallExpr>(Call) &&
      isa_and_nonnull<CXXMethodDecl>(Call->getDirectCallee());
  return HasObject && !All.empty() ? All.drop_front() : All;
}

const Expr *objectOf(const CallExpr *Call) {
  const auto *Member = dyn_cast<CXXMemberCallExpr>(Call);
  return Member ? Member->getImplicitObjectArgument() : nullptr;
}

} // namespace

bool ObjectPath::isLocal() const {
  if (!IsValid || !Root || isa<ParmVarDecl>(Root) || !Root->hasLocalStorage())
    return false;
  return !isPointerLike(Root->getType());
}

Bindings Bindings::none() {
  Bindings Result;
  Result.This.IsValid = true;
  return Result;
}

Bindings Bindings::enter(const FunctionDecl *Callee,
                         llvm::ArrayRef<const Expr *> Arguments,
                         const Expr *Object) const {
  // A lambda sees the variables around it.
  Bindings Result = *this;
  const auto *Method = dyn_cast<CXXMethodDecl>(Callee);
  if (Method && !Method->getParent()->isLambda())
    Result.This = Object ? pathOf(Object, *this) : ObjectPath();
  for (unsigned I = 0; I < Callee->getNumParams(); ++I) {
    const ParmVarDecl *Parameter = Callee->getParamDecl(I);
    Result.Parameters.erase(Parameter);
    if (I >= Arguments.size())
      continue;
    // A copy is another object; a copied pointer or handle is not.
    Result.Parameters[Parameter] = pathOf(Arguments[I], *this);
  }
  return Result;
}

Bindings Bindings::enter(const Task &T) const {
  return enter(T.Function, T.Arguments, T.Object);
}

ObjectPath pathOf(const Expr *E, const Bindings &Bound) {
  E = strip(E);
  if (isa<CXXThisExpr>(E))
    return Bound.This;
  if (const auto *Operator = dyn_cast<UnaryOperator>(E)) {
    if (Operator->getOpcode() == UO_AddrOf || Operator->getOpcode() == UO_Deref)
      return pathOf(Operator->getSubExpr(), Bound);
    return {};
  }
  if (const auto *Operator = dyn_cast<CXXOperatorCallExpr>(E)) {
    if (isSmartPointer(Operator->getArg(0)->getType()) &&
        (Operator->getOperator() == OO_Arrow ||
         (Operator->getOperator() == OO_Star && Operator->getNumArgs() == 1)))
      return pathOf(Operator->getArg(0), Bound);
    return {};
  }
  if (const auto *Call = dyn_cast<CXXMemberCallExpr>(E)) {
    const FunctionDecl *Callee = Call->getDirectCallee();
    if (Callee && Callee->getIdentifier() && Callee->getName() == "get" &&
        Callee->isInStdNamespace())
      return pathOf(Call->getImplicitObjectArgument(), Bound);
    return {};
  }
  if (const auto *Member = dyn_cast<MemberExpr>(E)) {
    ObjectPath Result;
    if (const auto *Global = dyn_cast<VarDecl>(Member->getMemberDecl())) {
      Result.IsValid = true;
      Result.Root = Global->getCanonicalDecl();
      return Result;
    }
    Result = pathOf(Member->getBase(), Bound);
    Result.Members.push_back(
        cast<ValueDecl>(Member->getMemberDecl()->getCanonicalDecl()));
    return Result;
  }
  const auto *Ref = dyn_cast<DeclRefExpr>(E);
  const auto *Var = Ref ? dyn_cast<VarDecl>(Ref->getDecl()) : nullptr;
  if (!Var)
    return {};
  if (auto Found = Bound.Parameters.find(Var); Found != Bound.Parameters.end())
    return Found->second;
  if (!isa<ParmVarDecl>(Var) && Var->getInit() &&
      (Var->isInitCapture() || isPointerLike(Var->getType())))
    return pathOf(Var->getInit(), Bound);
  ObjectPath Result;
  Result.IsValid = true;
  Result.Root = Var->getCanonicalDecl();
  return Result;
}

std::optional<WaitGroupCall> asWaitGroupCall(const Stmt *S,
                                             const Bindings &Bound,
                                             ASTContext &Context,
                                             const Vocabulary &Words) {
  const auto *Call = dyn_cast<CXXMemberCallExpr>(S);
  const CXXMethodDecl *Method = Call ? Call->getMethodDecl() : nullptr;
  if (!Method || !Method->getIdentifier())
    return std::nullopt;
  const Expr *Object = Call->getImplicitObjectArgument()->IgnoreImpCasts();
  QualType Type = Object->getType();
  if (Type->isPointerType())
    Type = Type->getPointeeType();
  if (!Words.isWaitGroup(Type->getAsRecordDecl()) &&
      !Words.isWaitGroup(Method->getParent()))
    return std::nullopt;
  WaitGroupCall Result;
  Result.Call = Call;
  Result.Callee = cast<MemberExpr>(Call->getCallee()->IgnoreParenImpCasts());
  Result.Object = pathOf(Object, Bound);
  Result.What =
      llvm::StringSwitch<WaitGroupCall::Operation>(Method->getName().lower())
          .Case("add", WaitGroupCall::Add)
          .Case("done", WaitGroupCall::Done)
          .Case("wait", WaitGroupCall::Wait)
          .Case("go", WaitGroupCall::Go)
          .Default(WaitGroupCall::Other);
  if (Words.isJoin(Method))
    Result.What = WaitGroupCall::Wait;
  if (Result.What == WaitGroupCall::Add) {
    if (Call->getNumArgs() == 0 || isa<CXXDefaultArgExpr>(Call->getArg(0))) {
      Result.Delta = 1;
    } else if (const Expr *Delta = Call->getArg(0);
               !Delta->isValueDependent()) {
      if (std::optional<llvm::APSInt> Value =
              Delta->getIntegerConstantExpr(Context))
        Result.Delta = Value->getExtValue();
      else if (const auto *Minus =
                   dyn_cast<UnaryOperator>(Delta->IgnoreParenImpCasts());
               Minus && Minus->getOpcode() == UO_Minus)
        Result.What = WaitGroupCall::Other;
    }
  } else if (Result.What == WaitGroupCall::Done) {
    Result.Delta = 1;
  }
  return Result;
}

void forEachUse(const Stmt *S, llvm::function_ref<bool(const Stmt *)> Visit) {
  if (!S || !Visit(S))
    return;
  if (const auto *Lambda = dyn_cast<LambdaExpr>(S))
    return forEachUse(Lambda->getBody(), Visit);
  for (const Stmt *Child : S->children())
    forEachUse(Child, Visit);
}

//===----------------------------------------------------------------------===//
// TaskWaitGroups
//===----------------------------------------------------------------------===//

TaskWaitGroups::TaskWaitGroups(const Task &T, ASTContext &Context,
                               const Vocabulary &Words)
    : Body(T), Context(Context), Words(Words), Outer(Bindings::none()) {
  if (!T.Function)
    return;
  Entered.insert(T.Function);
  collect(T.Function->getBody(), Outer.enter(T), nullptr, 0);
}

bool TaskWaitGroups::isOwn(const ObjectPath &Path) const {
  if (!Path.Root || !Path.Root->hasLocalStorage())
    return false;
  for (const DeclContext *Ctx = Path.Root->getDeclContext(); Ctx;
       Ctx = Ctx->getParent())
    if (const auto *F = dyn_cast<FunctionDecl>(Ctx); F && Entered.contains(F))
      return true;
  return false;
}

void TaskWaitGroups::collect(const Stmt *S, const Bindings &Bound,
                             const CallExpr *Via, unsigned Depth) {
  if (!S)
    return;
  // Not called here; a call of it is followed where it stands.
  if (isa<LambdaExpr>(S))
    return;
  if (std::optional<WaitGroupCall> Call =
          asWaitGroupCall(S, Bound, Context, Words)) {
    if (Call->isPositiveAdd() && Call->Object.IsValid)
      Adds.push_back({*Call, Via});
  } else if (const auto *E = dyn_cast<Expr>(S); E && asSpawn(E, Words)) {
    // What it starts is a task of its own, and is matched as such.
  } else if (const auto *Call = dyn_cast<CallExpr>(S)) {
    const FunctionDecl *Callee = bodyOf(Call->getDirectCallee(), Words);
    if (Callee && Depth < DepthMax && Entered.insert(Callee).second)
      collect(Callee->getBody(),
              Bound.enter(Callee, argumentsOf(Call), objectOf(Call)),
              Via ? Via : Call, Depth + 1);
  }
  for (const Stmt *Child : S->children())
    collect(Child, Bound, Via, Depth);
}

namespace {

// The sums of Done minus Add along the paths of a body, at most.
class PathSums {
public:
  PathSums(const ObjectPath &Path, ASTContext &Context, const Vocabulary &Words)
      : Path(Path), Context(Context), Words(Words) {}

  bool isUnknown() const { return Unknown || (Inexact && GivesBack); }
  bool waits() const { return Waits; }

  // Of a function: the most that any of its ends has.
  int function(const FunctionDecl *F, const Bindings &Bound, bool IsTask) {
    if (Stack.size() > DepthMax || !Stack.insert(F).second) {
      Unknown = true;
      return 0;
    }
    const bool WasTask = std::exchange(InOtherTask, InOtherTask || IsTask);
    Ends R = statement(F->getBody(), Bound);
    InOtherTask = WasTask;
    Stack.erase(F);
    return std::max(R.Fall.value_or(INT_MIN), R.Exit.value_or(INT_MIN)) ==
                   INT_MIN
               ? 0
               : std::max(R.Fall.value_or(INT_MIN), R.Exit.value_or(INT_MIN));
  }

private:
  struct Ends {
    std::optional<int> Fall = 0; // nullopt: never gets to its end
    std::optional<int> Exit;     // nullopt: leaves the function nowhere
  };

  static std::optional<int> most(std::optional<int> A, std::optional<int> B) {
    if (!A || !B)
      return A ? A : B;
    return std::max(*A, *B);
  }
  static std::optional<int> plus(std::optional<int> A, int B) {
    return A ? std::optional<int>(*A + B) : std::nullopt;
  }

  static void append(Ends &Sum, const Ends &Next) {
    if (!Sum.Fall)
      return;
    Sum.Exit = most(Sum.Exit, plus(Next.Exit, *Sum.Fall));
    Sum.Fall = plus(Next.Fall, *Sum.Fall);
  }

  Ends branches(Ends A, const Ends &B) {
    A.Fall = most(A.Fall, B.Fall);
    A.Exit = most(A.Exit, B.Exit);
    return A;
  }

  Ends statement(const Stmt *S, const Bindings &Bound) {
    Ends Sum;
    if (!S)
      return Sum;
    if (const auto *Block = dyn_cast<CompoundStmt>(S)) {
      for (const Stmt *Child : Block->body())
        append(Sum, statement(Child, Bound));
      return Sum;
    }
    if (const auto *If = dyn_cast<IfStmt>(S)) {
      append(Sum, statement(If->getInit(), Bound));
      append(Sum, statement(If->getConditionVariableDeclStmt(), Bound));
      append(Sum, statement(If->getCond(), Bound));
      append(Sum, branches(statement(If->getThen(), Bound),
                           statement(If->getElse(), Bound)));
      return Sum;
    }
    if (isa<ReturnStmt, CoreturnStmt>(S)) {
      for (const Stmt *Child : S->children())
        append(Sum, statement(Child, Bound));
      Sum.Exit = Sum.Fall;
      Sum.Fall = std::nullopt;
      return Sum;
    }
    if (isa<ForStmt, WhileStmt, DoStmt, CXXForRangeStmt>(S)) {
      // Any number of rounds: each has to give back what it takes.
      for (const Stmt *Child : S->children())
        append(Sum, statement(Child, Bound));
      if (Sum.Fall.value_or(0) != 0)
        Unknown = true;
      Sum.Fall = 0;
      return Sum;
    }
    if (isa<SwitchStmt, CXXTryStmt>(S)) {
      const bool Before = Found;
      Found = false;
      for (const Stmt *Child : S->children())
        append(Sum, statement(Child, Bound));
      if (Found)
        Unknown = true;
      Found |= Before;
      return {0, Sum.Exit};
    }
    if (const auto *Declaration = dyn_cast<DeclStmt>(S)) {
      for (const Decl *D : Declaration->decls())
        if (const auto *Var = dyn_cast<VarDecl>(D))
          append(Sum, variable(Var, Bound));
      return Sum;
    }
    if (const auto *E = dyn_cast<Expr>(S)) {
      Sum.Fall = expression(E, Bound);
      if (isa<CXXThrowExpr>(E->IgnoreImplicit())) {
        Sum.Exit = Sum.Fall;
        Sum.Fall = std::nullopt;
      }
      return Sum;
    }
    for (const Stmt *Child : S->children())
      append(Sum, statement(Child, Bound));
    return Sum;
  }

  Ends variable(const VarDecl *Var, const Bindings &Bound) {
    const Expr *Init = Var->getInit();
    if (!Init)
      return {};
    // A reference or a pointer to it is another name, which pathOf follows. A
    // named lambda does something when it is called.
    if (isPointerLike(Var->getType()) ||
        isa<LambdaExpr>(Init->IgnoreUnlessSpelledInSource()))
      return {};
    const bool WasUnknown = Unknown;
    int Sum = expression(Init, Bound);
    // A guard: what it is made from is given back at the end of its scope.
    if (Unknown && !WasUnknown) {
      if (std::optional<int> Given = doneInDestructor(Var->getType())) {
        Unknown = false;
        Sum += *Given;
      }
    }
    return {Sum, std::nullopt};
  }

  // How often the destructor of a class of the program calls Done.
  std::optional<int> doneInDestructor(QualType Type) {
    const auto *Record = Type->getAsCXXRecordDecl();
    if (!Record || !Record->hasDefinition() || Words.isLibrary(Record))
      return std::nullopt;
    const CXXDestructorDecl *Destructor = Record->getDestructor();
    const FunctionDecl *Definition = nullptr;
    if (!Destructor || !Destructor->isUserProvided() ||
        !Destructor->hasBody(Definition))
      return std::nullopt;
    int Count = 0;
    forEachUse(Definition->getBody(), [&](const Stmt *S) {
      std::optional<WaitGroupCall> Call =
          asWaitGroupCall(S, Bindings::none(), Context, Words);
      Count += Call && Call->What == WaitGroupCall::Done;
      return true;
    });
    return Count ? std::optional<int>(Count) : std::nullopt;
  }

  int expression(const Stmt *S, const Bindings &Bound) {
    if (!S)
      return 0;
    if (std::optional<WaitGroupCall> Call =
            asWaitGroupCall(S, Bound, Context, Words);
        Call && Call->Object == Path) {
      Found = true;
      int Sum = 0;
      switch (Call->What) {
      case WaitGroupCall::Add:
        // How many is known at run time only: compared with nothing but none.
        Inexact |= !Call->Delta;
        Sum = Call->Delta ? -static_cast<int>(*Call->Delta) : -1;
        GivesBack |= Sum > 0;
        break;
      case WaitGroupCall::Done:
        GivesBack = true;
        Sum = 1;
        break;
      case WaitGroupCall::Wait:
        Waits |= !InOtherTask;
        break;
      case WaitGroupCall::Go:
        // Takes a count and gives it back; what its task does comes on top.
        return Sum + spawned(*asSpawnOrNull(Call->Call), Bound);
      case WaitGroupCall::Other:
        Unknown = true;
        break;
      }
      for (const Expr *Argument : Call->Call->arguments())
        Sum += expression(Argument, Bound);
      return Sum;
    }
    if (const auto *E = dyn_cast<Expr>(S))
      if (std::optional<Spawn> Nested = asSpawn(E, Words))
        return spawned(*Nested, Bound);
    if (const auto *Lambda = dyn_cast<LambdaExpr>(S)) {
      // Given to somebody, such as a guard, who will call it once.
      const FunctionDecl *F = Lambda->getCallOperator();
      return F && F->hasBody() ? function(F, Bound, /*IsTask=*/false) : 0;
    }
    if (const auto *Call = dyn_cast<CallExpr>(S))
      if (const FunctionDecl *Callee = bodyOf(Call->getDirectCallee(), Words);
          Callee && !Stack.contains(Callee)) {
        int Sum = 0;
        // The object and the arguments are what the callee calls by its own
        // names; they are no escape.
        for (const Expr *Argument : argumentsOf(Call))
          if (!(pathOf(Argument, Bound) == Path))
            Sum += expression(Argument, Bound);
        return Sum +
               function(Callee,
                        Bound.enter(Callee, argumentsOf(Call), objectOf(Call)),
                        /*IsTask=*/false);
      }
    if (const auto *E = dyn_cast<Expr>(S);
        E && isa<DeclRefExpr, MemberExpr, UnaryOperator>(E) &&
        pathOf(E, Bound) == Path) {
      // It goes where it cannot be followed.
      Found = true;
      Unknown = true;
      return 0;
    }
    int Sum = 0;
    for (const Stmt *Child : S->children())
      Sum += expression(Child, Bound);
    return Sum;
  }

  std::optional<Spawn> asSpawnOrNull(const Expr *E) {
    std::optional<Spawn> Result = asSpawn(E, Words);
    if (!Result) {
      // A WaitGroup of the options whose `Go` is no spawn function.
      Unknown = true;
      Result.emplace();
    }
    return Result;
  }

  int spawned(const Spawn &S, const Bindings &Bound) {
    Task T = taskOf(S);
    if (T.Function)
      return function(T.Function, Bound.enter(T), /*IsTask=*/true);
    for (const Expr *Argument : S.Arguments)
      forEachStmt(Argument, [&](const Stmt *Node) {
        const auto *E = dyn_cast<Expr>(Node);
        Unknown |=
            E && isa<DeclRefExpr, MemberExpr>(E) && pathOf(E, Bound) == Path;
        return true;
      });
    return 0;
  }

  const ObjectPath &Path;
  ASTContext &Context;
  const Vocabulary &Words;
  llvm::SmallDenseSet<const FunctionDecl *, 8> Stack;
  bool Unknown = false;
  bool Inexact = false;
  bool GivesBack = false;
  bool Waits = false;
  bool Found = false;
  bool InOtherTask = false;
};

} // namespace

TaskWaitGroups::Balance TaskWaitGroups::balance(const ObjectPath &Path) const {
  PathSums Sums(Path, Context, Words);
  const int Surplus =
      Sums.function(Body.Function, Outer.enter(Body), /*IsTask=*/false);
  Balance Result;
  Result.Waits = Sums.waits();
  if (!Sums.isUnknown())
    Result.Surplus = Surplus;
  return Result;
}

} // namespace clang::tidy::leash
