//===--- FireAndForgetSpawnCheck.cpp --------------------------------------===//

#include "FireAndForgetSpawnCheck.h"
#include "../Matchers.h"
#include "../Reach.h"

using namespace clang::ast_matchers;

namespace clang::tidy::leash {

FireAndForgetSpawnCheck::FireAndForgetSpawnCheck(llvm::StringRef Name,
                                                 ClangTidyContext *Context)
    : ClangTidyCheck(Name, Context), Opts(Options), Words(Opts) {
  for (const std::string &Preset : Words.unknownPresets())
    configurationDiag("%0: there is no preset '%1'") << Name << Preset;
}

void FireAndForgetSpawnCheck::storeOptions(ClangTidyOptions::OptionMap &Map) {
  Opts.store(Options, Map);
}

void FireAndForgetSpawnCheck::registerMatchers(MatchFinder *Finder) {
  Finder->addMatcher(callExpr(isSpawn(&Words)).bind("spawn"), this);
  Finder->addMatcher(cxxConstructExpr(isSpawn(&Words)).bind("spawn"), this);
}

void FireAndForgetSpawnCheck::check(const MatchFinder::MatchResult &Result) {
  const auto *Site = Result.Nodes.getNodeAs<Expr>("spawn");
  const std::optional<Spawn> S = asSpawn(Site, Words);
  // In a template that is not instantiated nothing is known; its instances
  // are matched as well.
  if (Site->isInstantiationDependent())
    return;
  ASTContext &Context = *Result.Context;
  const bool IsFault = S->Name->Kind != SpawnKind::Counted &&
                       S->Name->Kind != SpawnKind::Timer &&
                       !isBackground(*S, Context) && dropsHandle(*S, Context) &&
                       !isJoinedLater(*S, Context, Words) &&
                       reachOf(*S, taskOf(*S), Words) == Reach::Nothing;
  auto [Entry, IsNew] =
      Verdicts.insert({Site->getBeginLoc(), Verdict{S->Name, IsFault}});
  if (!IsNew)
    Entry->second.IsFault &= IsFault;
}

void FireAndForgetSpawnCheck::onEndOfTranslationUnit() {
  for (const auto &[Location, Found] : Verdicts)
    if (Found.IsFault)
      diag(Location, "nothing can wait for this %0, cancel it or hear from it; "
                     "%1")
          << Found.Name->Task << Found.Name->Advice;
  Verdicts.clear();
}

} // namespace clang::tidy::leash
