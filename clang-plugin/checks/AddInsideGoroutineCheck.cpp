//===--- AddInsideGoroutineCheck.cpp --------------------------------------===//

#include "AddInsideGoroutineCheck.h"
#include "../Matchers.h"
#include "../MoveStatement.h"

using namespace clang::ast_matchers;

namespace clang::tidy::leash {
namespace {

// What the function around a spawn does with a WaitGroup outside of the task.
struct Surroundings {
  bool AddsBefore = false;
  bool IsWaitedFor = false;
};

Surroundings surroundingsOf(const ObjectPath &Path, const Spawn &S,
                            const Task &T, ASTContext &Context,
                            const Vocabulary &Words) {
  const SourceManager &Sources = Context.getSourceManager();
  const Bindings Bound = Bindings::none();
  Surroundings Result;
  forEachUse(outermostBody(S.Site, Context), [&](const Stmt *Node) {
    // The task itself; what it does is known.
    if (Node == S.Site || (T.Lambda && Node == T.Lambda))
      return false;
    const bool IsBefore = Sources.isBeforeInTranslationUnit(
        Node->getBeginLoc(), S.Site->getBeginLoc());
    if (std::optional<WaitGroupCall> Call =
            asWaitGroupCall(Node, Bound, Context, Words);
        Call && Call->Object == Path) {
      Result.AddsBefore |= IsBefore && (Call->isPositiveAdd() ||
                                        Call->What == WaitGroupCall::Other);
      Result.IsWaitedFor |= Call->What == WaitGroupCall::Wait;
      return false;
    }
    if (const auto *E = dyn_cast<Expr>(Node)) {
      // Other tasks count for themselves, unless this spawn is in one.
      if (std::optional<Spawn> Other = asSpawn(E, Words)) {
        const Task OtherTask = taskOf(*Other);
        if (OtherTask.Lambda && OtherTask.IsInline) {
          forEachUse(OtherTask.Lambda->getBody(), [&](const Stmt *Inner) {
            std::optional<WaitGroupCall> Call =
                asWaitGroupCall(Inner, Bound, Context, Words);
            Result.IsWaitedFor |= Call && Call->What == WaitGroupCall::Wait &&
                                  Call->Object == Path;
            return Inner != S.Site;
          });
          const bool IsAround =
              IsBefore && Sources.isBeforeInTranslationUnit(
                              S.Site->getBeginLoc(), E->getEndLoc());
          return IsAround;
        }
      }
      if (isa<DeclRefExpr, MemberExpr>(E) && pathOf(E, Bound) == Path) {
        // Somebody else gets it, who may do all of this.
        Result.AddsBefore |= IsBefore;
        Result.IsWaitedFor = true;
        return false;
      }
    }
    return true;
  });
  return Result;
}

// A waitable that says "I have got this far" when it is used.
bool isSignal(QualType Type, const Vocabulary &Words) {
  Type = Type.getNonReferenceType();
  if (Type->isAnyPointerType())
    Type = Type->getPointeeType();
  const RecordDecl *Record = Type->getAsRecordDecl();
  if (!Record || !Words.isWaitable(Record))
    return false;
  llvm::StringRef Name = Record->getName();
  return !Name.contains("Context") && !Name.contains("Cancel") &&
         !Name.contains("utex") && !Name.contains("Group");
}

// The spawner waits for a sign of the task, given after the Add, before it
// waits for the WaitGroup: then the Add is in time.
bool waitsForSignal(const TaskAdd &Add, const Spawn &S, const Task &T,
                    ASTContext &Context, const Vocabulary &Words) {
  const SourceManager &Sources = Context.getSourceManager();
  const Bindings Bound = Bindings::none();
  if (!T.Lambda || Add.Via)
    return false;
  std::vector<ObjectPath> Signals;
  bool Fulfils = false;
  forEachUse(T.Lambda->getBody(), [&](const Stmt *Node) {
    const auto *E = dyn_cast<Expr>(Node);
    if (E && isa<DeclRefExpr, MemberExpr>(E) && isSignal(E->getType(), Words) &&
        Sources.isBeforeInTranslationUnit(Add.Call.Call->getEndLoc(),
                                          E->getBeginLoc())) {
      Signals.push_back(pathOf(E, Bound));
      Fulfils |= E->getType()->getAsRecordDecl() &&
                 E->getType()->getAsRecordDecl()->getName() == "promise";
    }
    return true;
  });
  bool Waits = false, IsPast = false;
  forEachStmt(enclosingBody(S.Site, Context), [&](const Stmt *Node) {
    if (Node == S.Site || isa<LambdaExpr>(Node) || IsPast || Waits)
      return false;
    if (!Sources.isBeforeInTranslationUnit(S.Site->getEndLoc(),
                                           Node->getEndLoc()))
      return true;
    if (std::optional<WaitGroupCall> Call =
            asWaitGroupCall(Node, Bound, Context, Words)) {
      IsPast |=
          Call->What == WaitGroupCall::Wait && Call->Object == Add.Call.Object;
      return false;
    }
    const auto *E = dyn_cast<Expr>(Node);
    if (E && isa<DeclRefExpr, MemberExpr>(E) && isSignal(E->getType(), Words) &&
        Sources.isBeforeInTranslationUnit(S.Site->getEndLoc(),
                                          E->getBeginLoc()))
      Waits |= llvm::is_contained(Signals, pathOf(E, Bound)) ||
               (Fulfils && E->getType()->getAsRecordDecl() &&
                E->getType()->getAsRecordDecl()->getName().contains("future"));
    return true;
  });
  return Waits;
}

// What is called, as the program names it: a lambda has its variable's name.
std::string nameOfCall(const CallExpr *Call) {
  if (const auto *Operator = dyn_cast<CXXOperatorCallExpr>(Call))
    if (const auto *Ref = dyn_cast<DeclRefExpr>(strip(Operator->getArg(0))))
      return Ref->getDecl()->getNameAsString();
  const FunctionDecl *Callee = Call->getDirectCallee();
  return Callee ? Callee->getNameAsString() : "this";
}

} // namespace

AddInsideGoroutineCheck::AddInsideGoroutineCheck(llvm::StringRef Name,
                                                 ClangTidyContext *Context)
    : ClangTidyCheck(Name, Context), Opts(Options), Words(Opts) {
  for (const std::string &Preset : Words.unknownPresets())
    configurationDiag("%0: there is no preset '%1'") << Name << Preset;
}

void AddInsideGoroutineCheck::storeOptions(ClangTidyOptions::OptionMap &Map) {
  Opts.store(Options, Map);
}

void AddInsideGoroutineCheck::registerMatchers(MatchFinder *Finder) {
  Finder->addMatcher(callExpr(isSpawn(&Words)).bind("spawn"), this);
  Finder->addMatcher(cxxConstructExpr(isSpawn(&Words)).bind("spawn"), this);
}

bool AddInsideGoroutineCheck::isFault(const Spawn &S, const TaskAdd &Add,
                                      const TaskWaitGroups &Use,
                                      ASTContext &Context) const {
  const ObjectPath &Path = Add.Call.Object;
  if (Use.isOwn(Path))
    return false;
  // `wg.Go(f)`: f is counted before it starts.
  if (S.Name->Kind == SpawnKind::Counted && S.Object &&
      pathOf(S.Object, Bindings::none()) == Path)
    return false;
  const Task T = taskOf(S);
  const TaskWaitGroups::Balance Balance = Use.balance(Path);
  if (Balance.Waits)
    return false;
  const Surroundings Around = surroundingsOf(Path, S, T, Context, Words);
  if (!Balance.Surplus) {
    // It may give back a count that it was given before it started, unless
    // nobody can have given it one.
    if (!Path.isLocal() || Around.AddsBefore)
      return false;
  } else if (*Balance.Surplus > 0 ||
             (*Balance.Surplus < 0 && Around.AddsBefore)) {
    return false;
  }
  if (Path.isLocal() && !Around.IsWaitedFor)
    return false;
  return !waitsForSignal(Add, S, T, Context, Words);
}

void AddInsideGoroutineCheck::check(const MatchFinder::MatchResult &Result) {
  const auto *Site = Result.Nodes.getNodeAs<Expr>("spawn");
  if (Site->isInstantiationDependent())
    return;
  ASTContext &Context = *Result.Context;
  const std::optional<Spawn> S = asSpawn(Site, Words);
  const Task T = taskOf(*S);
  if (!T.Function)
    return;
  const TaskWaitGroups Use(T, Context, Words);
  std::vector<TaskAdd> Faults;
  std::optional<size_t> First;
  for (const TaskAdd &Add : Use.adds()) {
    const SourceLocation AddLocation = Add.Call.Callee->getMemberLoc();
    const SourceLocation Location =
        Add.Via ? Add.Via->getExprLoc() : AddLocation;
    const bool Faulty = isFault(*S, Add, Use, Context);
    auto [Entry, IsNew] =
        Verdicts.insert({{Location, Site->getBeginLoc()}, Verdict{}});
    Verdict &Found = Entry->second;
    if (!IsNew) {
      // Another instance, or another Add that the same call leads to.
      if (Found.Add == AddLocation)
        Found.IsFault &= Faulty;
      continue;
    }
    Found.Add = AddLocation;
    Found.Spawn = Site->getBeginLoc();
    Found.Method = Add.Call.Callee->getMemberDecl()->getName().str();
    if (Add.Via)
      Found.Via = nameOfCall(Add.Via);
    Found.SpawnName = isa<CXXConstructorDecl>(S->Callee)
                          ? qualifiedName(S->Callee)
                          : S->Callee->getName().str();
    Found.Task = S->Name->Task;
    Found.IsFault = Faulty;
    if (Faulty) {
      Faults.push_back(Add);
      if (!Add.Via && !First)
        First = Verdicts.size();
    }
  }
  // With the first of them; the others are mended by the same fix.
  if (First)
    (Verdicts.begin() + (*First - 1))->second.Fix =
        moveBeforeSpawn(Faults, *S, T, Context);
}

void AddInsideGoroutineCheck::onEndOfTranslationUnit() {
  llvm::DenseSet<SourceLocation> Reported;
  for (const auto &[Place, Found] : Verdicts) {
    // A function that is spawned in two places has one Add.
    if (!Found.IsFault || !Reported.insert(Place.first).second)
      continue;
    if (Found.Via.empty()) {
      diag(Place.first, "'%0' runs inside the %1 that it counts, so 'Wait' may "
                        "return before it; call it before '%2'")
          << Found.Method << Found.Task << Found.SpawnName << Found.Fix;
    } else {
      diag(Place.first,
           "'%0' leads to '%1' inside the %2 that it counts, so 'Wait' may "
           "return before it; call '%1' before '%3'")
          << Found.Via << Found.Method << Found.Task << Found.SpawnName;
      diag(Found.Add, "'%0' is called here", DiagnosticIDs::Note)
          << Found.Method;
    }
    diag(Found.Spawn, "the %0 starts here", DiagnosticIDs::Note) << Found.Task;
  }
  Verdicts.clear();
}

} // namespace clang::tidy::leash
