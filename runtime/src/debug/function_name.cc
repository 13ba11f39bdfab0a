// Reads a demangled name into a tree of tokens and bracketed groups, and writes it shorter.
//
// Demanglers do not agree on details (gcc's "{lambda()#1}", clang's "$_0", LLVM's "'lambda'()"),
// and every C++ version adds some: what this does not understand it leaves as it is.

#include "debug/function_name.h"

#include <cxxabi.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <memory>
#include <utility>
#include <vector>

namespace leash::rt {
namespace {

// Longer lists of parameters or of template arguments say less than they hide.
constexpr size_t kParametersMax = 64, kTemplateArgumentsMax = 48;

struct Node;
using Sequence = std::vector<Node>;

// A word, a symbol or one space; or a group: a bracket with what it holds, between commas.
struct Node {
  std::string text;
  char open = 0;  // of a group: < ( { [
  std::vector<Sequence> items;

  bool Is(std::string_view t) const { return open == 0 && text == t; }
  bool IsWord() const {
    return open == 0 && !text.empty() &&
           (isalnum(static_cast<unsigned char>(text[0])) != 0 || text[0] == '_' || text[0] == '~' ||
            text[0] == '$');
  }
};

bool IsWordChar(char c) {
  return isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '$';
}

// The text as a tree. Fails where brackets do not match.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  bool Parse(Sequence* sequence) { return ParseItem(sequence, 0) && at_ == text_.size(); }

 private:
  // Up to the bracket that closes `open` or to a comma.
  bool ParseItem(Sequence* sequence, int depth) {
    if (depth > 100) return false;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == ')' || c == '>' || c == '}' || c == ']' || (c == ',' && depth > 0)) return true;
      if (c == '<' || c == '(' || c == '{' || c == '[') {
        Node group;
        group.open = c;
        const char close = c == '<' ? '>' : c == '(' ? ')' : c == '{' ? '}' : ']';
        ++at_;
        for (;;) {
          SkipSpaces();
          group.items.emplace_back();
          if (!ParseItem(&group.items.back(), depth + 1) || at_ == text_.size()) return false;
          Trim(&group.items.back());
          if (text_[at_] == ',') {
            ++at_;
            continue;
          }
          if (text_[at_] != close) return false;
          ++at_;
          break;
        }
        if (group.items.size() == 1 && group.items[0].empty()) group.items.clear();
        sequence->push_back(std::move(group));
      } else if (c == '\'') {
        // LLVM's 'lambda0': up to the next quote.
        const size_t end = text_.find('\'', at_ + 1);
        if (end == std::string_view::npos) return false;
        sequence->push_back({std::string(text_.substr(at_, end + 1 - at_)), 0, {}});
        at_ = end + 1;
      } else if (IsWordChar(c) || c == '~') {
        size_t end = at_ + 1;
        while (end < text_.size() && IsWordChar(text_[end])) ++end;
        std::string word(text_.substr(at_, end - at_));
        at_ = end;
        if (word == "operator") word += OperatorSymbol();
        sequence->push_back({std::move(word), 0, {}});
      } else if (text_.substr(at_, 2) == "::") {
        sequence->push_back({"::", 0, {}});
        at_ += 2;
      } else {
        sequence->push_back({std::string(1, c), 0, {}});
        ++at_;
      }
    }
    return depth == 0;
  }

  // What follows the word "operator". A conversion's type is left to be read as tokens.
  std::string OperatorSymbol() {
    static constexpr std::string_view kSymbols[] = {
        "()", "[]", "<=>", "<<=", ">>=", "->*", "<<", ">>", "<=", ">=", "==", "!=", "&&",
        "||", "++", "--",  "->",  "+=",  "-=",  "*=", "/=", "%=", "&=", "|=", "^=", "+",
        "-",  "*",  "/",   "%",   "^",   "&",   "|",  "~",  "!",  "=",  "<",  ">",  ","};
    static constexpr std::string_view kWords[] = {" new[]", " delete[]", " new", " delete",
                                                  " co_await"};
    for (std::string_view s : kSymbols) {
      if (text_.substr(at_, s.size()) != s) continue;
      at_ += s.size();
      // "operator< <B>": the space only keeps the two apart.
      if (text_.substr(at_, 2) == " <") ++at_;
      return std::string(s);
    }
    for (std::string_view s : kWords) {
      if (text_.substr(at_, s.size()) != s) continue;
      at_ += s.size();
      return std::string(s);
    }
    if (text_.substr(at_, 1) == " ") {
      ++at_;
      return " ";
    }
    return {};
  }

  void SkipSpaces() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }
  static void Trim(Sequence* sequence) {
    while (!sequence->empty() && sequence->back().Is(" ")) sequence->pop_back();
  }

  std::string_view text_;
  size_t at_ = 0;
};

