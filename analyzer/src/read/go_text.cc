// Go's full text: debug=2, crash reports, SIGQUIT dumps, and leash's own text 2 and 3.
//
// A line that begins with "goroutine N [" (or "goroutine N gp=") begins a record; a blank line ends
// it. What stands outside of records is somebody else's: the panic's message (whose continuation
// lines Go indents, so that it can never fake a header), registers, the output of the program.
// Inside of one, a line that is none of ours is stepped over, since two processes may write to one
// terminal.
//
// Frames are interned by their text without the arguments, which differ in every call and mean
// nothing to a grouping; one look-up in a flat table for each is what makes reading fast.

#include <unordered_map>

#include "read/facts.h"
#include "read/scan.h"

namespace leash::internal {
namespace {

constexpr int64_t kNsPerMinute = 60'000'000'000;
constexpr std::string_view kWantHeader = "\"goroutine N [\"";

// Whether the text between a call's parentheses is what Go prints there: words in hexadecimal,
// "{...}", "...", '_' and '?'. Anything else belongs to a C++ function's name.
bool AreGoArguments(std::string_view args) {
  if (args.empty()) return true;
  bool go = false;
  for (char c : args) {
    switch (c) {
      case 'x':
      case '{':
      case '.':
      case '_':
      case '?':
        go = true;
        break;
      case '}':
      case ',':
      case ' ':
        break;
      default:
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return false;
    }
  }
  return go;
}

class GoTextReader {
 public:
  GoTextReader(std::string_view bytes, const ReadLimits& limits)
      : bytes_(bytes), limits_(limits), lines_(bytes), stacks_(&s_), facts_(&s_) {
    s_.origin = "go";
  }

  absl::StatusOr<Snapshot> Read() {
    std::string_view line;
    while (lines_.Next(&line)) {
      if (line.size() > limits_.line_bytes) {
        return TooMuch(lines_.offset(), "bytes in a line", limits_.line_bytes);
      }
      if (absl::Status status = ReadLine(line); !status.ok()) return status;
    }
    const bool cut = EndsCut();
    EndRecord();
    if (s_.goroutines.empty()) return NoGoroutines();
    if (header_cut_) {
      s_.notes.push_back("cut after goroutine " + std::to_string(s_.goroutines.back().id));
    } else if (cut) {
      s_.notes.push_back("cut in goroutine " + std::to_string(s_.goroutines.back().id));
    }
    if (skipped_ > 0) {
      s_.notes.push_back("stepped over " + std::to_string(skipped_) +
                         (skipped_ == 1 ? " line" : " lines") +
                         " inside of stacks, the first at offset " + std::to_string(skipped_at_));
    }
    return std::move(s_);
  }

 private:
  // What a record's place line belongs to.
  enum class Pending : uint8_t { kNothing, kFrame, kCreator, kIgnored };

  struct Status {
    StringId reason = 0, annotations = 0;
    GoroutineState state = GoroutineState::kOther;
    int64_t wait_ns = -1;
    bool locked = false, leaked = false;
  };

  absl::Status ReadLine(std::string_view line) {
    if (line.empty()) {
      EndRecord();
      return absl::OkStatus();
    }
    if (line.starts_with("goroutine ") && line.size() > 10 && line[10] >= '0' && line[10] <= '9') {
      if (absl::Status status = ReadHeader(line); !status.ok()) {
        if (lines_.ended()) return status;
        header_cut_ = true;  // the end of the file is the end of what was written
      }
      return absl::OkStatus();
    }
    if (!in_record_) {
      ReadOutside(line);
      return absl::OkStatus();
    }
    if (line[0] == '\t') {
      ReadPlace(line.substr(1));
    } else if (line.ends_with("elided...") && line.starts_with("...")) {
      ReadElided(line.substr(3));
    } else if (line.starts_with("created by ")) {
      ReadCreator(line.substr(11));
    } else if (line.starts_with("[originating from goroutine ")) {
      ReadAncestor(line.substr(28));
    } else if (line.ends_with(')')) {
      if (pending_ != Pending::kNothing) Skip();
      function_ = line;
      pending_ = Pending::kFrame;
    } else if (line.starts_with("# ") && facts_.Read(line.substr(2), &g_)) {
      s_.origin = "leash";
      call_names_ = true;
    } else {
      Skip();
    }
    return absl::OkStatus();
  }

