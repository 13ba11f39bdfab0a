// Names of functions as people write them, from the names that compilers give them.
//
//     _ZN5Cache5EvictENSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE
//     Cache::Evict(std::string)
//
// The standard library's own names for its types, default template arguments, ABI tags, the return
// types of templates, (anonymous namespace), and the namespaces that a parameter shares with its
// function are dropped; what is still too long to read becomes "...".
//
// A lambda is named by where it stands: "Cache::Start()::lambda at cache.cc:41".

#ifndef LEASH_DEBUG_FUNCTION_NAME_H_
#define LEASH_DEBUG_FUNCTION_NAME_H_

#include <string>
#include <string_view>

namespace leash::rt {

// ReadableFunction()
//
// `system_name` is a symbol: mangled by gcc or clang, perhaps with a suffix such as ".constprop.0",
// or the plain name of a C function. `file` and `line` say where the function is declared (as far
// as known); they matter for lambdas only.
std::string ReadableFunction(std::string_view system_name, std::string_view file = {},
                             int line = 0);

// ReadableDemangled()
//
// The same from a demangled name, or from a qualified name built from debug information.
std::string ReadableDemangled(std::string_view name, std::string_view file = {}, int line = 0);

// ReadableType()
//
// A type's name, from a demangled one: "std::vector<std::string>".
std::string ReadableType(std::string_view name);

// SpawnedLambda()
//
// The lambda that a goroutine was spawned with, from the symbol of the function that calls it and
// that it is usually inlined into: "Cache::Start()::{lambda()#1}". "" if it is none, or the symbol
// is another's. With -g1 that is the only place where the name of such a lambda stands.
std::string SpawnedLambda(std::string_view system_name);

// SymbolWithoutSuffix()
//
// The symbol without what optimisers and the linker have put behind it: ".constprop.0", ".cold",
// "@@GLIBC_2.34". Async-signal-safe.
std::string_view SymbolWithoutSuffix(std::string_view name);

// IsRuntimeFunction()
//
// True for what a dump hides: functions of leash::rt and leash::internal, and the language's own
// plumbing that runs and ends a goroutine or calls through std::function. By symbol, mangled or
// not.
// Async-signal-safe.
bool IsRuntimeFunction(std::string_view system_name);

}  // namespace leash::rt

#endif  // LEASH_DEBUG_FUNCTION_NAME_H_
