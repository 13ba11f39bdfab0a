//===--- Vocabulary.cpp - The names that the checks know ------------------===//

#include "Vocabulary.h"
#include "clang/AST/ASTContext.h"
#include "clang/AST/DeclCXX.h"
#include "clang/AST/DeclTemplate.h"
#include "clang/Basic/SourceManager.h"
#include "llvm/Support/Path.h"

using llvm::StringRef;

namespace clang::tidy::leash {
namespace {

struct SpawnList {
  SpawnKind Kind;
  StringRef Names;
};

struct Preset {
  StringRef Name;
  StringRef Task;
  StringRef Advice;
  std::vector<SpawnList> Spawns;
  StringRef WaitGroups;
  StringRef Joins;
};

constexpr StringRef LeashAdvice =
    "give it a WaitGroup, Context or channel, or say why it may outlive its "
    "spawner with 'GoBackground'";
constexpr StringRef HandleAdvice =
    "join it, or give it something that can be waited for";
constexpr StringRef TaskAdvice = "give it something that can be waited for";

const std::vector<Preset> &presets() {
  static const std::vector<Preset> All = {
      {"leash",
       "goroutine",
       LeashAdvice,
       {{SpawnKind::Plain, "leash::go"},
        {SpawnKind::Background, "leash::GoBackground"},
        {SpawnKind::WithOptions, "leash::GoWith"},
        {SpawnKind::Counted,
         "leash::WaitGroup::Go;leash::Group::Go;leash::Group::TryGo"},
        {SpawnKind::Timer, "leash::AfterFunc"}},
       "leash::WaitGroup",
       "leash::WaitGroup::Wait;leash::Group::Wait"},
      {"std",
       "thread",
       HandleAdvice,
       {{SpawnKind::Handle, "std::thread"},
        {SpawnKind::Joining, "std::jthread;std::async"}},
       "",
       "std::thread::join;std::jthread::join;std::future::wait;"
       "std::future::get"},
      {"pthread",
       "thread",
       HandleAdvice,
       {{SpawnKind::PosixHandle, "pthread_create"}},
       "",
       "pthread_join;pthread_timedjoin_np;pthread_tryjoin_np"},
      {"boost.fiber",
       "fiber",
       HandleAdvice,
       {{SpawnKind::Handle, "boost::fibers::fiber"},
        {SpawnKind::Plain, "boost::fibers::async"}},
       "",
       "boost::fibers::fiber::join;boost::fibers::future::wait;"
       "boost::fibers::future::get"},
      {"boost.thread",
       "thread",
       HandleAdvice,
       {{SpawnKind::Handle, "boost::thread"}},
       "",
       "boost::thread::join"},
      {"absl",
       "task",
       TaskAdvice,
       {},
       "",
       "absl::BlockingCounter::Wait;absl::Notification::WaitForNotification"},
      {"folly",
       "fiber",
       TaskAdvice,
       {{SpawnKind::Plain, "folly::fibers::addTask;"
                           "folly::fibers::FiberManager::addTask;"
                           "folly::fibers::FiberManager::addTaskRemote"}},
       "",
       "folly::Baton::wait;folly::fibers::Baton::wait"},
      {"marl",
       "task",
       "give it a marl::WaitGroup or marl::Event",
       {{SpawnKind::Plain, "marl::schedule"}},
       "marl::WaitGroup",
       "marl::WaitGroup::wait;marl::Event::wait"},
  };
  return All;
}

// They count whatever the presets are: a goroutine that fulfils a std::promise
// is waited for, and to know that costs nothing.
constexpr StringRef WaitableNames =
    "leash::WaitGroup;leash::Group;leash::Semaphore;leash::Chan;"
    "leash::SendChan;leash::RecvChan;leash::Context;leash::CancelFunc;"
    "leash::CancelCauseFunc;leash::StopFunc;leash::Cond;leash::Timer;"
    "leash::Ticker;leash::SelectCase;"
    "std::promise;std::future;std::shared_future;std::packaged_task;"
    "std::condition_variable;std::condition_variable_any;std::latch;"
    "std::barrier;std::counting_semaphore;std::stop_token;std::stop_source;"
    "std::stop_callback;std::thread;std::jthread;"
    "pthread_cond_t;sem_t;pthread_barrier_t;"
    "absl::Notification;absl::BlockingCounter;absl::Barrier;absl::CondVar;"
    "absl::Mutex;"
    "boost::fibers::promise;boost::fibers::future;"
    "boost::fibers::shared_future;boost::fibers::packaged_task;"
    "boost::fibers::condition_variable;"
    "boost::fibers::condition_variable_any;boost::fibers::barrier;"
    "boost::fibers::buffered_channel;boost::fibers::unbuffered_channel;"
    "boost::fibers::fiber;boost::thread;boost::promise;"
    "boost::condition_variable;boost::condition_variable_any;"
    "folly::Baton;folly::fibers::Baton;folly::Promise;folly::Future;"
    "folly::SemiFuture;folly::CancellationToken;folly::LifoSem;"
    "marl::WaitGroup;marl::Event;marl::ConditionVariable;marl::Ticket";

// Somebody who shares one of these with the task can make it return; a task
// that is its only owner cannot be stopped through it.
constexpr StringRef SharedWaitableNames =
    "leash::net::Listener;leash::net::Conn;std::atomic_flag";

bool isBoolAtomic(const RecordDecl *Record, StringRef Name) {
  if (Name != "std::atomic")
    return false;
  const auto *Spec = dyn_cast<ClassTemplateSpecializationDecl>(Record);
  return Spec && Spec->getTemplateArgs().size() > 0 &&
         Spec->getTemplateArgs()[0].getKind() == TemplateArgument::Type &&
         Spec->getTemplateArgs()[0].getAsType()->isBooleanType();
}

void insertAll(llvm::StringSet<> &Set, StringRef List) {
  for (StringRef Name : splitList(List))
    Set.insert(Name);
}

} // namespace

std::vector<StringRef> splitList(StringRef List) {
  std::vector<StringRef> Result;
  while (!List.empty()) {
    auto [Head, Tail] = List.split(';');
    Head = Head.trim();
    Head.consume_front("::");
    if (!Head.empty())
      Result.push_back(Head);
    List = Tail;
  }
  return Result;
}

std::string qualifiedName(const NamedDecl *D) {
  std::vector<StringRef> Parts;
  if (isa<CXXConstructorDecl>(D))
    D = cast<NamedDecl>(D->getDeclContext());
  if (const IdentifierInfo *Id = D->getIdentifier())
    Parts.push_back(Id->getName());
  else
    return "";
  for (const DeclContext *Ctx = D->getDeclContext(); Ctx;
       Ctx = Ctx->getParent()) {
    if (const auto *Namespace = dyn_cast<NamespaceDecl>(Ctx)) {
      if (!Namespace->isInline() && !Namespace->isAnonymousNamespace())
        Parts.push_back(Namespace->getName());
    } else if (const auto *Record = dyn_cast<RecordDecl>(Ctx)) {
      Parts.push_back(Record->getName());
    }
  }
  std::string Result;
  for (StringRef Part : llvm::reverse(Parts)) {
    if (!Result.empty())
      Result += "::";
    Result += Part;
  }
  return Result;
}

Vocabulary::Options::Options(const ClangTidyCheck::OptionsView &View)
    : Presets(View.get("Presets", "leash")),
      SpawnFunctions(View.get("SpawnFunctions", "")),
      WaitGroupTypes(View.get("WaitGroupTypes", "")),
      JoinFunctions(View.get("JoinFunctions", "")),
      WaitableTypes(View.get("WaitableTypes", "")) {}

void Vocabulary::Options::store(const ClangTidyCheck::OptionsView &View,
                                ClangTidyOptions::OptionMap &Opts) const {
  View.store(Opts, "Presets", Presets);
  View.store(Opts, "SpawnFunctions", SpawnFunctions);
  View.store(Opts, "WaitGroupTypes", WaitGroupTypes);
  View.store(Opts, "JoinFunctions", JoinFunctions);
  View.store(Opts, "WaitableTypes", WaitableTypes);
}

Vocabulary::Vocabulary(const Options &Opts) {
  for (StringRef Name : splitList(Opts.Presets)) {
    const auto Found = llvm::find_if(
        presets(), [&](const Preset &P) { return P.Name == Name; });
    if (Found == presets().end()) {
      Unknown.push_back(Name.str());
      continue;
    }
    for (const SpawnList &List : Found->Spawns)
      addSpawns(List.Names, List.Kind, Found->Task, Found->Advice);
    insertAll(WaitGroups, Found->WaitGroups);
    insertAll(Joins, Found->Joins);
  }
  addSpawns(Opts.SpawnFunctions, SpawnKind::Plain, "task", TaskAdvice);
  insertAll(WaitGroups, Opts.WaitGroupTypes);
  insertAll(Joins, Opts.JoinFunctions);
  insertAll(Waitables, WaitableNames);
  insertAll(Waitables, Opts.WaitGroupTypes);
  insertAll(Waitables, Opts.WaitableTypes);
}

void Vocabulary::addSpawns(StringRef List, SpawnKind Kind, StringRef Task,
                           StringRef Advice) {
  for (StringRef Name : splitList(List)) {
    Spawns.try_emplace(Name, SpawnName{Kind, Task, Advice});
    SpawnIdentifiers.insert(
        Name.rsplit("::").second.empty() ? Name : Name.rsplit("::").second);
  }
}

const SpawnName *Vocabulary::spawn(const FunctionDecl *Callee) const {
  const IdentifierInfo *Id =
      isa<CXXConstructorDecl>(Callee)
          ? cast<NamedDecl>(Callee->getDeclContext())->getIdentifier()
          : Callee->getIdentifier();
  if (!Id || !SpawnIdentifiers.contains(Id->getName()))
    return nullptr;
  auto Found = Spawns.find(qualifiedName(Callee));
  return Found == Spawns.end() ? nullptr : &Found->second;
}

bool Vocabulary::isWaitGroup(const RecordDecl *Record) const {
  return Record && WaitGroups.contains(qualifiedName(Record));
}

bool Vocabulary::isJoin(const FunctionDecl *Callee) const {
  return Callee && Joins.contains(qualifiedName(Callee));
}

bool Vocabulary::hasJoin(const RecordDecl *Record) const {
  if (!Record)
    return false;
  std::string Prefix = qualifiedName(Record) + "::";
  return llvm::any_of(Joins, [&](const auto &Join) {
    return Join.getKey().starts_with(Prefix) &&
           !Join.getKey().drop_front(Prefix.size()).contains("::");
  });
}

bool Vocabulary::isWaitable(const RecordDecl *Record) const {
  if (Waitables.contains(qualifiedName(Record)))
    return true;
  // pthread_cond_t and its kin are typedefs of unnamed unions.
  const TypedefNameDecl *Typedef = Record->getTypedefNameForAnonDecl();
  return Typedef && Waitables.contains(qualifiedName(Typedef));
}

bool Vocabulary::isWaitableWhenShared(const RecordDecl *Record) const {
  std::string Name = qualifiedName(Record);
  return llvm::is_contained(splitList(SharedWaitableNames), StringRef(Name)) ||
         isBoolAtomic(Record, Name);
}

bool Vocabulary::isLibrary(const Decl *D) const {
  const SourceManager &Sources = D->getASTContext().getSourceManager();
  if (Sources.isInSystemHeader(D->getLocation()))
    return true;
  // leash may be a subdirectory of the program, so its headers need not be
  // system headers. Code of the program may live in namespace leash as well;
  // that is recognised by the file.
  const DeclContext *Top = nullptr;
  for (const DeclContext *Ctx = D->getDeclContext(); Ctx;
       Ctx = Ctx->getParent())
    if (const auto *Namespace = dyn_cast<NamespaceDecl>(Ctx))
      Top = Namespace;
  if (!Top)
    return false;
  StringRef Name = cast<NamespaceDecl>(Top)->getName();
  if (Name == "std" || Name == "absl")
    return true;
  if (Name != "leash")
    return false;
  StringRef Folder = llvm::sys::path::parent_path(
      Sources.getFilename(Sources.getExpansionLoc(D->getLocation())));
  if (llvm::sys::path::filename(Folder) == "internal")
    Folder = llvm::sys::path::parent_path(Folder);
  return llvm::sys::path::filename(Folder) == "leash";
}

} // namespace clang::tidy::leash
