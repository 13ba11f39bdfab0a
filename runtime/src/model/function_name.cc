// How a function is named in text.

#include "model/function_name.h"

namespace leash::internal {
namespace {

bool ConsumeSuffix(std::string_view suffix, std::string_view* text) {
  if (!text->ends_with(suffix)) return false;
  text->remove_suffix(suffix.size());
  return true;
}

// Up to and with the closing parenthesis of the parameters; all of it if it has none.
std::string_view WithoutQualifiers(std::string_view function) {
  std::string_view s = function;
  for (bool again = true; again;) {
    again = ConsumeSuffix(" const", &s) || ConsumeSuffix(" volatile", &s) ||
            ConsumeSuffix(" noexcept", &s) || ConsumeSuffix(" &&", &s) || ConsumeSuffix(" &", &s);
    if (!again && s.ends_with(']')) {
      // "[clone .isra.0]", which compilers add; never an array, which cannot be returned.
      const size_t open = s.rfind(" [");
      if (open != s.npos && s.substr(open).starts_with(" [clone ")) {
        s = s.substr(0, open);
        again = true;
      }
    }
  }
  return s.ends_with(')') ? s : function;
}

// Where the parameters begin; npos if the name ends without any.
size_t ParametersAt(std::string_view s) {
  if (!s.ends_with(')')) return s.npos;
  int depth = 0;
  for (size_t i = s.size(); i-- > 0;) {
    if (s[i] == ')') ++depth;
    if (s[i] == '(' && --depth == 0) {
      const std::string_view before = s.substr(0, i);
      if (before.empty() || before.ends_with("operator") || before.ends_with("::")) return s.npos;
      return i;
    }
  }
  return s.npos;
}

}  // namespace

std::string_view FunctionWithoutParameters(std::string_view function) {
  const std::string_view s = WithoutQualifiers(function);
  const size_t open = ParametersAt(s);
  return open == s.npos ? function : s.substr(0, open);
}

void AppendGoCall(std::string_view function, bool inlined, std::string* out) {
  const std::string_view s = WithoutQualifiers(function);
  if (ParametersAt(s) != s.npos) {
    out->append(s);
  } else {
    out->append(function.empty() ? std::string_view("???") : function);
    *out += inlined ? "(...)" : "()";
  }
}

std::string_view BaseName(std::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == path.npos ? path : path.substr(slash + 1);
}

}  // namespace leash::internal