std::string Write(const Sequence& sequence);

std::string WriteItems(const std::vector<Sequence>& items) {
  std::string out;
  for (const Sequence& item : items) {
    if (!out.empty()) out += ", ";
    out += Write(item);
  }
  return out;
}

std::string Write(const Node& node) {
  if (node.open == 0) return node.text;
  const char close = node.open == '<' ? '>' : node.open == '(' ? ')' : node.open == '{' ? '}' : ']';
  return node.open + WriteItems(node.items) + close;
}

std::string Write(const Sequence& sequence) {
  std::string out;
  for (const Node& node : sequence) out += Write(node);
  return out;
}

bool IsLambdaWord(const Node& node) { return node.open == 0 && node.text.starts_with("lambda#"); }

std::string Number(std::string_view digits, int first) {
  int value = 0;
  for (char c : digits) {
    if (isdigit(static_cast<unsigned char>(c)) != 0) value = value * 10 + (c - '0');
  }
  return std::to_string(value + first);
}

// "lambda#N" from each compiler's way to write it; else "".
std::string LambdaName(const Node& node) {
  if (node.open == '{') {
    const std::string text = Write(node);
    const size_t number = text.rfind('#');
    if (!text.starts_with("{lambda") || number == std::string::npos) return {};
    return "lambda#" + Number(std::string_view(text).substr(number), 0);
  }
  // clang's debug information: "(lambda at cache.cc:20:67)".
  if (node.open == '(' && Write(node).starts_with("(lambda at ")) return "lambda#0";
  if (node.open == '<' && Write(node).starts_with("<lambda(")) return "lambda#0";  // gcc's
  if (node.text.starts_with("$_")) return "lambda#" + Number(node.text, 1);
  if (node.text.starts_with("'lambda")) {
    return "lambda#" + (node.text == "'lambda'" ? "1" : Number(node.text, 2));
  }
  return {};
}

// Namespaces that are there for the linker only.
bool IsInlineNamespace(const std::string& outer, const std::string& word) {
  if (outer == "std") {
    return word == "__cxx11" || word == "__1" || word == "__2" || word == "__debug" ||
           word == "_V2" || word == "__ndk1";
  }
  if (outer == "absl") return word.starts_with("lts_") || word.starts_with("debian");
  return false;
}

// What a library's class template takes when nothing is said.
bool IsDefaultArgument(const Sequence& item) {
  static constexpr std::string_view kDefaults[] = {
      "std::allocator<", "std::char_traits<", "std::default_delete<",      "std::less<",
      "std::equal_to<",  "std::hash<",        "absl::hash_internal::Hash<"};
  const std::string text = Write(item);
  return std::any_of(std::begin(kDefaults), std::end(kDefaults),
                     [&](std::string_view d) { return text.starts_with(d); });
}

