// Filters: their grammar and what each term looks at. docs/reference/dump.md is for people.
//
//   filter  = [ term { separator term } ]          separator = ' ' | ','
//   term    = [ '!' ] ( key ':' value | 'wait' op duration )
//   value   = word | '"' text '"'                  op = '>' | '>=' | '<' | '<='

#include "leash/analyzer/filter.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "absl/time/time.h"
#include "model/object_words.h"
#include "model/stack_view.h"
#include "model/text.h"

namespace leash {
namespace {

using Key = Filter::Term::Key;

constexpr std::array<std::pair<std::string_view, Key>, 11> kKeys = {{
    {"any", Key::kAny},
    {"background", Key::kBackground},
    {"created_by", Key::kCreatedBy},
    {"func", Key::kFunc},
    {"id", Key::kId},
    {"kind", Key::kKind},
    {"label", Key::kLabel},
    {"reason", Key::kReason},
    {"state", Key::kState},
    {"test", Key::kTest},
    {"tier", Key::kTier},
}};

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  absl::Status Parse(std::vector<Filter::Term>* terms) {
    for (;;) {
      while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == ',')) ++at_;
      if (at_ == text_.size()) return absl::OkStatus();
      Filter::Term term;
      if (absl::Status status = ParseTerm(&term); !status.ok()) return status;
      terms->push_back(std::move(term));
    }
  }

 private:
  absl::Status Fail(size_t at, std::string_view want) const {
    std::string message = "column " + std::to_string(at + 1) + ": want ";
    message += want;
    message += ", have ";
    const std::string_view rest = text_.substr(at, text_.find_first_of(" ,", at) - at);
    if (at >= text_.size()) {
      message += "the end";
    } else {
      internal::AppendGoQuoted(rest.empty() ? text_.substr(at, 1) : rest, &message);
    }
    return absl::InvalidArgumentError(message);
  }

  absl::Status ParseTerm(Filter::Term* term) {
    if (text_[at_] == '!') {
      term->negated = true;
      ++at_;
    }
    const size_t begin = at_;
    while (at_ < text_.size() && ((text_[at_] >= 'a' && text_[at_] <= 'z') || text_[at_] == '_')) {
      ++at_;
    }
    const std::string_view key = text_.substr(begin, at_ - begin);
    if (key == "wait") return ParseWait(term);
    const auto known = std::find_if(kKeys.begin(), kKeys.end(),
                                    [&](const auto& entry) { return entry.first == key; });
    if (known == kKeys.end()) {
      std::string want = "one of";
      for (const auto& entry : kKeys) want.append(" ").append(entry.first).append(",");
      return Fail(begin, want + " wait");
    }
    term->key = known->second;
    if (at_ >= text_.size() || text_[at_] != ':') return Fail(at_, "':'");
    ++at_;
    const size_t value_at = at_;
    if (absl::Status status = ParseValue(&term->glob); !status.ok()) return status;
    switch (term->key) {
      case Key::kId:
        return ParseIds(value_at, term);
      case Key::kLabel:
        return SplitLabel(term);
      case Key::kState:
        return CheckWord(value_at, internal::kStateWords, term->glob);
      case Key::kKind:
        return CheckWord(value_at, internal::kGoroutineKindWords, term->glob);
      default:
        return absl::OkStatus();
    }
  }

  absl::Status ParseValue(std::string* value) {
    const size_t begin = at_;
    if (at_ < text_.size() && text_[at_] == '"') {
      const size_t close = text_.find('"', at_ + 1);
      if (close == text_.npos) return Fail(text_.size(), "a closing '\"'");
      *value = text_.substr(at_ + 1, close - at_ - 1);
      at_ = close + 1;
      if (at_ < text_.size() && text_[at_] != ' ' && text_[at_] != ',') {
        return Fail(at_, "a space or a comma");
      }
      return absl::OkStatus();
    }
    at_ = std::min(text_.find_first_of(" ,", at_), text_.size());
    // A comma inside of a function's parameters or a template's arguments is the glob's own.
    int depth = 0;
    for (size_t i = begin; i < text_.size(); ++i) {
      const char c = text_[i];
      if (c == '(' || c == '<') ++depth;
      if ((c == ')' || c == '>') && depth > 0) --depth;
      if (depth == 0 && (c == ' ' || c == ',')) {
        at_ = i;
        break;
      }
      if (i + 1 == text_.size() && depth == 0) at_ = text_.size();
    }
    if (at_ == begin) return Fail(begin, "a glob");
    *value = text_.substr(begin, at_ - begin);
    return absl::OkStatus();
  }

  // "12" or "12-20"
  absl::Status ParseIds(size_t at, Filter::Term* term) {
    const char* p = term->glob.data();
    const char* const end = p + term->glob.size();
    auto [next, error] = std::from_chars(p, end, term->low);
    term->high = term->low;
    if (error == std::errc() && next != end && *next == '-') {
      std::tie(next, error) = [&] {
        const auto result = std::from_chars(next + 1, end, term->high);
        return std::pair(result.ptr, result.ec);
      }();
    }
    if (error != std::errc() || next != end) return Fail(at, "an id, or two with a '-' between");
    return absl::OkStatus();
  }

  absl::Status SplitLabel(Filter::Term* term) {
    const size_t equal = term->glob.find('=');
    term->label = term->glob.substr(0, equal);
    term->glob = equal == term->glob.npos ? "*" : term->glob.substr(equal + 1);
    return absl::OkStatus();
  }

  template <size_t n>
  absl::Status CheckWord(size_t at, const std::array<std::string_view, n>& words,
                         std::string_view glob) {
    std::string want = "one of";
    for (std::string_view word : words) {
      if (GlobMatch(glob, word)) return absl::OkStatus();
      want.append(word == words[0] ? " " : ", ").append(word);
    }
    return Fail(at, want);
  }

  absl::Status ParseWait(Filter::Term* term) {
    if (at_ >= text_.size() || (text_[at_] != '>' && text_[at_] != '<')) {
      return Fail(at_, "'>' or '<'");
    }
    term->key = text_[at_] == '>' ? Key::kWaitAbove : Key::kWaitBelow;
    ++at_;
    if (at_ < text_.size() && text_[at_] == '=') {
      term->or_equal = true;
      ++at_;
    }
    const size_t begin = at_;
    at_ = std::min(text_.find_first_of(" ,", at_), text_.size());
    absl::Duration duration;
    if (!absl::ParseDuration(std::string(text_.substr(begin, at_ - begin)), &duration)) {
      return Fail(begin, "a duration such as 10s or 1m30s");
    }
    term->ns = absl::ToInt64Nanoseconds(duration);
    return absl::OkStatus();
  }

  const std::string_view text_;
  size_t at_ = 0;
};

