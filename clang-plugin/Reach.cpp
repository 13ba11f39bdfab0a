//===--- Reach.cpp - Can anybody wait for, cancel or hear a task? ---------===//
//
// Two questions are kept apart. What a *type* carries: a task that owns an
// object runs its destructor, so everything below counts, however deep. And
// what a *body* uses: a task that merely points to a server with a WaitGroup
// in it is not waited for unless it uses that member, so of objects that are
// not owned only the members in use count.
//
//===----------------------------------------------------------------------===//

#include "Reach.h"
#include "clang/AST/DeclTemplate.h"
#include "clang/AST/ExprConcepts.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/PointerIntPair.h"

namespace clang::tidy::leash {
namespace {

Reach both(Reach A, Reach B) { return std::max(A, B); }

// What values of a type carry.
class Carried {
public:
  explicit Carried(const Vocabulary &Words) : Words(Words) {}

  // Whatever can be got at from an object that is owned. `Shared`: others have
  // it as well.
  Reach deep(QualType Type, bool Shared) {
    Type = Type.getCanonicalType();
    if (Type->isDependentType())
      return Reach::Hidden;
    if (Type->isReferenceType() || Type->isAnyPointerType()) {
      QualType Pointee = Type->getPointeeType();
      if (Pointee->isVoidType() || Pointee->isFunctionType())
        return Reach::Hidden;
      return deep(Pointee, /*Shared=*/true);
    }
    if (const auto *Array = Type->getAsArrayTypeUnsafe())
      return deep(Array->getElementType(), Shared);
    const RecordDecl *Record = Type->getAsRecordDecl();
    return Record ? record(Record, Shared) : Reach::Nothing;
  }

  // The type itself, or what it is a handle or container of; not the members
  // of a class of the program.
  Reach shallow(QualType Type, bool Shared) {
    Type = Type.getCanonicalType();
    while (Type->isReferenceType() || Type->isAnyPointerType()) {
      Shared = true;
      Type = Type->getPointeeType().getCanonicalType();
    }
    if (Type->isDependentType())
      return Reach::Hidden;
    if (const auto *Array = Type->getAsArrayTypeUnsafe())
      return shallow(Array->getElementType(), Shared);
    const RecordDecl *Record = Type->getAsRecordDecl();
    if (!Record)
      return Reach::Nothing;
    if (named(Record, Shared))
      return Reach::Found;
    if (const auto *Class = dyn_cast<CXXRecordDecl>(Record);
        (Class && Class->isLambda()) || Words.isLibrary(Record))
      return record(Record, Shared);
    return Reach::Nothing;
  }

private:
  bool named(const RecordDecl *Record, bool Shared) const {
    return Words.isWaitable(Record) ||
           (Shared && Words.isWaitableWhenShared(Record));
  }

  Reach record(const RecordDecl *Record, bool Shared) {
    if (named(Record, Shared))
      return Reach::Found;
    const llvm::PointerIntPair<const Decl *, 1, bool> Key(
        Record->getCanonicalDecl(), Shared);
    auto [Entry, IsNew] = Seen.try_emplace(Key, Reach::Nothing);
    // Of a class that holds itself the first visit says what it carries.
    if (!IsNew)
      return Entry->second;
    Reach Result = members(Record, Shared);
    Seen[Key] = Result;
    return Result;
  }

  Reach members(const RecordDecl *Record, bool Shared) {
    Reach Result = Reach::Nothing;
    std::string Name;
    if (const auto *Spec = dyn_cast<ClassTemplateSpecializationDecl>(Record)) {
      Name = qualifiedName(Record);
      // A shared_ptr is one of several; what a reference_wrapper, weak_ptr or
      // span refers to belongs to others.
      bool IsShared = Shared || Name == "std::shared_ptr" ||
                      Name == "std::weak_ptr" ||
                      Name == "std::reference_wrapper" || Name == "std::span";
      for (const TemplateArgument &Argument : Spec->getTemplateArgs().asArray())
        Result = both(Result, argument(Argument, IsShared));
    }
    if (Words.isLibrary(Record)) {
      // Code of others, in a wrapper.
      if (Name == "std::function" || Name == "std::move_only_function" ||
          Name == "absl::AnyInvocable" || Name == "absl::FunctionRef" ||
          Name == "absl::Cleanup")
        return both(Result, Reach::Hidden);
      if (isa<CXXRecordDecl>(Record) && qualifiedName(Record) == "std::any")
        return both(Result, Reach::Hidden);
      return Result;
    }
    const RecordDecl *Definition = Record->getDefinition();
    if (!Definition)
      return both(Result, Reach::Hidden);
    for (const FieldDecl *Field : Definition->fields()) {
      if (Result == Reach::Found)
        return Result;
      Result = both(Result, deep(Field->getType(), Shared));
    }
    if (const auto *Class = dyn_cast<CXXRecordDecl>(Definition))
      for (const CXXBaseSpecifier &Base : Class->bases())
        Result = both(Result, deep(Base.getType(), Shared));
    return Result;
  }