// "basic_ostream" of <char> is "ostream", of <wchar_t> "wostream".
std::string CharTypedef(const std::string& word, const std::vector<Sequence>& arguments) {
  static constexpr std::string_view kNames[] = {
      "string",        "string_view",   "ostream", "istream",  "iostream", "stringstream",
      "ostringstream", "istringstream", "fstream", "ifstream", "ofstream", "streambuf",
      "stringbuf",     "filebuf",       "ios",     "regex"};
  if (!word.starts_with("basic_") || arguments.size() != 1) return {};
  const std::string_view name = std::string_view(word).substr(6);
  if (std::find(std::begin(kNames), std::end(kNames), name) == std::end(kNames)) return {};
  const std::string type = Write(arguments[0]);
  if (type == "char") return std::string(name);
  if (type == "wchar_t") return "w" + std::string(name);
  if (name.starts_with("string") &&
      (type == "char8_t" || type == "char16_t" || type == "char32_t")) {
    return type.substr(4, type.size() - 6).insert(0, "u").append(name);
  }
  return {};
}

std::string DurationTypedef(const std::string& word, const std::vector<Sequence>& arguments) {
  static constexpr std::pair<std::string_view, std::string_view> kNames[] = {
      {"std::ratio<1, 1000000000>", "nanoseconds"},
      {"std::ratio<1, 1000000>", "microseconds"},
      {"std::ratio<1, 1000>", "milliseconds"},
      {"std::ratio<1, 1>", "seconds"},
      {"std::ratio<60, 1>", "minutes"},
      {"std::ratio<3600, 1>", "hours"}};
  if (word != "duration" || arguments.size() != 2 || Write(arguments[0]) != "long") return {};
  const std::string ratio = Write(arguments[1]);
  for (const auto& [from, to] : kNames) {
    if (ratio == from) return std::string(to);
  }
  return {};
}

// "0ul" is 0 to a reader.
void DropLiteralSuffix(Node* node) {
  if (node->open != 0 || node->text.empty() ||
      isdigit(static_cast<unsigned char>(node->text[0])) == 0) {
    return;
  }
  const size_t end = node->text.find_first_not_of("0123456789");
  if (end != std::string::npos && node->text.find_first_not_of("ul", end) == std::string::npos) {
    node->text.resize(end);
  }
}

void Simplify(Sequence* sequence);

// "Key const&" is written "const Key&".
void MoveConst(Sequence* item) {
  for (size_t i = 0; i < item->size(); ++i) {
    const Node& node = (*item)[i];
    if (node.Is("*") || node.Is("&") || node.open == '(' || node.open == '[') return;
    if (!node.Is("const") || i < 2 || !(*item)[i - 1].Is(" ")) continue;
    item->erase(item->begin() + static_cast<ptrdiff_t>(i) - 1,
                item->begin() + static_cast<ptrdiff_t>(i) + 1);
    item->insert(item->begin(), {Node{"const", 0, {}}, Node{" ", 0, {}}});
    return;
  }
}

// "main::{lambda()#1}&&" as an argument is "lambda&&": where it stands does not help here.
void ShortenLambdaType(Sequence* item) {
  size_t last = item->size();
  for (size_t i = 0; i < item->size(); ++i) {
    if ((*item)[i].Is("*") || (*item)[i].Is("&")) break;
    if (IsLambdaWord((*item)[i])) last = i;
  }
  if (last == item->size()) return;
  (*item)[last].text = "lambda";
  item->erase(item->begin(), item->begin() + static_cast<ptrdiff_t>(last));
}

void SimplifyGroup(Node* group, bool of_library) {
  for (Sequence& item : group->items) {
    Simplify(&item);
    ShortenLambdaType(&item);
    MoveConst(&item);
  }
  if (group->open != '<') return;
  // An empty pack is an item without tokens.
  std::erase_if(group->items, [](const Sequence& item) { return item.empty(); });
  while (of_library && group->items.size() > 1 && IsDefaultArgument(group->items.back())) {
    group->items.pop_back();
  }
}

