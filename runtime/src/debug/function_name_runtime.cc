// Which functions a dump hides: told by the namespace, which the mangled name begins with, so that
// no demangling is needed, nor memory: the crash report asks too.

#include <algorithm>
#include <cctype>
#include <iterator>

#include "debug/function_name.h"

namespace leash::rt {
namespace {

// A component of a mangled name: "8internal" at the front is "internal". Takes it off.
std::string_view TakeComponent(std::string_view* mangled) {
  size_t digits = 0, length = 0;
  while (digits < mangled->size() && digits < 6 &&
         isdigit(static_cast<unsigned char>((*mangled)[digits])) != 0) {
    length = length * 10 + static_cast<size_t>((*mangled)[digits] - '0');
    ++digits;
  }
  if (digits == 0 || length > mangled->size() - digits) return {};
  const std::string_view component = mangled->substr(digits, length);
  mangled->remove_prefix(digits + length);
  return component;
}

// Of std, that are there for the linker only.
bool IsInlineNamespace(std::string_view name) {
  return name == "__cxx11" || name == "__1" || name == "__ndk1" || name == "_V2";
}

// Names that the standard keeps for the language's own library.
bool IsReserved(std::string_view name) {
  return name.size() > 1 && name[0] == '_' &&
         (name[1] == '_' || isupper(static_cast<unsigned char>(name[1])) != 0);
}

// Of a function in std: the first two components of its name after std. `rest` follows them.
bool IsStdPlumbing(std::string_view first, std::string_view second, std::string_view rest) {
  if (IsReserved(first)) return true;
  if (first == "invoke" || first == "invoke_r" || first == "apply" || first == "visit" ||
      first == "call_once") {
    return true;
  }
  if (first == "function" || first == "move_only_function") {
    return rest.starts_with("operator()") || rest.find("EclE") != std::string_view::npos;
  }
  return first == "thread" && IsReserved(second);
}

bool IsRuntimeScope(std::string_view first, std::string_view second) {
  return (first == "leash" && (second == "rt" || second == "internal")) || first == "__gnu_cxx" ||
         first == "__cxxabiv1";
}

bool IsRuntimeMangled(std::string_view name) {
  name.remove_prefix(2);
  // A local entity hides if the function around it does.
  while (name.starts_with('Z')) name.remove_prefix(1);
  // gcc's and clang's functions that turn a lambda without captures into a pointer.
  if (name.find("4_FUNE") != std::string_view::npos ||
      name.find("8__invokeE") != std::string_view::npos) {
    return true;
  }
  const bool nested = name.starts_with('N');
  if (nested) {
    name.remove_prefix(1);
    while (!name.empty() && std::string_view("rVKRO").find(name[0]) != std::string_view::npos) {
      name.remove_prefix(1);
    }
  }
  if (name.starts_with("St")) {
    name.remove_prefix(2);
    std::string_view first = TakeComponent(&name);
    if (IsInlineNamespace(first)) first = TakeComponent(&name);
    const std::string_view rest = name;
    return IsStdPlumbing(first, TakeComponent(&name), rest);
  }
  const std::string_view first = TakeComponent(&name);
  return IsRuntimeScope(first, TakeComponent(&name));
}

bool IsRuntimeQualified(std::string_view name) {
  const auto take = [&name] {
    const size_t end = std::min(name.find("::"), name.find_first_of("<("));
    const std::string_view word = name.substr(0, end);
    name.remove_prefix(word.size());
    // Template arguments are passed over; what follows them is the next component.
    int depth = 0;
    while (!name.empty() && (depth > 0 || name[0] == '<')) {
      depth += name[0] == '<' ? 1 : name[0] == '>' ? -1 : 0;
      name.remove_prefix(1);
    }
    if (name.starts_with("::")) name.remove_prefix(2);
    return word;
  };
  const std::string_view first = take();
  const std::string_view second = take();
  if (first != "std") return IsRuntimeScope(first, second);
  const std::string_view rest = name;
  return IsStdPlumbing(second, take(), rest);
}

// The functions of C that begin and end threads, goroutines and signal handlers.
bool IsRuntimeC(std::string_view name) {
  static constexpr std::string_view kNames[] = {"_start",
                                                "__libc_start_main",
                                                "__libc_start_main_impl",
                                                "__libc_start_call_main",
                                                "start_thread",
                                                "clone",
                                                "clone3",
                                                "__clone",
                                                "__clone3",
                                                "thread_start",
                                                "execute_native_thread_routine",
                                                "__restore_rt",
                                                "__kernel_rt_sigreturn"};
  return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames) ||
         name.starts_with("leash_goroutine_");
}

}  // namespace

std::string_view SymbolWithoutSuffix(std::string_view name) {
  const size_t version = name.find('@');
  if (version != std::string_view::npos && version > 0) name = name.substr(0, version);
  static constexpr std::string_view kSuffixes[] = {".constprop.", ".part.", ".isra.",   ".cold",
                                                   ".lto_priv.",  ".llvm.", ".__uniq.", ".clone."};
  size_t end = name.size();
  for (std::string_view suffix : kSuffixes) end = std::min(end, name.find(suffix));
  return end == 0 ? name : name.substr(0, end);
}

bool IsRuntimeFunction(std::string_view system_name) {
  const std::string_view name = SymbolWithoutSuffix(system_name);
  if (name.starts_with("_Z")) return IsRuntimeMangled(name);
  return name.find("::") != std::string_view::npos ? IsRuntimeQualified(name) : IsRuntimeC(name);
}

}  // namespace leash::rt
