// The subset of YAML that LLVM's writer produces: block maps and block lists of scalars, which are
// plain, in single quotes or in double quotes. A document is read into a flat list of "indent,
// dash, key, value" lines, and the diagnostics are then read off that.

#include "check/replacements_yaml.h"

#include <cctype>
#include <cstdlib>

namespace leash::tools {
namespace {

// "  - Key:   value": an item of a list begins at the dash, its other keys stand two further in.
struct Entry {
  int line = 0;
  bool begins_item = false;
  std::string key;
  std::string value;
};

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  // False at the end of the document, or on an error.
  bool Next(Entry* entry) {
    for (;;) {
      SkipBlanks();
      if (at_ == text_.size()) return false;
      if (text_[at_] == '\n') {
        Advance();
        continue;
      }
      if (StartsWith("---")) {
        SkipLine();
        continue;
      }
      if (StartsWith("...")) return false;
      break;
    }
    *entry = Entry();
    entry->line = line_;
    if (StartsWith("- ")) {
      entry->begins_item = true;
      at_ += 2;
      SkipBlanks();
    }
    const size_t begin = at_;
    while (at_ < text_.size() && text_[at_] != ':' && text_[at_] != '\n') ++at_;
    if (at_ == text_.size() || text_[at_] != ':') return Fail("want a key and a colon");
    entry->key = text_.substr(begin, at_ - begin);
    ++at_;
    SkipBlanks();
    return Scalar(&entry->value);
  }

  const std::string& error() const { return error_; }

 private:
  bool StartsWith(std::string_view word) const { return text_.substr(at_, word.size()) == word; }
  void Advance() {
    if (text_[at_] == '\n') ++line_;
    ++at_;
  }
  void SkipBlanks() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }
  void SkipLine() {
    while (at_ < text_.size() && text_[at_] != '\n') ++at_;
  }
  bool Fail(const std::string& what) {
    error_ = "line " + std::to_string(line_) + ": " + what;
    return false;
  }

  bool Scalar(std::string* value) {
    if (at_ == text_.size() || text_[at_] == '\n') return true;
    if (text_[at_] == '\'') return SingleQuoted(value);
    if (text_[at_] == '"') return DoubleQuoted(value);
    const size_t begin = at_;
    SkipLine();
    *value = text_.substr(begin, at_ - begin);
    while (!value->empty() && (value->back() == ' ' || value->back() == '\r')) value->pop_back();
    return true;
  }

  // A line end inside quotes is a blank; each empty line after it is a line end.
  void Fold(std::string* value) {
    while (!value->empty() && value->back() == ' ') value->pop_back();
    int lines = 0;
    while (at_ < text_.size() && (text_[at_] == '\n' || text_[at_] == ' ')) {
      if (text_[at_] == '\n') ++lines;
      Advance();
    }
    if (lines == 1) {
      value->push_back(' ');
    } else {
      value->append(static_cast<size_t>(lines - 1), '\n');
    }
  }

  bool SingleQuoted(std::string* value) {
    for (++at_; at_ < text_.size();) {
      if (text_[at_] == '\'') {
        ++at_;
        if (at_ == text_.size() || text_[at_] != '\'') return true;
        value->push_back('\'');
        ++at_;
      } else if (text_[at_] == '\n') {
        Fold(value);
      } else {
        value->push_back(text_[at_++]);
      }
    }
    return Fail("want a closing quote");
  }

  bool DoubleQuoted(std::string* value) {
    for (++at_; at_ < text_.size();) {
      const char c = text_[at_];
      if (c == '"') {
        ++at_;
        return true;
      }
      if (c == '\n') {
        Fold(value);
        continue;
      }
      ++at_;
      if (c != '\\') {
        value->push_back(c);
        continue;
      }
      if (at_ == text_.size()) break;
      if (!Escape(value)) return false;
    }
    return Fail("want a closing quote");
  }

