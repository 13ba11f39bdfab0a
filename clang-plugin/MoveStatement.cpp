//===--- MoveStatement.cpp - A statement moved before another -------------===//

#include "MoveStatement.h"
#include "clang/AST/ParentMapContext.h"
#include "clang/Lex/Lexer.h"

namespace clang::tidy::leash {
namespace {

const Stmt *parentStmt(const Stmt *S, ASTContext &Context) {
  auto Parents = Context.getParents(*S);
  return Parents.empty() ? nullptr : Parents[0].get<Stmt>();
}

// The statement of a block that consists of E, or null.
const Stmt *asBlockStatement(const Expr *E, ASTContext &Context) {
  const Stmt *S = E;
  while (const Stmt *Parent = parentStmt(S, Context)) {
    if (isa<CompoundStmt>(Parent))
      return S;
    if (!isa<ExprWithCleanups, CXXBindTemporaryExpr, ImplicitCastExpr>(Parent))
      return nullptr;
    S = Parent;
  }
  return nullptr;
}

// Means the same outside of the lambda: names of the outside only, by the same
// names, and no value that the lambda made.
bool meansTheSameOutside(const Stmt *S, const LambdaExpr *Lambda) {
  bool Same = true;
  forEachStmt(S, [&](const Stmt *Node) {
    const auto *Ref = dyn_cast<DeclRefExpr>(Node);
    if (!Ref)
      return Same;
    const auto *Var = dyn_cast<VarDecl>(Ref->getDecl());
    if (Var && (Var->isInitCapture() ||
                Lambda->getCallOperator()->Encloses(Var->getDeclContext())))
      Same = false;
    return Same;
  });
  return Same;
}

// Something before `Until` in the body may leave it, after which the moved
// Add would count a task that never gives its count back.
bool mayLeaveBefore(const CompoundStmt *Body, const Stmt *Until) {
  bool Leaves = false;
  for (const Stmt *Child : Body->body()) {
    if (Child == Until)
      break;
    forEachStmt(Child, [&](const Stmt *Node) {
      Leaves |= isa<ReturnStmt, GotoStmt, CXXThrowExpr, CoroutineSuspendExpr,
                    CoreturnStmt>(Node);
      if (const auto *Call = dyn_cast<CallExpr>(Node))
        if (const FunctionDecl *Callee = Call->getDirectCallee())
          Leaves |= Callee->isNoReturn();
      return !isa<LambdaExpr>(Node);
    });
  }
  return Leaves;
}

// The characters before `Location` on its line, if they are blank.
std::optional<llvm::StringRef> indentation(SourceLocation Location,
                                           const SourceManager &Sources) {
  auto [File, Offset] = Sources.getDecomposedLoc(Location);
  llvm::StringRef Text = Sources.getBufferData(File).take_front(Offset);
  const size_t Newline = Text.rfind('\n');
  llvm::StringRef Before =
      Newline == llvm::StringRef::npos ? Text : Text.drop_front(Newline + 1);
  if (!Before.trim(" \t").empty())
    return std::nullopt;
  return Before;
}

// Takes a statement out, with the blanks that would be left over.
//
// Clang takes one blank more where a plain removal leaves blanks on both sides,
// which would put the rest of the line out of its column. So a whole line is
// removed from the line end before it on, and where a comment stays behind the
// statement, the blank before it is replaced by itself.
FixItHint takeOut(SourceLocation Begin, SourceLocation Semicolon,
                  const SourceManager &Sources) {
  auto [File, Offset] = Sources.getDecomposedLoc(Semicolon);
  llvm::StringRef Buffer = Sources.getBufferData(File);
  llvm::StringRef Rest = Buffer.drop_front(Offset + 1);
  llvm::StringRef Blanks =
      Rest.take_while([](char C) { return C == ' ' || C == '\t'; });
  llvm::StringRef After = Rest.drop_front(Blanks.size());
  const SourceLocation End = Semicolon.getLocWithOffset(1 + Blanks.size());
  std::optional<llvm::StringRef> Indent = indentation(Begin, Sources);
  const bool EndsLine = After.starts_with("\n") || After.starts_with("\r\n");
  if (Indent && EndsLine) {
    int Before = Indent->size() + 1;
    const unsigned LineEnd = Sources.getFileOffset(Begin) - Before;
    if (LineEnd > 0 && Buffer[LineEnd - 1] == '\r')
      ++Before;
    return FixItHint::CreateRemoval(
        CharSourceRange::getCharRange(Begin.getLocWithOffset(-Before), End));
  }
  if (Indent && !Indent->empty())
    return FixItHint::CreateReplacement(
        CharSourceRange::getCharRange(Begin.getLocWithOffset(-1), End),
        Indent->take_back());
  return FixItHint::CreateRemoval(CharSourceRange::getCharRange(Begin, End));
}

// An Add that can stand before the spawn.
struct Movable {
  std::string Text;
  FixItHint Removal;
};

std::optional<Movable> movable(const TaskAdd &Add, const LambdaExpr *Lambda,
                               const CompoundStmt *Body, ASTContext &Context) {
  const SourceManager &Sources = Context.getSourceManager();
  const LangOptions &LangOpts = Context.getLangOpts();
  if (Add.Via || !Add.Call.Delta)
    return std::nullopt;
  const Stmt *Statement = asBlockStatement(Add.Call.Call, Context);
  if (!Statement || !llvm::is_contained(Body->body(), Statement) ||
      !meansTheSameOutside(Statement, Lambda) ||
      mayLeaveBefore(Body, Statement))
    return std::nullopt;
  const SourceLocation Begin = Statement->getBeginLoc();
  if (Begin.isMacroID() || Statement->getEndLoc().isMacroID())
    return std::nullopt;
  std::optional<Token> Semicolon =
      Lexer::findNextToken(Statement->getEndLoc(), Sources, LangOpts);
  if (!Semicolon || Semicolon->isNot(tok::semi))
    return std::nullopt;
  const SourceLocation End = Semicolon->getLocation().getLocWithOffset(1);
  return Movable{Lexer::getSourceText(CharSourceRange::getCharRange(Begin, End),
                                      Sources, LangOpts)
                     .str(),
                 takeOut(Begin, Semicolon->getLocation(), Sources)};
}

} // namespace

std::vector<FixItHint> moveBeforeSpawn(llvm::ArrayRef<TaskAdd> Adds,
                                       const Spawn &S, const Task &T,
                                       ASTContext &Context) {
  const Stmt *Spawning = asBlockStatement(S.Site, Context);
  const auto *Body =
      T.Lambda ? dyn_cast<CompoundStmt>(T.Lambda->getBody()) : nullptr;
  if (!T.IsInline || !Body || !Spawning ||
      Spawning->getBeginLoc().isMacroID() || S.Site->getEndLoc().isMacroID())
    return {};
  const SourceLocation Place = Spawning->getBeginLoc();
  std::optional<llvm::StringRef> Indent =
      indentation(Place, Context.getSourceManager());
  const std::string Separator = Indent ? "\n" + Indent->str() : " ";
  std::string Moved;
  std::vector<FixItHint> Result;
  for (const TaskAdd &Add : Adds) {
    std::optional<Movable> Found = movable(Add, T.Lambda, Body, Context);
    if (!Found)
      continue;
    Moved += Found->Text + Separator;
    Result.push_back(Found->Removal);
  }
  if (!Result.empty())
    Result.insert(Result.begin(), FixItHint::CreateInsertion(Place, Moved));
  return Result;
}

} // namespace clang::tidy::leash
