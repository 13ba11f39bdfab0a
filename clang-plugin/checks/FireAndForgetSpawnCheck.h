//===--- FireAndForgetSpawnCheck.h ------------------------------*- C++ -*-===//

#ifndef LEASH_CLANG_PLUGIN_CHECKS_FIREANDFORGETSPAWNCHECK_H
#define LEASH_CLANG_PLUGIN_CHECKS_FIREANDFORGETSPAWNCHECK_H

#include "../Spawn.h"
#include "llvm/ADT/MapVector.h"

namespace clang::tidy::leash {

/// Finds spawns whose task nothing can wait for, cancel or hear from.
///
/// See docs/checks/fire-and-forget-spawn.md.
class FireAndForgetSpawnCheck : public ClangTidyCheck {
public:
  FireAndForgetSpawnCheck(llvm::StringRef Name, ClangTidyContext *Context);

  bool isLanguageVersionSupported(const LangOptions &LangOpts) const override {
    return LangOpts.CPlusPlus;
  }
  void registerMatchers(ast_matchers::MatchFinder *Finder) override;
  void check(const ast_matchers::MatchFinder::MatchResult &Result) override;
  void onEndOfTranslationUnit() override;
  void storeOptions(ClangTidyOptions::OptionMap &Opts) override;

private:
  const Vocabulary::Options Opts;
  const Vocabulary Words;
  /// Spawns by their place. A place in a template has one spawn for each
  /// instance, and is reported if it is a fault in all of them.
  struct Verdict {
    const SpawnName *Name;
    bool IsFault;
  };
  llvm::MapVector<SourceLocation, Verdict> Verdicts;
};

} // namespace clang::tidy::leash

#endif // LEASH_CLANG_PLUGIN_CHECKS_FIREANDFORGETSPAWNCHECK_H