  Reach argument(const TemplateArgument &Argument, bool Shared) {
    switch (Argument.getKind()) {
    case TemplateArgument::Type:
      // A deleter or allocator is a class of the library; a signature such as
      // in function<void(Chan<int>)> says nothing about what is held.
      return Argument.getAsType()->isFunctionType()
                 ? Reach::Nothing
                 : deep(Argument.getAsType(), Shared);
    case TemplateArgument::Pack: {
      Reach Result = Reach::Nothing;
      for (const TemplateArgument &Element : Argument.pack_elements())
        Result = both(Result, argument(Element, Shared));
      return Result;
    }
    default:
      return Reach::Nothing;
    }
  }

  const Vocabulary &Words;
  llvm::DenseMap<llvm::PointerIntPair<const Decl *, 1, bool>, Reach> Seen;
};

// What bodies use.
class Walker {
public:
  explicit Walker(const Vocabulary &Words) : Words(Words), Types(Words) {}

  Reach result() const { return Unlocks && !Locks ? Reach::Found : Result; }

  void add(Reach R) { Result = both(Result, R); }

  // A value that is handed to the task. The spawner has computed it, so only
  // what it carries counts. A task that owns an object ends its life.
  void argument(const Expr *E) {
    const Expr *Named = strip(E);
    if (const auto *Address = dyn_cast<UnaryOperator>(Named);
        Address && Address->getOpcode() == UO_AddrOf)
      if (const auto *Ref = dyn_cast<DeclRefExpr>(
              Address->getSubExpr()->IgnoreParenImpCasts());
          Ref && isa<FunctionDecl>(Ref->getDecl()))
        Named = Ref;
    if (const auto *Ref = dyn_cast<DeclRefExpr>(Named))
      if (const auto *F = dyn_cast<FunctionDecl>(Ref->getDecl()))
        return address(F);
    QualType Type = Named->getType();
    if (const CXXRecordDecl *Record = Type->getAsCXXRecordDecl();
        Record && Record->isLambda()) {
      // The lambda that is the task is looked at by its captures.
      if (Record != TaskClass)
        add(Types.deep(Type, /*Shared=*/false));
      return;
    }
    if (Type->isVoidPointerType())
      return add(Reach::Hidden);
    add(Type->isAnyPointerType() || isReferenceWrapper(E)
            ? Types.shallow(Type, /*Shared=*/true)
            : Types.deep(Type, /*Shared=*/false));
  }

  void task(const LambdaExpr *Lambda) {
    TaskClass = Lambda->getLambdaClass();
    captures(Lambda);
  }

  void captures(const LambdaExpr *Lambda) {
    auto Init = Lambda->capture_init_begin();
    for (const LambdaCapture &Capture : Lambda->captures()) {
      const Expr *Initializer = *Init++;
      if (!Capture.capturesVariable()) {
        if (Capture.getCaptureKind() == LCK_StarThis)
          add(Types.deep(Initializer->getType(), /*Shared=*/false));
        continue;
      }
      const ValueDecl *Var = Capture.getCapturedVar();
      const bool ByReference = Capture.getCaptureKind() == LCK_ByRef ||
                               Var->getType()->isReferenceType();
      QualType Type = Var->getType().getNonReferenceType();
      if (ByReference || Type->isAnyPointerType()) {
        add(Types.shallow(Type, /*Shared=*/true));
      } else {
        add(Types.deep(Type, /*Shared=*/false));
        Owned.insert(Var);
      }
    }
  }

  void enter(const FunctionDecl *F) {
    const FunctionDecl *Definition = nullptr;
    if (F->isDefaulted() && !F->isUserProvided())
      return;
    if (!F->hasBody(Definition))
      return add(Reach::Hidden);
    if (!Entered.insert(Definition).second)
      return;
    // A program that is one big function call would make this slow; what is
    // that far from the spawn cannot be judged.
    if (Entered.size() > 500)
      return add(Reach::Hidden);
    if (const auto *Constructor = dyn_cast<CXXConstructorDecl>(Definition))
      for (const CXXCtorInitializer *Init : Constructor->inits())
        walk(Init->getInit());
    walk(Definition->getBody());
  }

