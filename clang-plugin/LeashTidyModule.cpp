//===--- LeashTidyModule.cpp - The checks of leash for clang-tidy ---------===//
//
//   clang-tidy-19 -load leash-tidy-19.so --checks='-*,leash-*' file.cc
//
//===----------------------------------------------------------------------===//

#include "checks/AddInsideGoroutineCheck.h"
#include "checks/FireAndForgetSpawnCheck.h"
#include "clang-tidy/ClangTidyModule.h"
#include "clang-tidy/ClangTidyModuleRegistry.h"

namespace clang::tidy::leash {
namespace {

class LeashTidyModule : public ClangTidyModule {
public:
  void addCheckFactories(ClangTidyCheckFactories &Factories) override {
    Factories.registerCheck<AddInsideGoroutineCheck>(
        "leash-add-inside-goroutine");
    Factories.registerCheck<FireAndForgetSpawnCheck>(
        "leash-fire-and-forget-spawn");
  }
};

ClangTidyModuleRegistry::Add<LeashTidyModule>
    Register("leash-module", "Adds the checks of leash.");

} // namespace
} // namespace clang::tidy::leash