  // The verdict of a crash is worth a note; nothing else out there is ours.
  void ReadOutside(std::string_view line) {
    const bool verdict = line.starts_with("panic: ") || line.starts_with("fatal error: ") ||
                         line.starts_with("SIGQUIT: ") || line.starts_with("leash: ");
    if (verdict && s_.goroutines.empty() && s_.notes.size() < 4 &&
        (s_.notes.empty() || s_.notes.back() != line)) {
      s_.notes.emplace_back(line);
    }
    // A header that the end of the file cut before it could be told from other text.
    if (!lines_.ended() && std::string_view("goroutine ").starts_with(line)) header_cut_ = true;
  }

  absl::Status ReadHeader(std::string_view line) {
    auto fail = [&](std::string_view want, std::string_view at) {
      const auto in_line = static_cast<size_t>(at.data() - line.data());
      return WantHave(lines_.offset() + in_line, want, at.empty() && lines_.ended() ? "\n" : at);
    };
    std::string_view rest = line.substr(10);
    Goroutine g;
    if (!ConsumeInt(&rest, &g.id)) return fail("a goroutine's id of 64 bits", rest);
    if (rest.starts_with(" gp=")) {
      const size_t open = rest.find(" [");
      if (open == rest.npos) return fail("\" [\"", rest.substr(rest.size()));
      rest.remove_prefix(open);
    }
    if (!Consume(" [", &rest)) return fail(kWantHeader, line);
    const size_t close = rest.find(']');
    if (close == rest.npos) return fail("\"]\"", rest.substr(rest.size()));
    const Status& status = FindStatus(rest.substr(0, close));
    rest.remove_prefix(close + 1);
    LabelSetId labels = 0;
    if (rest.starts_with(" {")) {
      std::string_view at = rest;
      if (!FindLabels(&rest, &labels)) return fail("labels \"{key: value}:\"", at);
    }
    if (rest != ":") return fail("\":\" at the end of the line", rest);
    if (s_.goroutines.size() >= limits_.goroutines) {
      return TooMuch(lines_.offset(), "goroutines", limits_.goroutines);
    }

    EndRecord();
    in_record_ = true;
    g.state = status.state;
    g.reason = status.reason;
    g.annotations = status.annotations;
    g.wait_ns = status.wait_ns;
    g.locked_to_thread = status.locked;
    if (status.leaked) {
      g.tier = LeakTier::kProved;
      g.tier_reason = s_.AddString(kGoLeakReason);
    }
    g.labels = labels;
    g.runtime_internal = g.id == 0;  // g0 of a thread: the scheduler's own stack
    g.current = s_.goroutines.empty() && g.state == GoroutineState::kRunning;
    g_ = std::move(g);
    return absl::OkStatus();
  }

  const Status& FindStatus(std::string_view text) {
    auto [it, added] = statuses_.try_emplace(text);
    if (added) it->second = ParseStatus(text);
    return it->second;
  }