  void walk(const Stmt *S) {
    if (!S || Result == Reach::Found)
      return;
    if (const auto *E = dyn_cast<Expr>(S); E && E->isInstantiationDependent())
      return add(Reach::Hidden);
    if (isa<CoroutineBodyStmt, CoroutineSuspendExpr, AsmStmt, OverloadExpr>(S))
      return add(Reach::Hidden);
    if (const auto *Lambda = dyn_cast<LambdaExpr>(S)) {
      Entered.insert(Lambda->getCallOperator());
      for (const Expr *Init : Lambda->capture_inits())
        walk(Init);
      return walk(Lambda->getBody());
    }
    if (const auto *Ref = dyn_cast<DeclRefExpr>(S)) {
      if (const auto *F = dyn_cast<FunctionDecl>(Ref->getDecl()))
        return address(F);
      return chain(Ref, /*Deep=*/false);
    }
    if (const auto *Member = dyn_cast<MemberExpr>(S))
      return chain(Member, /*Deep=*/false);
    if (const auto *Construct = dyn_cast<CXXConstructExpr>(S))
      return construct(Construct);
    if (const auto *Call = dyn_cast<CallExpr>(S))
      return call(Call);
    if (const auto *Delete = dyn_cast<CXXDeleteExpr>(S)) {
      destroy(Delete->getDestroyedType());
    } else if (const auto *Declaration = dyn_cast<DeclStmt>(S)) {
      for (const Decl *D : Declaration->decls())
        if (const auto *Var = dyn_cast<VarDecl>(D))
          if (!Var->getType()->isReferenceType())
            destroy(Var->getType());
    } else if (const auto *Default = dyn_cast<CXXDefaultInitExpr>(S)) {
      walk(Default->getExpr());
    }
    for (const Stmt *Child : S->children())
      walk(Child);
  }

private:
  static bool isReferenceWrapper(const Expr *E) {
    const CXXRecordDecl *Record =
        E->IgnoreParenImpCasts()->getType()->getAsCXXRecordDecl();
    return Record && Record->getIdentifier() &&
           Record->getName() == "reference_wrapper";
  }

  // A function whose address is taken may be called by whoever gets it.
  void address(const FunctionDecl *F) {
    if (F->getBuiltinID() || Words.isLibrary(F))
      return;
    const auto *Method = dyn_cast<CXXMethodDecl>(F);
    if (Method && Method->isVirtual())
      return add(Reach::Hidden);
    enter(F);
  }

  // The object that an expression such as a.b->c names, seen as a whole.
  // `Deep`: it goes where its members cannot be followed.
  void chain(const Expr *E, bool Deep) {
    bool Shared = false;
    const Expr *Root = E;
    while (const auto *Member = dyn_cast<MemberExpr>(Root)) {
      // A static member is a global.
      if (isa<VarDecl>(Member->getMemberDecl())) {
        Shared = true;
        break;
      }
      if (isa<CXXMethodDecl>(Member->getMemberDecl()))
        break;
      Shared |= Member->isArrow() ||
                Member->getMemberDecl()->getType()->isReferenceType();
      Root = Member->getBase()->IgnoreParenImpCasts();
    }
    if (const auto *Ref = dyn_cast<DeclRefExpr>(Root)) {
      const auto *Var = dyn_cast<VarDecl>(Ref->getDecl());
      if (!Var) {
        // A structured binding is part of an object that is named elsewhere.
        if (const auto *Binding = dyn_cast<BindingDecl>(Ref->getDecl());
            Binding && !isOwn(cast<VarDecl>(Binding->getDecomposedDecl())))
          add(Types.shallow(E->getType(), /*Shared=*/true));
        return;
      }
      const bool IsAlias = Var->getType()->isReferenceType() ||
                           Var->getType()->isAnyPointerType();
      // Made by the task itself: nobody else has it. What a parameter or a
      // local reference stands for has been seen where it was bound.
      if (isOwn(Var) && (Root == E || (!IsAlias && !Shared)))
        return;
      Shared |= !Owned.contains(Var);
    } else if (isa<CXXThisExpr>(Root)) {
      Shared = true;
      if (Root == E)
        return;
    } else if (Root != E) {
      walk(Root);
    }
    add(Deep ? Types.deep(E->getType(), Shared)
             : Types.shallow(E->getType(), Shared));
  }

  bool isOwn(const VarDecl *Var) const {
    if (!Var->hasLocalStorage())
      return false;
    for (const DeclContext *Ctx = Var->getDeclContext(); Ctx;
         Ctx = Ctx->getParent())
      if (const auto *F = dyn_cast<FunctionDecl>(Ctx))
        if (Entered.contains(F))
          return true;
    return false;
  }

  // An argument of a function that cannot be looked into.
  void given(const Expr *E) {
    const Expr *Named = strip(E);
    if (const auto *Address = dyn_cast<UnaryOperator>(Named);
        Address && Address->getOpcode() == UO_AddrOf)
      Named = strip(Address->getSubExpr());
    if (isa<DeclRefExpr, MemberExpr>(Named) &&
        !isa<FunctionDecl>(isa<DeclRefExpr>(Named)
                               ? cast<DeclRefExpr>(Named)->getDecl()
                               : cast<MemberExpr>(Named)->getMemberDecl()))
      return chain(Named, /*Deep=*/true);
    if (isa<CXXThisExpr>(Named))
      return add(Types.deep(Named->getType(), /*Shared=*/true));
    walk(E);
  }

