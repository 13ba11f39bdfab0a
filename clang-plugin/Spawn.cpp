//===--- Spawn.cpp - Where tasks start, and what they run -----------------===//

#include "Spawn.h"
#include "clang/AST/DeclTemplate.h"
#include "clang/AST/ParentMapContext.h"

namespace clang::tidy::leash {
namespace {

bool isStdFunction(const FunctionDecl *F, llvm::StringRef Name) {
  return F && F->getIdentifier() && F->getName() == Name &&
         F->isInStdNamespace();
}

// std::move(x), std::forward<T>(x), std::ref(x): x.
const Expr *passedThrough(const CallExpr *Call) {
  const FunctionDecl *F = Call->getDirectCallee();
  if (Call->getNumArgs() != 1)
    return nullptr;
  for (llvm::StringRef Name : {"move", "forward", "ref", "cref", "addressof"})
    if (isStdFunction(F, Name))
      return Call->getArg(0);
  return nullptr;
}

const LambdaExpr *asLambda(const Expr *E) {
  return dyn_cast<LambdaExpr>(strip(E));
}

// A call operator that can be named without knowing the arguments.
const FunctionDecl *callOperator(const CXXRecordDecl *Record) {
  const FunctionDecl *Found = nullptr;
  if (!Record || !Record->hasDefinition())
    return nullptr;
  for (const CXXMethodDecl *Method : Record->methods()) {
    if (Method->getOverloadedOperator() != OO_Call)
      continue;
    if (Found)
      return nullptr;
    Found = Method;
  }
  return Found;
}

// The one instance of a generic lambda's call operator, or null.
const FunctionDecl *genericCallOperator(const LambdaExpr *Lambda) {
  const FunctionTemplateDecl *Template = Lambda->getDependentCallOperator();
  if (!Template)
    return Lambda->getCallOperator();
  const FunctionDecl *Only = nullptr;
  for (const FunctionDecl *Instance : Template->specializations()) {
    if (!Instance->hasBody())
      continue;
    if (Only)
      return nullptr;
    Only = Instance;
  }
  return Only;
}

const FunctionDecl *withBody(const FunctionDecl *F) {
  const FunctionDecl *Definition = nullptr;
  return F && F->hasBody(Definition) ? Definition : nullptr;
}

// The lambda that a local variable holds for good, or null.
const LambdaExpr *lambdaOfVariable(const Expr *E) {
  const auto *Ref = dyn_cast<DeclRefExpr>(E);
  const auto *Var = Ref ? dyn_cast<VarDecl>(Ref->getDecl()) : nullptr;
  if (!Var || !Var->getInit() || isa<ParmVarDecl>(Var))
    return nullptr;
  const CXXRecordDecl *Record =
      Var->getType().getNonReferenceType()->getAsCXXRecordDecl();
  // An object of a closure type can hold nothing else.
  return Record && Record->isLambda() ? asLambda(Var->getInit()) : nullptr;
}

enum class Callable { No, Unknown, Known };

// Fills `Result` if E is something that can be called.
Callable resolveCallable(const Expr *Argument, Task &Result) {
  const Expr *E = strip(Argument);
  if (const LambdaExpr *Lambda =
          isa<LambdaExpr>(E) ? cast<LambdaExpr>(E) : lambdaOfVariable(E)) {
    Result.Lambda = Lambda;
    Result.IsInline = isa<LambdaExpr>(E);
    Result.Function = withBody(genericCallOperator(Lambda));
    return Callable::Known;
  }
  if (const auto *Address = dyn_cast<UnaryOperator>(E);
      Address && Address->getOpcode() == UO_AddrOf)
    E = Address->getSubExpr()->IgnoreParenImpCasts();
  if (const auto *Ref = dyn_cast<DeclRefExpr>(E))
    if (const auto *F = dyn_cast<FunctionDecl>(Ref->getDecl())) {
      const auto *Method = dyn_cast<CXXMethodDecl>(F);
      if (!Method || !Method->isVirtual())
        Result.Function = withBody(F);
      return Callable::Known;
    }
  // std::bind(f, args...).
  if (const auto *Call = dyn_cast<CallExpr>(E);
      Call && Call->getNumArgs() > 0) {
    const FunctionDecl *F = Call->getDirectCallee();
    if (isStdFunction(F, "bind") || isStdFunction(F, "bind_front")) {
      Callable Found = resolveCallable(Call->getArg(0), Result);
      for (const Expr *Bound : llvm::drop_begin(Call->arguments()))
        Result.Arguments.push_back(Bound);
      return Found == Callable::No ? Callable::Unknown : Found;
    }
  }
  QualType Type = E->getType().getNonReferenceType();
  if (Type->isFunctionPointerType() || Type->isFunctionType() ||
      Type->isMemberFunctionPointerType() || E->isTypeDependent())
    return Callable::Unknown;
  if (const CXXRecordDecl *Record = Type->getAsCXXRecordDecl()) {
    // std::function and whatever else is a template holds code of others.
    if (!Record->hasDefinition())
      return Callable::Unknown;
    bool CanBeCalled =
        llvm::any_of(Record->getDefinition()->decls(), [](const Decl *D) {
          if (const auto *Template = dyn_cast<FunctionTemplateDecl>(D))
            D = Template->getTemplatedDecl();
          const auto *Method = dyn_cast<CXXMethodDecl>(D);
          return Method && Method->getOverloadedOperator() == OO_Call;
        });
    if (!CanBeCalled)
      // std::function inherits nothing that can be called, and has the
      // operator itself; a class that inherits one is rare enough to pass.
      return Record->getNumBases() ? Callable::Unknown : Callable::No;
    if (!isa<ClassTemplateSpecializationDecl>(Record))
      if (const FunctionDecl *Operator = callOperator(Record)) {
        Result.Function = withBody(Operator);
        Result.Object = E;
      }
    return Callable::Known;
  }
  return Callable::No;
}

// The statement that holds E and nothing else, so that its value is dropped;
// null if the value is used. `User` is then what uses it.
bool isDiscarded(const Expr *E, ASTContext &Context, DynTypedNode &User) {
  DynTypedNode Node = DynTypedNode::create(*E);
  while (true) {
    auto Parents = Context.getParents(Node);
    if (Parents.empty())
      return false;
    const DynTypedNode Child = Node;
    Node = Parents[0];
    if (const auto *Parent = Node.get<Expr>()) {
      if (isa<ExprWithCleanups, CXXBindTemporaryExpr, MaterializeTemporaryExpr,
              ParenExpr, ImplicitCastExpr, CXXFunctionalCastExpr>(Parent))
        continue;
      // An elided copy.
      if (const auto *Construct = dyn_cast<CXXConstructExpr>(Parent);
          Construct && Construct->getConstructor()->isCopyOrMoveConstructor())
        continue;
      // `(void)` says that the handle is dropped, not that this is right.
      if (const auto *Cast = dyn_cast<ExplicitCastExpr>(Parent);
          Cast && Cast->getType()->isVoidType())
        return true;
      if (const auto *Comma = dyn_cast<BinaryOperator>(Parent);
          Comma && Comma->isCommaOp() && Comma->getLHS() == Child.get<Expr>())
        return true;
      User = Node;
      return false;
    }
    if (const auto *For = Node.get<ForStmt>())
      return For->getCond() != Child.get<Expr>();
    if (const auto *If = Node.get<IfStmt>())
      return If->getCond() != Child.get<Expr>();
    if (const auto *While = Node.get<WhileStmt>())
      return While->getCond() != Child.get<Expr>();
    if (Node.get<CompoundStmt>() || Node.get<SwitchCase>() ||
        Node.get<LabelStmt>() || Node.get<DoStmt>() ||
        Node.get<CXXForRangeStmt>())
      return true;
    User = Node;
    return false;
  }
}

bool isDetachCall(const DynTypedNode &Node) {
  const auto *Member = Node.get<MemberExpr>();
  return Member && Member->getMemberDecl()->getIdentifier() &&
         Member->getMemberDecl()->getName() == "detach";
}

// Every use of a local handle is a detach, and there is one.
bool isOnlyDetached(const VarDecl *Var, const Stmt *Body, ASTContext &Context) {
  if (!Var->hasLocalStorage() || isa<ParmVarDecl>(Var) || !Body)
    return false;
  bool Detached = false, Used = false;
  forEachStmt(Body, [&](const Stmt *S) {
    const auto *Ref = dyn_cast<DeclRefExpr>(S);
    if (!Ref || Ref->getDecl() != Var)
      return true;
    // A const member function makes its object const first.
    auto Parents = Context.getParents(*Ref);
    while (!Parents.empty() && Parents[0].get<ImplicitCastExpr>())
      Parents = Context.getParents(Parents[0]);
    const MemberExpr *Member =
        Parents.empty() ? nullptr : Parents[0].get<MemberExpr>();
    if (!Member) {
      Used = true;
    } else if (isDetachCall(Parents[0])) {
      Detached = true;
    } else if (!Member->getMemberDecl()->getIdentifier() ||
               Member->getMemberDecl()->getName() != "joinable") {
      Used = true;
    }
    return true;
  });
  return Detached && !Used;
}

// `pthread_create(&t, ...)` with a local t that pthread_detach gets, and no
// other function.
bool isPosixDetached(const Spawn &S, ASTContext &Context) {
  if (S.Arguments.empty())
    return false;
  const auto *Address = dyn_cast<UnaryOperator>(strip(S.Arguments[0]));
  const auto *Ref =
      Address && Address->getOpcode() == UO_AddrOf
          ? dyn_cast<DeclRefExpr>(Address->getSubExpr()->IgnoreParenImpCasts())
          : nullptr;
  const auto *Var = Ref ? dyn_cast<VarDecl>(Ref->getDecl()) : nullptr;
  const Stmt *Body = outermostBody(S.Site, Context);
  if (!Var || !Var->hasLocalStorage() || !Body)
    return false;
  bool Detached = false, Used = false;
  forEachStmt(Body, [&](const Stmt *Node) {
    if (Node == S.Site)
      return false;
    if (const auto *Call = dyn_cast<CallExpr>(Node);
        Call && Call->getDirectCallee() && Call->getNumArgs() == 1 &&
        qualifiedName(Call->getDirectCallee()) == "pthread_detach") {
      const auto *Handle = dyn_cast<DeclRefExpr>(strip(Call->getArg(0)));
      if (Handle && Handle->getDecl() == Var) {
        Detached = true;
        return false;
      }
    }
    const auto *Use = dyn_cast<DeclRefExpr>(Node);
    Used |= Use && Use->getDecl() == Var;
    return true;
  });
  return Detached && !Used;
}

// What `options.background` is in an initialiser of GoOptions.
enum class Reason { None, Given, Hidden };

Reason backgroundOf(const Expr *Init) {
  Init = Init ? strip(Init) : nullptr;
  const auto *List = dyn_cast_or_null<InitListExpr>(Init);
  if (!List) {
    // `GoOptions options;` or `GoOptions()`: every member has its default.
    const auto *Construct = dyn_cast_or_null<CXXConstructExpr>(Init);
    return Construct && Construct->getNumArgs() == 0 ? Reason::None
                                                     : Reason::Hidden;
  }
  if (const InitListExpr *Semantic = List->getSemanticForm())
    List = Semantic;
  const RecordDecl *Record = List->getType()->getAsRecordDecl();
  if (!Record)
    return Reason::Hidden;
  unsigned Index = 0;
  for (const FieldDecl *Field : Record->fields()) {
    if (Index >= List->getNumInits())
      return Reason::None;
    const Expr *Value = List->getInit(Index++);
    if (Field->getName() != "background")
      continue;
    if (isa<CXXDefaultInitExpr, ImplicitValueInitExpr>(Value))
      return Reason::None;
    Value = strip(Value);
    if (const auto *Text = dyn_cast<StringLiteral>(Value))
      return Text->getLength() ? Reason::Given : Reason::None;
    if (const auto *Nested = dyn_cast<InitListExpr>(Value);
        Nested && Nested->getNumInits() == 0)
      return Reason::None;
    if (const auto *Construct = dyn_cast<CXXConstructExpr>(Value);
        Construct && Construct->getNumArgs() == 0)
      return Reason::None;
    return Reason::Given;
  }
  return Reason::None;
}

} // namespace

void forEachStmt(const Stmt *S, llvm::function_ref<bool(const Stmt *)> Visit) {
  if (!S || !Visit(S))
    return;
  if (const auto *Lambda = dyn_cast<LambdaExpr>(S)) {
    for (const Expr *Init : Lambda->capture_inits())
      forEachStmt(Init, Visit);
    forEachStmt(Lambda->getBody(), Visit);
    return;
  }
  for (const Stmt *Child : S->children())
    forEachStmt(Child, Visit);
}

const Expr *strip(const Expr *E) {
  while (true) {
    const Expr *Before = E;
    E = E->IgnoreUnlessSpelledInSource();
    E = E->IgnoreParenCasts();
    if (const auto *Construct = dyn_cast<CXXConstructExpr>(E)) {
      // A copy, or the conversion to a wrapper such as std::function or the
      // parameter of leash::go. A constructor that takes more builds something
      // of its own.
      const CXXConstructorDecl *Constructor = Construct->getConstructor();
      unsigned Given = 0;
      for (const Expr *Argument : Construct->arguments())
        Given += !isa<CXXDefaultArgExpr>(Argument);
      if (Given == 1 && (Constructor->isCopyOrMoveConstructor() ||
                         Constructor->isConvertingConstructor(false)))
        E = Construct->getArg(0);
    } else if (const auto *Call = dyn_cast<CallExpr>(E)) {
      if (const Expr *Argument = passedThrough(Call))
        E = Argument;
    } else if (const auto *Temporary = dyn_cast<CXXStdInitializerListExpr>(E)) {
      E = Temporary->getSubExpr();
    }
    if (E == Before)
      return E;
  }
}

std::optional<Spawn> asSpawn(const Expr *E, const Vocabulary &Words) {
  const auto *Call = dyn_cast<CallExpr>(E);
  const auto *Construct = dyn_cast<CXXConstructExpr>(E);
  // Nearly every expression ends here, so nothing is made before.
  const FunctionDecl *Callee = Call        ? Call->getDirectCallee()
                               : Construct ? Construct->getConstructor()
                                           : nullptr;
  const SpawnName *Name = Callee ? Words.spawn(Callee) : nullptr;
  if (!Name)
    return std::nullopt;
  // Moving a handle or making an empty one starts nothing.
  if (Construct && (Construct->getConstructor()->isCopyOrMoveConstructor() ||
                    Construct->getConstructor()->isDefaultConstructor()))
    return std::nullopt;
  Spawn Result;
  Result.Site = E;
  Result.Name = Name;
  Result.Callee = Callee;
  if (const auto *Member = dyn_cast<CXXMemberCallExpr>(E))
    Result.Object = Member->getImplicitObjectArgument();
  for (const Expr *Argument :
       Call ? llvm::ArrayRef(Call->getArgs(), Call->getNumArgs())
            : llvm::ArrayRef(Construct->getArgs(), Construct->getNumArgs()))
    if (!isa<CXXDefaultArgExpr>(Argument))
      Result.Arguments.push_back(Argument);
  return Result;
}

Task taskOf(const Spawn &S) {
  Task Result;
  for (unsigned I = 0; I < S.Arguments.size(); ++I) {
    if (resolveCallable(S.Arguments[I], Result) == Callable::No)
      continue;
    for (const Expr *Argument : llvm::drop_begin(S.Arguments, I + 1))
      Result.Arguments.push_back(Argument);
    // A member function takes its object first.
    if (const auto *Method = dyn_cast_or_null<CXXMethodDecl>(Result.Function);
        Method && Method->isInstance() && !Result.Lambda && !Result.Object &&
        !Result.Arguments.empty()) {
      Result.Object = Result.Arguments.front();
      Result.Arguments.erase(Result.Arguments.begin());
    }
    return Result;
  }
  return Result;
}

bool isBackground(const Spawn &S, ASTContext &Context) {
  if (S.Name->Kind == SpawnKind::Background)
    return true;
  if (S.Name->Kind != SpawnKind::WithOptions || S.Arguments.empty())
    return false;
  const Expr *Options = strip(S.Arguments[0]);
  const auto *Ref = dyn_cast<DeclRefExpr>(Options);
  if (!Ref)
    return backgroundOf(Options) != Reason::None;
  const auto *Var = dyn_cast<VarDecl>(Ref->getDecl());
  const Stmt *Body = outermostBody(S.Site, Context);
  if (!Var || !Body || isa<ParmVarDecl>(Var) || !Var->hasLocalStorage() ||
      backgroundOf(Var->getInit()) != Reason::None)
    return true;
  // Options that are filled in later: any mention but one of their other
  // members, or a spawn with them, could set it.
  bool MaySet = false;
  forEachStmt(Body, [&](const Stmt *Node) {
    if (const auto *Member = dyn_cast<MemberExpr>(Node)) {
      const auto *Base = dyn_cast<DeclRefExpr>(strip(Member->getBase()));
      if (Base && Base->getDecl() == Var) {
        MaySet |= Member->getMemberDecl()->getName() == "background";
        return false;
      }
    } else if (const auto *Call = dyn_cast<CallExpr>(Node)) {
      if (Call->getDirectCallee() == S.Callee ||
          (Call->getDirectCallee() &&
           Call->getDirectCallee()->getPrimaryTemplate() &&
           Call->getDirectCallee()->getPrimaryTemplate() ==
               S.Callee->getPrimaryTemplate())) {
        for (const Expr *Argument : llvm::drop_begin(Call->arguments()))
          forEachStmt(Argument, [&](const Stmt *Inner) {
            const auto *Use = dyn_cast<DeclRefExpr>(Inner);
            MaySet |= Use && Use->getDecl() == Var;
            return true;
          });
        return false;
      }
    } else if (const auto *Use = dyn_cast<DeclRefExpr>(Node)) {
      MaySet |= Use->getDecl() == Var;
    }
    return true;
  });
  return MaySet;
}

bool dropsHandle(const Spawn &S, ASTContext &Context) {
  if (S.Name->Kind == SpawnKind::PosixHandle)
    return isPosixDetached(S, Context);
  if (const auto *Call = dyn_cast<CallExpr>(S.Site);
      Call && Call->getCallReturnType(Context)->isVoidType())
    return true;
  DynTypedNode User = DynTypedNode::create(*S.Site);
  const bool NeedsDetach =
      S.Name->Kind == SpawnKind::Handle || S.Name->Kind == SpawnKind::Joining;
  // A handle that joins when it is dropped has been waited for; one that may
  // not be dropped at all ends the program.
  if (isDiscarded(S.Site, Context, User))
    return !NeedsDetach;
  if (isDetachCall(User))
    return true;
  if (const auto *Var = User.get<VarDecl>())
    return isOnlyDetached(Var, outermostBody(S.Site, Context), Context);
  return false;
}

bool isJoinedLater(const Spawn &S, ASTContext &Context,
                   const Vocabulary &Words) {
  const SourceManager &Sources = Context.getSourceManager();
  bool Found = false;
  forEachStmt(outermostBody(S.Site, Context), [&](const Stmt *Node) {
    const auto *Call = dyn_cast<CallExpr>(Node);
    // Member functions wait through their object, which is looked at where it
    // reaches the task.
    if (Call && !isa<CXXMemberCallExpr>(Call) &&
        Words.isJoin(Call->getDirectCallee()))
      Found |= Sources.isBeforeInTranslationUnit(S.Site->getBeginLoc(),
                                                 Call->getBeginLoc());
    return !Found;
  });
  return Found;
}

static const Stmt *bodyAround(const Stmt *S, ASTContext &Context,
                              bool Outermost) {
  const Stmt *Found = nullptr;
  DynTypedNode Node = DynTypedNode::create(*S);
  while (true) {
    auto Parents = Context.getParents(Node);
    if (Parents.empty())
      return Found;
    Node = Parents[0];
    if (const auto *Lambda = Node.get<LambdaExpr>())
      Found = Lambda->getBody();
    else if (const auto *Function = Node.get<FunctionDecl>()) {
      // A lambda's call operator is left to the LambdaExpr around it.
      if (const auto *Method = dyn_cast<CXXMethodDecl>(Function);
          Method && Method->getParent()->isLambda())
        continue;
      // A local class ends the search as well: its functions run on their own.
      return Found && !Outermost ? Found : Function->getBody();
    }
    if (Found && !Outermost)
      return Found;
  }
}

const Stmt *enclosingBody(const Stmt *S, ASTContext &Context) {
  return bodyAround(S, Context, /*Outermost=*/false);
}

const Stmt *outermostBody(const Stmt *S, ASTContext &Context) {
  return bodyAround(S, Context, /*Outermost=*/true);
}

} // namespace clang::tidy::leash
