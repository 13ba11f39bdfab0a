//===--- Vocabulary.h - The names that the checks know ----------*- C++ -*-===//
//
// What starts a task, what counts tasks, what waits for them: as names only,
// so that the module needs no header of leash and can be taught any library.
//
//===----------------------------------------------------------------------===//

#ifndef LEASH_CLANG_PLUGIN_VOCABULARY_H
#define LEASH_CLANG_PLUGIN_VOCABULARY_H

#include "clang-tidy/ClangTidyCheck.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"
#include <string>
#include <vector>

namespace clang::tidy::leash {

/// How a spawn function treats what it starts.
enum class SpawnKind {
  Plain,       ///< Starts a task; its result, if any, is a handle of it.
  Background,  ///< The task is meant to outlive its spawner, and says why.
  WithOptions, ///< Plain, or Background if a `background` option is set.
  Counted,     ///< A member function: its object counts the task.
  Timer,       ///< Starts the task later.
  Handle,      ///< A constructor: the object must be joined or detached.
  Joining,     ///< The handle waits for the task when it is dropped.
  PosixHandle, ///< Stores the handle through its first argument.
};

struct SpawnName {
  SpawnKind Kind;
  /// What its task is called in messages: "goroutine", "thread".
  llvm::StringRef Task;
  /// What would end the complaint, in messages.
  llvm::StringRef Advice;
};

/// The names of the chosen presets and of the check's own options. Names are
/// qualified, without inline and anonymous namespaces and template arguments.
class Vocabulary {
public:
  /// The options that every check of this module has.
  struct Options {
    // Owned: what OptionsView::get returns differs between versions of Clang.
    std::string Presets;
    std::string SpawnFunctions;
    std::string WaitGroupTypes;
    std::string JoinFunctions;
    std::string WaitableTypes;

    explicit Options(const ClangTidyCheck::OptionsView &View);
    void store(const ClangTidyCheck::OptionsView &View,
               ClangTidyOptions::OptionMap &Opts) const;
  };

  explicit Vocabulary(const Options &Opts);

  /// Names in `Presets` that are no preset.
  const std::vector<std::string> &unknownPresets() const { return Unknown; }

  /// The spawn function that a call of \p Callee is, or null.
  const SpawnName *spawn(const FunctionDecl *Callee) const;
  bool isWaitGroup(const RecordDecl *Record) const;
  bool isJoin(const FunctionDecl *Callee) const;
  /// A function of \p Record is named in JoinFunctions.
  bool hasJoin(const RecordDecl *Record) const;
  /// One can wait for, cancel or hear from a task that has one.
  bool isWaitable(const RecordDecl *Record) const;
  /// The same, if it is shared with somebody outside of the task.
  bool isWaitableWhenShared(const RecordDecl *Record) const;
  /// Of a library that is known by its names: its functions have no way of
  /// their own to the program's objects, and its types are not looked into.
  bool isLibrary(const Decl *D) const;

private:
  void addSpawns(llvm::StringRef List, SpawnKind Kind, llvm::StringRef Task,
                 llvm::StringRef Advice);

  llvm::StringMap<SpawnName> Spawns;
  /// Last components of Spawns: most calls end here, without a string made.
  llvm::StringSet<> SpawnIdentifiers;
  llvm::StringSet<> WaitGroups;
  llvm::StringSet<> Joins;
  llvm::StringSet<> Waitables;
  std::vector<std::string> Unknown;
};

/// "leash::WaitGroup::Go". A constructor has its class's name.
std::string qualifiedName(const NamedDecl *D);

/// "a; b;c" as a, b, c. A leading "::" is dropped.
std::vector<llvm::StringRef> splitList(llvm::StringRef List);

} // namespace clang::tidy::leash

#endif // LEASH_CLANG_PLUGIN_VOCABULARY_H