  // STATUS[ (leaked)][ (scan)][ (durable)][, N minutes][, locked to thread][, synctest bubble N]
  Status ParseStatus(std::string_view text) {
    Status status;
    std::string annotations;
    auto annotate = [&](std::string_view what) {
      if (!annotations.empty()) annotations += ", ";
      annotations += what;
    };
    std::string_view word = text.substr(0, text.find(", "));
    std::string_view rest = text.substr(word.size());
    for (bool again = true; again;) {
      again = false;
      for (std::string_view mark : {" (leaked)", " (scan)", " (durable)"}) {
        if (!word.ends_with(mark)) continue;
        word.remove_suffix(mark.size());
        if (mark == " (leaked)") {
          status.leaked = true;
        } else {
          annotate(mark.substr(1));
        }
        again = true;
      }
    }
    while (Consume(", ", &rest)) {
      const std::string_view part = rest.substr(0, rest.find(", "));
      rest.remove_prefix(part.size());
      std::string_view unit = part;
      int64_t minutes = 0;
      if (part == "locked to thread") {
        status.locked = true;
      } else if (ConsumeInt(&unit, &minutes) && unit == " minutes" && minutes >= 0 &&
                 minutes < INT64_MAX / kNsPerMinute) {
        status.wait_ns = minutes * kNsPerMinute;
      } else {
        annotate(part);
      }
    }
    Goroutine g;
    SetStatusWord(&s_, word, &g);
    status.state = g.state;
    status.reason = g.reason;
    status.annotations = s_.AddString(annotations);
    return status;
  }

  // " {k: v, "k 2": "v"}", where what is quoted may hold braces and colons.
  bool FindLabels(std::string_view* rest, LabelSetId* labels) {
    const std::string_view text = *rest;
    if (auto it = labels_.find(text); it != labels_.end()) {
      *rest = text.substr(text.size() - 1);
      *labels = it->second;
      return true;
    }
    std::vector<std::pair<std::string, std::string>> pairs;
    rest->remove_prefix(2);
    auto word = [&](std::string_view end, std::string* value) {
      if (rest->starts_with('"')) return ConsumeQuoted(rest, value);
      const size_t at = rest->find_first_of(end);
      if (at == rest->npos) return false;
      *value = rest->substr(0, at);
      rest->remove_prefix(at);
      return true;
    };
    while (!Consume("}", rest)) {
      auto& [key, value] = pairs.emplace_back();
      if (pairs.size() > 1 && !Consume(", ", rest)) return false;
      if (!word(":", &key) || !Consume(": ", rest) || !word(",}", &value)) return false;
    }
    *labels = AddLabels(&s_, std::move(pairs));
    if (*rest == ":") labels_.emplace(text, *labels);
    return true;
  }

  void ReadPlace(std::string_view text) {
    const Pending pending = pending_;
    pending_ = Pending::kNothing;
    if (pending == Pending::kIgnored) return;
    if (pending == Pending::kNothing) {
      if (text != "goroutine running on other thread; stack unavailable") Skip();
      return;
    }
    // The frame and stack pointers of a crash report differ in every goroutine.
    std::string_view place = text.substr(0, text.find(" fp=0x"));
    std::string_view file, rest;
    int32_t line;
    if (!ParsePlace(place, &file, &line, &rest)) {
      // The file may have been cut here; what is known of the frame is still its function.
      if (lines_.ended()) return Skip();
      file = rest = {};
      line = 0;
    }
    if (pending == Pending::kCreator) {
      creator_done_ = true;
      g_.created_at = sites_.Find(function_, place, 0, [&] {
        Site site;
        site.function = s_.AddString(function_);
        site.file = s_.AddString(file);
        site.line = line;
        return s_.AddSite(site);
      });
      return;
    }
    bool inlined = false;
    std::string_view function = function_;
    const size_t open = function.rfind('(');
    if (open != function.npos && open > 0) {
      const std::string_view args = function.substr(open + 1, function.size() - open - 2);
      // Text 3 is leash's: its parentheses are parameters, and only "(...)" was put there.
      if (call_names_ ? args == "..." : AreGoArguments(args)) {
        function = function.substr(0, open);
        inlined = args == "...";
      }
    }
    const LocationId id = frames_.Find(function, place, inlined, [&] {
      uint64_t offset = 0, pc = 0;
      if (Consume(" +", &rest)) ConsumeHex(&rest, &offset);
      if (const size_t at = text.find(" pc=0x"); at != text.npos) {
        std::string_view hex = text.substr(at + 4);
        ConsumeHex(&hex, &pc);
      }
      return s_.AddLocation(TextLocation(&s_, function, file, line, pc, offset, inlined));
    });
    // Only the nearest ancestor's stack has a place in the model.
    if (spawn_ <= 1) (spawn_ == 1 ? spawn_locations_ : locations_).push_back(id);
    skipped_ += waiting_skips_;
    waiting_skips_ = 0;
  }

