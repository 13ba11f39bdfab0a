#include "debug/pretty_site.h"

namespace leash::rt {
namespace {

bool Opens(char c) { return c == '(' || c == '<' || c == '[' || c == '{'; }
bool Closes(char c) { return c == ')' || c == '>' || c == ']' || c == '}'; }

// The names that the compilers give to lambdas, as they stand between "::".
bool IsLambda(std::string_view part) {
  return part.starts_with("<lambda") || part.starts_with("(anonymous class)") ||
         part.starts_with("(lambda at") || part.starts_with("'lambda");
}

// The words before the name: return type, "virtual", "static", ... Ends at the last blank outside
// of all brackets that stands before the parameters; "operator" and what follows it belong
// together.
std::string_view WithoutReturnType(std::string_view text) {
  int depth = 0;
  size_t begin = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (depth == 0 && text.substr(i).starts_with("operator") &&
        (i == 0 || text[i - 1] == ' ' || text[i - 1] == ':')) {
      return text.substr(begin);
    }
    if (depth == 0 && c == '(' && i > begin && text[i - 1] != ':' && text[i - 1] != ' ') {
      return text.substr(begin);  // the parameters begin
    }
    if (Opens(c)) ++depth;
    if (Closes(c) && depth > 0) --depth;
    if (depth == 0 && (c == ' ' || c == '*' || c == '&')) begin = i + 1;
  }
  return text.substr(begin);
}

}  // namespace

std::string PrettySiteFunction(std::string_view signature) {
  // "[with T = int]" of gcc, "[T = int]" of clang.
  if (const size_t with = signature.rfind(" [");
      with != std::string_view::npos && signature.ends_with("]")) {
    signature = signature.substr(0, with);
  }
  std::string_view rest = WithoutReturnType(signature);
  std::string out;
  while (!rest.empty()) {
    // One part, up to the next "::" outside of brackets.
    int depth = 0;
    size_t end = 0;
    for (; end < rest.size(); ++end) {
      if (depth == 0 && rest.substr(end).starts_with("::")) break;
      if (rest.substr(end).starts_with("operator")) {
        // Its name may be made of brackets.
        end += 8;
        while (end < rest.size() && rest[end] != '(') ++end;
        if (rest.substr(end).starts_with("()")) end += 2;
        if (end >= rest.size()) break;
      }
      if (Opens(rest[end])) ++depth;
      if (Closes(rest[end]) && depth > 0) --depth;
    }
    if (end > rest.size()) end = rest.size();
    std::string_view part = rest.substr(0, end);
    rest = end < rest.size() ? rest.substr(end + 2) : std::string_view();
    if (IsLambda(part)) {
      part = "lambda";
    } else if (part == "{anonymous}" || part == "(anonymous namespace)" || part == "<unnamed>") {
      continue;
    } else {
      // Without parameters and template arguments; "operator()" and "operator<" keep theirs.
      const size_t from = part.starts_with("operator") ? 10 : 0;
      size_t cut = part.find_first_of("(<", from < part.size() ? from : part.size());
      if (cut != std::string_view::npos && cut > 0) part = part.substr(0, cut);
      if (out.ends_with("lambda") && part.starts_with("operator()")) continue;
    }
    if (!out.empty()) out += "::";
    out += part;
  }
  return out;
}

}  // namespace leash::rt
