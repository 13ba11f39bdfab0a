//===--- AddInsideGoroutineCheck.h ------------------------------*- C++ -*-===//

#ifndef LEASH_CLANG_PLUGIN_CHECKS_ADDINSIDEGOROUTINECHECK_H
#define LEASH_CLANG_PLUGIN_CHECKS_ADDINSIDEGOROUTINECHECK_H

#include "../WaitGroupUse.h"
#include "llvm/ADT/MapVector.h"

namespace clang::tidy::leash {

/// Finds `WaitGroup::Add` inside the goroutine that it counts.
///
/// See docs/checks/add-inside-goroutine.md.
class AddInsideGoroutineCheck : public ClangTidyCheck {
public:
  AddInsideGoroutineCheck(llvm::StringRef Name, ClangTidyContext *Context);

  bool isLanguageVersionSupported(const LangOptions &LangOpts) const override {
    return LangOpts.CPlusPlus;
  }
  void registerMatchers(ast_matchers::MatchFinder *Finder) override;
  void check(const ast_matchers::MatchFinder::MatchResult &Result) override;
  void onEndOfTranslationUnit() override;
  void storeOptions(ClangTidyOptions::OptionMap &Opts) override;

private:
  bool isFault(const Spawn &S, const TaskAdd &Add, const TaskWaitGroups &Use,
               ASTContext &Context) const;

  const Vocabulary::Options Opts;
  const Vocabulary Words;
  /// By the place of the warning. A place in a template is judged once for
  /// each instance, and is reported if it is a fault in all of them.
  struct Verdict {
    SourceLocation Add;
    SourceLocation Spawn;
    std::string Method;
    /// The function that leads to the Add; empty if it stands in the task.
    std::string Via;
    std::string SpawnName;
    llvm::StringRef Task;
    std::vector<FixItHint> Fix;
    bool IsFault;
  };
  llvm::MapVector<std::pair<SourceLocation, SourceLocation>, Verdict> Verdicts;
};

} // namespace clang::tidy::leash

#endif // LEASH_CLANG_PLUGIN_CHECKS_ADDINSIDEGOROUTINECHECK_H