  bool Escape(std::string* value) {
    const char c = text_[at_++];
    switch (c) {
      case 'n':
        value->push_back('\n');
        return true;
      case 't':
        value->push_back('\t');
        return true;
      case 'r':
        value->push_back('\r');
        return true;
      case '0':
        value->push_back('\0');
        return true;
      case 'x':
        return CodePoint(2, value);
      case 'u':
        return CodePoint(4, value);
      case 'U':
        return CodePoint(8, value);
      case '\\':
      case '"':
      case '/':
      case ' ':
        value->push_back(c);
        return true;
      default:
        return Fail(std::string("want an escape, have \\") + c);
    }
  }

  bool CodePoint(size_t digits, std::string* value) {
    const std::string hex(text_.substr(at_, digits));
    if (hex.size() != digits) return Fail("want " + std::to_string(digits) + " digits");
    at_ += digits;
    const unsigned long code = std::strtoul(hex.c_str(), nullptr, 16);
    if (code < 0x80) {
      value->push_back(static_cast<char>(code));
    } else if (code < 0x800) {
      value->push_back(static_cast<char>(0xC0 | (code >> 6)));
      value->push_back(static_cast<char>(0x80 | (code & 0x3F)));
    } else if (code < 0x10000) {
      value->push_back(static_cast<char>(0xE0 | (code >> 12)));
      value->push_back(static_cast<char>(0x80 | ((code >> 6) & 0x3F)));
      value->push_back(static_cast<char>(0x80 | (code & 0x3F)));
    } else {
      value->push_back(static_cast<char>(0xF0 | (code >> 18)));
      value->push_back(static_cast<char>(0x80 | ((code >> 12) & 0x3F)));
      value->push_back(static_cast<char>(0x80 | ((code >> 6) & 0x3F)));
      value->push_back(static_cast<char>(0x80 | (code & 0x3F)));
    }
    return true;
  }

  std::string_view text_;
  size_t at_ = 0;
  int line_ = 1;
  std::string error_;
};

size_t Number(const std::string& value) { return std::strtoull(value.c_str(), nullptr, 10); }

}  // namespace

bool ParseReplacements(std::string_view yaml, std::vector<YamlDiagnostic>* diagnostics,
                       std::string* error) {
  Lexer lexer(yaml);
  Entry entry;
  YamlMessage* message = nullptr;
  bool in_fix = false;
  while (lexer.Next(&entry)) {
    const std::string& key = entry.key;
    if (key == "MainSourceFile" || key == "Diagnostics") continue;
    if (key == "DiagnosticName") {
      diagnostics->emplace_back();
      diagnostics->back().name = entry.value;
      message = nullptr;
      continue;
    }
    if (diagnostics->empty()) {
      *error = "line " + std::to_string(entry.line) + ": want DiagnosticName, have " + key;
      return false;
    }
    YamlDiagnostic& diagnostic = diagnostics->back();
    if (key == "DiagnosticMessage") {
      message = &diagnostic.message;
    } else if (key == "Notes" || key == "Ranges") {
      message = nullptr;
    } else if (key == "Level") {
      diagnostic.level = entry.value;
    } else if (key == "BuildDirectory") {
      diagnostic.build_directory = entry.value;
    } else if (key == "Message") {
      if (entry.begins_item) message = &diagnostic.notes.emplace_back();
      if (message != nullptr) message->text = entry.value;
      in_fix = false;
    } else if (message == nullptr) {
      continue;  // the ranges of a diagnostic
    } else if (key == "Replacements") {
      in_fix = true;
    } else if (key == "FilePath" && in_fix && entry.begins_item) {
      message->fix.emplace_back().file = entry.value;
    } else if (key == "FilePath") {
      message->file = entry.value;
    } else if (key == "FileOffset") {
      message->offset_bytes = Number(entry.value);
    } else if (in_fix && !message->fix.empty()) {
      YamlReplacement& replacement = message->fix.back();
      if (key == "Offset") replacement.offset_bytes = Number(entry.value);
      if (key == "Length") replacement.length_bytes = Number(entry.value);
      if (key == "ReplacementText") replacement.text = entry.value;
    }
  }
  *error = lexer.error();
  return error->empty();
}

}  // namespace leash::tools