void Simplify(Sequence* sequence) {
  Sequence out;
  std::string root;                  // the first word of the path that is being read
  std::string class_from, class_to;  // a typedef's long name and short one, for its constructors
  for (size_t i = 0; i < sequence->size(); ++i) {
    Node& node = (*sequence)[i];
    const bool scoped = i + 1 < sequence->size() && (*sequence)[i + 1].Is("::");
    const bool continues = !out.empty() && out.back().Is("::");
    if (const std::string lambda = LambdaName(node); !lambda.empty()) {
      out.push_back({lambda, 0, {}});
      // LLVM writes the parameters after the quotes.
      if (node.text.starts_with('\'') && i + 1 < sequence->size() &&
          (*sequence)[i + 1].open == '(') {
        ++i;
      }
      continue;
    }
    if (node.open == '[') {
      const std::string text = Write(node);
      if (text.starts_with("[abi:") || text.starts_with("[clone")) {
        while (text[1] == 'c' && !out.empty() && out.back().Is(" ")) out.pop_back();
        continue;
      }
    }
    if (node.open == '(' && scoped && Write(node) == "(anonymous namespace)") {
      ++i;
      continue;
    }
    if (node.open != 0) {
      SimplifyGroup(&node, root == "std" || root == "absl" || root == "boost");
      std::string to;
      if (node.open == '<' && !out.empty() && root == "std") {
        to = CharTypedef(out.back().text, node.items);
        if (to.empty()) to = DurationTypedef(out.back().text, node.items);
      }
      if (!to.empty()) {
        class_from = out.back().text;
        class_to = to;
        out.back().text = to;
      } else if (node.open != '<' || !node.items.empty()) {
        out.push_back(std::move(node));
      }
      continue;
    }
    DropLiteralSuffix(&node);
    if (node.IsWord()) {
      if (!continues) root = node.text;
      if (continues && scoped && IsInlineNamespace(root, node.text)) {
        ++i;
        continue;
      }
      if (!class_from.empty() && continues) {
        if (node.text == class_from) node.text = class_to;
        if (node.text == "~" + class_from) node.text = "~" + class_to;
      }
    }
    out.push_back(std::move(node));
  }
  *sequence = std::move(out);
}

// Drops what follows a parameter list: " const", " &", " noexcept".
void DropQualifiers(Sequence* sequence) {
  Sequence out;
  for (size_t i = 0; i < sequence->size(); ++i) {
    Node& node = (*sequence)[i];
    if (!out.empty() && out.back().open == '(' && node.Is(" ") && i + 1 < sequence->size()) {
      const Node& next = (*sequence)[i + 1];
      if (next.Is("const") || next.Is("volatile") || next.Is("noexcept") || next.Is("&")) {
        ++i;
        if (next.Is("&") && i + 1 < sequence->size() && (*sequence)[i + 1].Is("&")) ++i;
        continue;
      }
    }
    out.push_back(std::move(node));
  }
  *sequence = std::move(out);
}

// Drops the return type that templates have, and "virtual thunk to".
void DropReturnType(Sequence* sequence) {
  size_t start = 0;
  for (size_t i = 0; i < sequence->size(); ++i) {
    const Node& node = (*sequence)[i];
    if (node.Is("operator ")) break;  // a conversion: its type may hold spaces
    if (node.Is(" ")) start = i + 1;
  }
  // "int (*f())(char)" has no name outside of its brackets.
  if (start < sequence->size() && (*sequence)[start].open == '(') return;
  sequence->erase(sequence->begin(), sequence->begin() + static_cast<ptrdiff_t>(start));
}

// "lambda::operator()<int>(int)" is the lambda itself.
void DropLambdaOperator(Sequence* sequence) {
  Sequence out;
  for (size_t i = 0; i < sequence->size(); ++i) {
    out.push_back(std::move((*sequence)[i]));
    if (!IsLambdaWord(out.back()) || i + 2 >= sequence->size() || !(*sequence)[i + 1].Is("::")) {
      continue;
    }
    const Node& member = (*sequence)[i + 2];
    if (!member.Is("operator()") && !member.Is("_FUN") && !member.Is("__invoke")) continue;
    i += 2;
    while (i + 1 < sequence->size() &&
           ((*sequence)[i + 1].open == '<' || (*sequence)[i + 1].open == '(')) {
      ++i;
    }
  }
  *sequence = std::move(out);
}

