#include "integration/debug_server/goroutine_text.h"

#include <limits>
#include <regex>
#include <set>
#include <utility>

namespace leash::testing {
namespace {

const std::regex kTotal(R"([a-z]+ profile: total ([0-9]+))");
const std::regex kGroup(R"(([1-9][0-9]*) @(?: 0x[0-9a-f]+)*)");
const std::regex kGroupLabels(
    R"re(# labels: \{((?:(?:, )?"(?:[^"\\]|\\.)*":"(?:[^"\\]|\\.)*")+)\})re");
const std::regex kGroupFrame(R"(#\t0x[0-9a-f]+(?:\t+(\S.*)\+0x[0-9a-f]+\t+(.*:[0-9]+))?)");

const std::regex kHeader(
    R"(goroutine ([1-9][0-9]*) \[([a-zA-Z][^,\]]*)(?:, ([^\]]+))?\](?: \{(.+)\})?:)");
const std::regex kAnnotations(R"(([0-9]+ minutes)?(^|, |$)(locked to thread)?)");
const std::regex kFact(R"(# \S.*)");
const std::regex kCall(R"(\S.*\))");
const std::regex kCreated(R"(created by (\S.*?( in goroutine [1-9][0-9]*)?))");
const std::regex kElided(R"(\.\.\.(?:[0-9]+|additional) frames elided\.\.\.)");
const std::regex kPlace(R"(\t(\S.*:[0-9]+)(?: \+0x[0-9a-f]+)?)");
constexpr std::string_view kUnavailable = "\tgoroutine running on other thread; stack unavailable";

std::string WithoutFolder(const std::string& place) {
  return place.substr(place.rfind('/') + 1);  // npos + 1 is 0
}

// The lines of a text one by one.
class Lines {
 public:
  Lines(std::string_view text, std::vector<std::string>* errors) : text_(text), errors_(errors) {
    if (!text.empty() && text.back() != '\n') Error("the last line does not end");
  }

  bool AtEnd() const { return text_.empty(); }
  std::string Peek() const { return std::string(text_.substr(0, text_.find('\n'))); }
  void Skip() {
    const size_t end = text_.find('\n');
    text_.remove_prefix(end == text_.npos ? text_.size() : end + 1);
    ++number_;
  }
  // If the next line is of this shape, skips it.
  bool Take(const std::regex& shape, std::smatch* match) {
    line_ = Peek();
    if (AtEnd() || !std::regex_match(line_, *match, shape)) return false;
    Skip();
    return true;
  }
  bool Take(std::string_view line) {
    if (AtEnd() || Peek() != line) return false;
    Skip();
    return true;
  }
  // The next line is not what it should be.
  void Error(const std::string& what) {
    errors_->push_back("line " + std::to_string(number_) + ": " + what);
  }
  void Want(const std::string& what) {
    Error("want " + what + ", have " + (AtEnd() ? "the end" : Peek()));
  }

 private:
  std::string_view text_;
  std::vector<std::string>* errors_;
  std::string line_;  // what a match points to
  int number_ = 1;
};

}  // namespace

CountedText ReadCountedText(std::string_view text) {
  CountedText out;
  Lines lines(text, &out.errors);
  std::smatch m;
  if (lines.Take(kTotal, &m)) {
    out.total = std::stoll(m[1]);
  } else {
    lines.Want("the total");
  }
  int64_t sum = 0, last = std::numeric_limits<int64_t>::max();
  while (!lines.AtEnd()) {
    if (!lines.Take(kGroup, &m)) {
      lines.Want("a group");
      lines.Skip();
      continue;
    }
    CountedText::Group group;
    group.count = std::stoll(m[1]);
    if (group.count > last) lines.Error("a group that is larger than the one before");
    last = group.count;
    sum += group.count;
    if (lines.Take(kGroupLabels, &m)) group.labels = m[1];
    while (lines.Take(kGroupFrame, &m)) {
      if (m[1].matched) group.frames.push_back(m[1].str() + " at " + WithoutFolder(m[2]));
    }
    if (!lines.Take("")) lines.Want("an empty line behind a group");
    out.groups.push_back(std::move(group));
  }
  if (sum != out.total) lines.Error("the sum of the groups is " + std::to_string(sum));
  return out;
}

FullText ReadFullText(std::string_view text) {
  FullText out;
  Lines lines(text, &out.errors);
  std::set<uint64_t> met;
  std::smatch m;
  // The place below a call.
  const auto place = [&] {
    if (lines.Take(kPlace, &m)) return " at " + WithoutFolder(m[1]);
    lines.Want("a place");
    return std::string();
  };
  while (!lines.AtEnd()) {
    if (!out.records.empty() && !lines.Take("")) lines.Want("an empty line between goroutines");
    if (!lines.Take(kHeader, &m)) {
      lines.Want("a goroutine");
      lines.Skip();
      continue;
    }
    FullText::Record record;
    record.id = std::stoull(m[1]);
    record.status = m[2];
    record.annotations = m[3];
    record.labels = m[4];
    if (!std::regex_match(record.annotations, kAnnotations)) {
      lines.Error("in brackets: " + record.annotations);
    }
    if (!met.insert(record.id).second) lines.Error("a goroutine twice");
    while (lines.Take(kFact, &m)) record.facts.push_back(m[0]);
    record.stack_unavailable = lines.Take(kUnavailable);
    for (;;) {
      if (lines.Take(kElided, &m)) continue;
      std::string* to = nullptr;
      if (lines.Take(kCreated, &m)) {
        to = &record.created_by;
        *to = m[1];
      } else if (lines.Take(kCall, &m)) {
        to = &record.frames.emplace_back(m[0]);
      } else {
        break;
      }
      *to += place();
      if (to == &record.created_by) break;
    }
    out.records.push_back(std::move(record));
  }
  return out;
}

const FullText::Record* FullText::Find(uint64_t id) const {
  for (const Record& record : records) {
    if (record.id == id) return &record;
  }
  return nullptr;
}

}  // namespace leash::testing