  void ReadElided(std::string_view text) {
    int32_t count = 0;
    if (!ConsumeInt(&text, &count)) count = kElidedUnknown;
    if (spawn_ > 0) return;
    elided_ = count;
    elided_after_ = static_cast<int32_t>(locations_.size());
  }

  void ReadCreator(std::string_view text) {
    if (spawn_ > 0) {  // the creator of an ancestor
      pending_ = Pending::kIgnored;
      return;
    }
    if (const size_t in = text.rfind(" in goroutine "); in != text.npos) {
      std::string_view id = text.substr(in + 14);
      if (ConsumeInt(&id, &g_.parent_id) && id.empty()) text = text.substr(0, in);
    }
    function_ = text;
    pending_ = Pending::kCreator;
    if (text.starts_with("runtime.")) g_.runtime_internal = true;
  }

  void ReadAncestor(std::string_view text) {
    uint64_t id = 0;
    if (++spawn_ == 1 && ConsumeInt(&text, &id) && g_.parent_id == 0) g_.parent_id = id;
    pending_ = Pending::kNothing;
  }

  // A line that is no part of a record. It counts once the record goes on after it.
  void Skip() {
    if (skipped_ + waiting_skips_ == 0) skipped_at_ = lines_.offset();
    ++waiting_skips_;
    pending_ = Pending::kNothing;
  }

  bool EndsCut() const {
    if (!in_record_ || bytes_.ends_with('\n')) return pending_ == Pending::kFrame && in_record_;
    return !creator_done_;
  }

  void EndRecord() {
    if (in_record_) {
      g_.stack = stacks_.Find(locations_, elided_, elided_after_);
      if (!spawn_locations_.empty()) g_.spawn_stack = stacks_.Find(spawn_locations_, 0, 0);
      s_.goroutines.push_back(std::move(g_));
    }
    in_record_ = creator_done_ = call_names_ = false;
    pending_ = Pending::kNothing;
    locations_.clear();
    spawn_locations_.clear();
    elided_ = elided_after_ = 0;
    spawn_ = 0;
    if (skipped_ == 0) skipped_at_ = 0;
    waiting_skips_ = 0;
  }

  absl::Status NoGoroutines() const {
    size_t at = bytes_.find_first_not_of(" \t\r\n");
    if (at == bytes_.npos) at = bytes_.size();
    if (header_cut_) {
      const size_t newline = bytes_.rfind('\n');
      at = newline == bytes_.npos ? 0 : newline + 1;
    }
    return WantHave(at, kWantHeader, bytes_.substr(at));
  }

  const std::string_view bytes_;
  const ReadLimits limits_;
  Snapshot s_;
  Lines lines_;
  PairTable frames_, sites_;
  StackTable stacks_;
  FactReader facts_;
  std::unordered_map<std::string_view, Status> statuses_;
  std::unordered_map<std::string_view, LabelSetId> labels_;

  // The record that is being read.
  bool in_record_ = false;
  bool creator_done_ = false;  // its last line was read, whatever follows
  bool call_names_ = false;    // it has facts: names stand there as they are
  Pending pending_ = Pending::kNothing;
  std::string_view function_;  // the line that waits for its place
  Goroutine g_;
  std::vector<LocationId> locations_, spawn_locations_;
  int32_t elided_ = 0, elided_after_ = 0;
  int spawn_ = 0;  // ancestors seen
  size_t waiting_skips_ = 0;

  size_t skipped_ = 0, skipped_at_ = 0;
  bool header_cut_ = false;
};

}  // namespace

absl::StatusOr<Snapshot> ReadGoText(std::string_view bytes, const ReadLimits& limits) {
  return GoTextReader(bytes, limits).Read();
}

}  // namespace leash::internal