// Drops from the types in `sequence` the namespaces and classes that they share with `scopes`.
void DropScopes(const std::vector<std::string>& scopes, Sequence* sequence) {
  for (Node& node : *sequence) {
    for (Sequence& item : node.items) DropScopes(scopes, &item);
  }
  for (size_t i = 0; i < sequence->size(); ++i) {
    if (i > 0 && (*sequence)[i - 1].Is("::")) continue;
    size_t end = i;
    for (const std::string& scope : scopes) {
      if (end + 1 >= sequence->size() || !(*sequence)[end].Is(scope) ||
          !(*sequence)[end + 1].Is("::")) {
        break;
      }
      end += 2;
    }
    sequence->erase(sequence->begin() + static_cast<ptrdiff_t>(i),
                    sequence->begin() + static_cast<ptrdiff_t>(end));
  }
}

std::string WriteFunction(Sequence* sequence, std::string_view file, int line) {
  // The plain words of the path: what a parameter's type may share.
  std::vector<std::string> scopes;
  for (size_t i = 0; i + 1 < sequence->size(); i += 2) {
    if (!(*sequence)[i].IsWord() || !(*sequence)[i + 1].Is("::")) break;
    scopes.push_back((*sequence)[i].text);
  }
  if (!scopes.empty() && scopes[0] == "std") scopes.clear();
  std::string out;
  for (size_t i = 0; i < sequence->size(); ++i) {
    Node& node = (*sequence)[i];
    const bool last = i + 1 == sequence->size();
    if (IsLambdaWord(node)) {
      if (!last || line > 0 || node.text == "lambda#0") node.text = "lambda";
      out += node.text;
      if (last && line > 0) {
        const size_t slash = file.rfind('/');
        out += " at ";
        out += slash == std::string_view::npos ? file : file.substr(slash + 1);
        out += ":" + std::to_string(line);
      }
      continue;
    }
    if (node.open == '(' || node.open == '<') {
      if (node.open == '<' && out.ends_with('<')) out += ' ';  // operator< <Key>
      for (Sequence& item : node.items) DropScopes(scopes, &item);
      const std::string items = WriteItems(node.items);
      if (items.size() > (node.open == '(' ? kParametersMax : kTemplateArgumentsMax)) {
        out += node.open == '(' ? "(...)" : "<...>";
        continue;
      }
    }
    out += Write(node);
  }
  return out;
}

std::string DemangleWhole(const std::string& symbol) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> text(
      abi::__cxa_demangle(symbol.c_str(), nullptr, nullptr, &status), &free);
  return status == 0 && text != nullptr ? std::string(text.get()) : std::string();
}

// Whether that place of a mangled name is within an identifier, "5Queue". Not one: "S1_", "T0_".
bool IsInIdentifier(std::string_view symbol, size_t place) {
  for (size_t at = 2; at < place; ++at) {
    if (isdigit(static_cast<unsigned char>(symbol[at])) == 0) continue;
    const bool reference = symbol[at - 1] == 'S' || symbol[at - 1] == 'T';
    size_t length = 0;
    for (; at < place && isdigit(static_cast<unsigned char>(symbol[at])) != 0; ++at) {
      length = std::min(symbol.size(), length * 10 + static_cast<size_t>(symbol[at] - '0'));
    }
    if (!reference && place - at < length) return true;
    --at;
  }
  return false;
}

size_t FindConstraint(std::string_view symbol) {
  for (size_t at = 2; at < symbol.size(); ++at) {
    if (symbol[at] != 'Q' && symbol.substr(at, 2) != "Tk") continue;
    if (!IsInIdentifier(symbol, at)) return at;
  }
  return symbol.npos;
}

