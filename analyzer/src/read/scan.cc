// What the readers of text share.

#include "read/scan.h"

#include <algorithm>
#include <map>

#include "model/text.h"

namespace leash::internal {

absl::Status WantHave(size_t offset, std::string_view want, std::string_view rest) {
  std::string text = "offset " + std::to_string(offset) + ": want ";
  text += want;
  text += ", have ";
  if (rest.empty()) {
    text += "the end of the file";
  } else {
    const std::string_view line = rest.substr(0, rest.find_first_of("\r\n"));
    AppendGoQuoted((line.empty() ? rest.substr(0, 1) : line).substr(0, 24), &text);
  }
  return absl::InvalidArgumentError(text);
}

absl::Status TooMuch(size_t offset, std::string_view what, size_t limit) {
  std::string text = "offset " + std::to_string(offset) + ": want at most " + std::to_string(limit);
  text += ' ';
  text += what;
  text += ", have more";
  return absl::ResourceExhaustedError(text);
}

bool ConsumeQuoted(std::string_view* text, std::string* value) {
  std::string_view s = *text;
  if (!Consume("\"", &s)) return false;
  value->clear();
  for (;;) {
    const size_t plain = s.find_first_of("\"\\");
    if (plain == s.npos) return false;
    value->append(s.substr(0, plain));
    s.remove_prefix(plain);
    if (s[0] == '"') {
      *text = s.substr(1);
      return true;
    }
    if (s.size() < 2) return false;
    const char kind = s[1];
    s.remove_prefix(2);
    size_t digits = 0;
    switch (kind) {
      case 'x':
        digits = 2;
        break;
      case 'u':
        digits = 4;
        break;
      case 'U':
        digits = 8;
        break;
      case '"':
      case '\\':
      case '\'':
        value->push_back(kind);
        continue;
      default: {
        constexpr std::string_view kLetters = "abtnvfr";
        const size_t at = kLetters.find(kind);
        if (at == kLetters.npos) return false;
        value->push_back(static_cast<char>(7 + at));
        continue;
      }
    }
    uint32_t code = 0;
    std::string_view number = s.substr(0, digits);
    if (number.size() < digits || !ConsumeInt(&number, &code, 16) || !number.empty()) return false;
    s.remove_prefix(digits);
    if (kind == 'x') {
      value->push_back(static_cast<char>(code));
    } else if (code > 0x10ffff) {
      return false;
    } else {
      AppendUtf8(code, value);
    }
  }
}

StackId StackTable::Find(const std::vector<LocationId>& locations, int32_t elided,
                         int32_t elided_after) {
  if (locations.empty() && elided == 0) return 0;
  if (slots_.size() < 2 * (used_ + 1)) {
    std::vector<Slot> old(slots_.empty() ? 256 : slots_.size() * 2);
    old.swap(slots_);
    for (const Slot& slot : old) {
      if (slot.id == 0) continue;
      size_t i = slot.hash & (slots_.size() - 1);
      while (slots_[i].id != 0) i = (i + 1) & (slots_.size() - 1);
      slots_[i] = slot;
    }
  }
  uint64_t hash = static_cast<uint64_t>(elided) << 32 | static_cast<uint32_t>(elided_after);
  for (LocationId id : locations) {
    hash = (hash ^ id) * 0xff51afd7ed558ccdULL;
    hash ^= hash >> 32;
  }
  for (size_t i = hash & (slots_.size() - 1);; i = (i + 1) & (slots_.size() - 1)) {
    Slot& slot = slots_[i];
    if (slot.id == 0) {
      slot = {hash, snapshot_.AddStack({locations, elided, elided_after})};
      ++used_;
      return slot.id;
    }
    if (slot.hash != hash) continue;
    const Stack& stack = snapshot_.stacks[slot.id];
    if (stack.locations == locations && stack.elided == elided &&
        stack.elided_after == elided_after) {
      return slot.id;
    }
  }
}

Location TextLocation(Snapshot* s, std::string_view function, std::string_view file, int32_t line,
                      uint64_t pc, uint64_t offset, bool inlined) {
  Location location;
  location.pc = pc;
  location.offset = offset;
  Frame& frame = location.frames.emplace_back();
  frame.function = frame.system_name = s->AddString(function);
  if (file != "?") frame.file = s->AddString(file);
  frame.line = line;
  frame.inlined = inlined;
  frame.runtime = IsRuntimeFunction(function);
  return location;
}

bool ParsePlace(std::string_view text, std::string_view* file, int32_t* line,
                std::string_view* rest) {
  // The line's number ends the text, or " +0x1f" or " fp=0x..." follow; a path may hold spaces.
  for (size_t colon = text.find(':'); colon != text.npos; colon = text.find(':', colon + 1)) {
    std::string_view after = text.substr(colon + 1);
    int32_t number = 0;
    if (!ConsumeInt(&after, &number) || number < 0) continue;
    if (!after.empty() && after[0] != ' ') continue;
    *file = text.substr(0, colon);
    *line = number;
    *rest = after;
    return colon > 0;
  }
  return false;
}

LabelSetId AddLabels(Snapshot* s, std::vector<std::pair<std::string, std::string>> labels) {
  std::map<std::string, std::string> by_key;
  for (auto& [key, value] : labels) by_key[std::move(key)] = std::move(value);
  LabelSet set;
  for (const auto& [key, value] : by_key) {
    set.emplace_back(s->AddString(key), s->AddString(value));
  }
  return s->AddLabelSet(std::move(set));
}

void SetStatusWord(Snapshot* s, std::string_view word, Goroutine* g) {
  g->reason = 0;
  if (word == "running") {
    g->state = GoroutineState::kRunning;
  } else if (word == "runnable") {
    g->state = GoroutineState::kRunnable;
  } else if (word == "syscall") {
    g->state = GoroutineState::kSyscall;
  } else {
    // Go's words for neither waiting nor running; every other word is the reason of a wait.
    static constexpr std::string_view kStates[] = {
        "",          "idle", "dead",     "copystack", "leaked",
        "preempted", "???",  "moribund", "enqueue",   "waiting for cgo callback"};
    const bool other = std::find(std::begin(kStates), std::end(kStates), word) != std::end(kStates);
    g->state = other ? GoroutineState::kOther : GoroutineState::kWaiting;
    g->reason = s->AddString(word);
  }
}

}  // namespace leash::internal