bool MatchesStack(const Snapshot& s, const Goroutine& g, std::string_view glob, bool top_only) {
  bool found = false, done = false;
  internal::ForEachVisibleFrame(s, s.stacks[g.stack], [&](const Location&, const Frame& frame) {
    if (found || done) return;
    found = GlobMatchPlace(glob, s.String(frame.function), s.String(frame.file), frame.line);
    done = top_only;
  });
  return found;
}

bool MatchesTerm(const Snapshot& s, const Goroutine& g, const Filter::Term& term) {
  switch (term.key) {
    case Key::kAny:
      return MatchesStack(s, g, term.glob, /*top_only=*/false);
    case Key::kBackground:
      return g.background != 0 && GlobMatch(term.glob, s.String(g.background));
    case Key::kCreatedBy: {
      const Site& site = s.sites[g.created_at];
      return GlobMatchPlace(term.glob, s.String(site.function), s.String(site.file), site.line);
    }
    case Key::kFunc:
      return MatchesStack(s, g, term.glob, /*top_only=*/true);
    case Key::kId:
      return term.low <= g.id && g.id <= term.high;
    case Key::kKind:
      return GlobMatch(term.glob, internal::kGoroutineKindWords[static_cast<size_t>(g.kind)]);
    case Key::kLabel: {
      const LabelSet& labels = s.label_sets[g.labels];
      return std::any_of(labels.begin(), labels.end(), [&](const auto& label) {
        return GlobMatch(term.label, s.String(label.first)) &&
               GlobMatch(term.glob, s.String(label.second));
      });
    }
    case Key::kReason:
      return GlobMatch(term.glob, s.StatusWord(g));
    case Key::kState:
      return GlobMatch(term.glob, internal::StateWord(g.state));
    case Key::kTest:
      return g.test != 0 && GlobMatch(term.glob, s.String(g.test));
    case Key::kTier:
      return GlobMatch(term.glob, internal::Word(g.tier));
    case Key::kWaitAbove:
      return g.wait_ns >= 0 && (g.wait_ns > term.ns || (term.or_equal && g.wait_ns == term.ns));
    case Key::kWaitBelow:
      return g.wait_ns >= 0 && (g.wait_ns < term.ns || (term.or_equal && g.wait_ns == term.ns));
  }
  return false;
}

}  // namespace

absl::StatusOr<Filter> Filter::Parse(std::string_view text) {
  Filter filter;
  if (absl::Status status = Parser(text).Parse(&filter.terms_); !status.ok()) return status;
  return filter;
}

bool Filter::Matches(const Snapshot& snapshot, const Goroutine& g) const {
  return std::all_of(terms_.begin(), terms_.end(), [&](const Term& term) {
    return MatchesTerm(snapshot, g, term) != term.negated;
  });
}

std::vector<uint32_t> Filter::Select(const Snapshot& snapshot) const {
  std::vector<uint32_t> indices;
  for (size_t i = 0; i < snapshot.goroutines.size(); ++i) {
    if (Matches(snapshot, snapshot.goroutines[i])) indices.push_back(static_cast<uint32_t>(i));
  }
  return indices;
}

}  // namespace leash