// Clang 17 and newer mangle constraints ("Q" and an expression, or "Tk" and a concept), which older
// demanglers do not know. What stands before the constraint: "B<int>::Me(int)" of a clause that
// comes last; else the function's name, as "A::Take<...>(...)", since the constraint is among its
// template arguments and its parameters may refer to what is within.
std::string DemangleConstrained(const std::string& symbol) {
  const size_t constraint = FindConstraint(symbol);
  if (constraint == symbol.npos) return {};
  if (std::string text = DemangleWhole(symbol.substr(0, constraint)); !text.empty()) return text;
  const std::string_view end = symbol.starts_with("_ZN") ? "Ev" : "v";
  // The template arguments that it is among begin with the last "I" that a whole name precedes.
  for (size_t at = symbol.rfind('I', constraint); at != symbol.npos && at > 2;
       at = symbol.rfind('I', at - 1)) {
    std::string text = DemangleWhole(symbol.substr(0, at).append(end));
    if (!text.ends_with("()")) continue;
    text.resize(text.size() - 2);
    return text + "<...>(...)";
  }
  return {};
}

std::string Demangle(const std::string& symbol) {
  std::string text = DemangleWhole(symbol);
  return text.empty() ? DemangleConstrained(symbol) : text;
}

// "A<B, C>" and "D" of "A<B, C>, D".
std::vector<std::string_view> SplitArguments(std::string_view text) {
  std::vector<std::string_view> items;
  int depth = 0;
  size_t begin = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '<' || c == '(' || c == '{' || c == '[') ++depth;
    if (c == '>' || c == ')' || c == '}' || c == ']') --depth;
    if (c == ',' && depth == 0) {
      items.push_back(text.substr(begin, i - begin));
      begin = text.find_first_not_of(' ', i + 1);
      if (begin == text.npos) return items;
    }
  }
  items.push_back(text.substr(begin));
  return items;
}

}  // namespace

std::string SpawnedLambda(std::string_view system_name) {
  const std::string_view symbol = SymbolWithoutSuffix(system_name);
  if (!symbol.starts_with("_ZN5leash8internal7ClosureI")) return {};
  constexpr std::string_view kBegin = "leash::internal::Closure<", kEnd = ">::Run(void*)";
  const std::string demangled = Demangle(std::string(symbol));
  std::string_view text = demangled;
  if (!text.starts_with(kBegin) || !text.ends_with(kEnd)) return {};
  text.remove_prefix(kBegin.size());
  text.remove_suffix(kEnd.size());
  text = SplitArguments(text).front();  // then come the arguments of go()
  // What WaitGroup::Go and its like wrap around a function.
  while (text.starts_with("leash::internal::") && text.find('<') != text.npos) {
    text.remove_prefix(text.find('<') + 1);
    while (text.ends_with('>') || text.ends_with(' ')) {
      const bool last = text.back() == '>';
      text.remove_suffix(1);
      if (last) break;
    }
    text = SplitArguments(text).back();
  }
  const size_t name = text.rfind("::");
  const bool lambda = text.ends_with('}')
                          ? text.find("{lambda(") != text.npos
                          : name != text.npos && text.substr(name).starts_with("::$_");
  return lambda ? std::string(text) : std::string();
}

std::string ReadableFunction(std::string_view system_name, std::string_view file, int line) {
  const std::string symbol(SymbolWithoutSuffix(system_name));
  if (!symbol.starts_with("_Z")) return symbol;
  const std::string demangled = Demangle(symbol);
  return demangled.empty() ? symbol : ReadableDemangled(demangled, file, line);
}

std::string ReadableDemangled(std::string_view name, std::string_view file, int line) {
  Sequence sequence;
  if (!Parser(name).Parse(&sequence)) return std::string(name);
  Simplify(&sequence);
  DropQualifiers(&sequence);
  DropReturnType(&sequence);
  DropLambdaOperator(&sequence);
  return WriteFunction(&sequence, file, line);
}

std::string ReadableType(std::string_view name) {
  Sequence sequence;
  if (!Parser(name).Parse(&sequence)) return std::string(name);
  Simplify(&sequence);
  MoveConst(&sequence);
  return Write(sequence);
}

}  // namespace leash::rt