  void construct(const CXXConstructExpr *Construct) {
    const CXXConstructorDecl *Constructor = Construct->getConstructor();
    // What is kept in the new object can no longer be followed.
    for (const Expr *Argument : Construct->arguments())
      given(Argument);
    if (!Words.isLibrary(Constructor) && !Constructor->isImplicit())
      enter(Constructor);
    destroy(Construct->getType());
  }

  // The end of an object's life is a call of its destructor.
  void destroy(QualType Type) {
    const auto *Record = Type->getAsCXXRecordDecl();
    if (!Record || !Record->hasDefinition() || Words.isLibrary(Record) ||
        Record->hasTrivialDestructor())
      return;
    if (const CXXDestructorDecl *Destructor = Record->getDestructor();
        Destructor && Destructor->isUserProvided())
      enter(Destructor);
  }

  void call(const CallExpr *Call) {
    const FunctionDecl *Callee = Call->getDirectCallee();
    if (!Callee) {
      if (!isa<CXXPseudoDestructorExpr>(Call->getCallee()))
        add(Reach::Hidden);
      for (const Stmt *Child : Call->children())
        walk(Child);
      return;
    }
    const Expr *Object = nullptr;
    if (const auto *Member = dyn_cast<CXXMemberCallExpr>(Call))
      Object = Member->getImplicitObjectArgument();
    note(Callee);
    const bool Opaque = Callee->getBuiltinID() || Words.isLibrary(Callee);
    if (!Opaque) {
      const auto *Method = dyn_cast<CXXMethodDecl>(Callee);
      const bool MayBeOverridden =
          Method && Method->isVirtual() && Object &&
          !cast<MemberExpr>(Call->getCallee()->IgnoreParenImpCasts())
               ->hasQualifier() &&
          !Method->hasAttr<FinalAttr>() &&
          !Method->getParent()->isEffectivelyFinal() && !isValue(Object);
      if (MayBeOverridden)
        add(Reach::Hidden);
      else
        enter(Callee);
    }
    if (Object)
      walk(Object);
    for (const Expr *Argument : Call->arguments()) {
      if (Opaque)
        given(Argument);
      else
        walk(Argument);
    }
  }

  // A lock of leash has no owner: a task that unlocks what it has not locked
  // says with it that it has got this far.
  void note(const FunctionDecl *Callee) {
    const auto *Method = dyn_cast<CXXMethodDecl>(Callee);
    if (!Method || !Method->getIdentifier())
      return;
    const std::string Class = qualifiedName(Method->getParent());
    if (Class != "leash::Mutex" && Class != "leash::RWMutex")
      return;
    const bool IsUnlock = Method->getName().contains_insensitive("unlock");
    (IsUnlock ? Unlocks : Locks) = true;
  }

  // An object of exactly its static type.
  static bool isValue(const Expr *E) {
    const auto *Ref = dyn_cast<DeclRefExpr>(E->IgnoreParenImpCasts());
    return Ref && !Ref->getDecl()->getType()->isReferenceType() &&
           !Ref->getType()->isAnyPointerType();
  }

  const Vocabulary &Words;
  Carried Types;
  Reach Result = Reach::Nothing;
  llvm::DenseSet<const FunctionDecl *> Entered;
  // Captured by value, so nobody else has them.
  llvm::DenseSet<const ValueDecl *> Owned;
  const CXXRecordDecl *TaskClass = nullptr;
  bool Locks = false;
  bool Unlocks = false;
};

} // namespace

Reach reachOf(const Spawn &S, const Task &T, const Vocabulary &Words) {
  Walker Walk(Words);
  // `group.Spawn(f)`: whoever has the group can wait for it.
  if (S.Object) {
    const auto *Record = S.Object->getType()->isPointerType()
                             ? S.Object->getType()->getPointeeCXXRecordDecl()
                             : S.Object->getType()->getAsCXXRecordDecl();
    if (Words.hasJoin(Record))
      return Reach::Found;
  }
  if (T.Lambda)
    Walk.task(T.Lambda);
  for (const Expr *Argument : S.Arguments)
    Walk.argument(Argument);
  for (const Expr *Argument : T.Arguments)
    Walk.argument(Argument);
  if (T.Object)
    Walk.argument(T.Object);
  if (Walk.result() == Reach::Found)
    return Reach::Found;
  if (!T.Function)
    return Reach::Hidden;
  Walk.enter(T.Function);
  return Walk.result();
}

} // namespace clang::tidy::leash
