// Go's grouped, counted text: debug=1 of the goroutine and goroutineleak profiles.
//
//   goroutine profile: total 57
//   7 @ 0x4851aa 0x414c9c 0x52979e
//   # labels: {"endpoint":"/v1/items"}
//   #<TAB>0x52979d<TAB>main.main.func1+0x1d<TAB>goldens/mix/main.go:118
//
// The '@' line has every return address, the '#' lines the frames that were not hidden, one byte
// before. Where several '#' lines stand for one address, calls were inlined there. What was hidden
// stays hidden: its locations come back without names, marked as the runtime's.

#include <algorithm>
#include <unordered_map>

#include "read/scan.h"

namespace leash::internal {
namespace {

class CountedTextReader {
 public:
  CountedTextReader(std::string_view bytes, const ReadLimits& limits)
      : limits_(limits), lines_(bytes), stacks_(&s_) {
    s_.origin = "go";
  }

  absl::StatusOr<Snapshot> Read() {
    std::string_view line;
    uint64_t total = 0;
    // ReadSnapshot has looked at the first line already; "goroutineleak" has only leaked ones.
    lines_.Next(&line);
    leaked_ = line.starts_with("goroutineleak ");
    std::string_view number = line.substr(line.rfind(' ') + 1);
    if (!ConsumeInt(&number, &total)) return Fail("\"goroutine profile: total N\"", line);
    while (lines_.Next(&line)) {
      if (line.size() > limits_.line_bytes) {
        return TooMuch(lines_.offset(), "bytes in a line", limits_.line_bytes);
      }
      absl::Status status = ReadLine(line);
      if (!status.ok() && status.code() == absl::StatusCode::kInvalidArgument && !lines_.ended()) {
        cut_ = true;
        break;
      }
      if (!status.ok()) return status;
    }
    if (absl::Status status = EndGroup(); !status.ok()) return status;
    if (cut_ || s_.goroutines.size() < total) {
      s_.notes.push_back("cut: holds " + std::to_string(s_.goroutines.size()) + " of " +
                         std::to_string(total) + " goroutines");
    }
    return std::move(s_);
  }

 private:
  struct NamedFrame {
    std::string_view function, file;
    int32_t line = 0;
    uint64_t shown = 0;   // the address on its line
    uint64_t offset = 0;  // as shown
  };

  absl::Status Fail(std::string_view want, std::string_view at) const {
    return WantHave(lines_.offset() + static_cast<size_t>(at.data() - lines_.rest().data()), want,
                    at.empty() && lines_.ended() ? "\n" : at);
  }

  absl::Status ReadLine(std::string_view line) {
    if (line.empty()) return EndGroup();
    if (Consume("# labels: ", &line)) return ReadLabels(line);
    if (Consume("#\t", &line)) return ReadFrame(line);
    if (absl::Status status = EndGroup(); !status.ok()) return status;
    if (!ConsumeInt(&line, &count_) || !Consume(" @", &line)) {
      count_ = 0;
      return Fail("\"COUNT @ 0x...\"", line);
    }
    in_group_ = true;
    while (Consume(" ", &line)) {
      if (!ConsumeHex(&line, &addresses_.emplace_back())) return Fail("an address \"0x...\"", line);
    }
    if (!line.empty()) return Fail("an address \" 0x...\"", line);
    return absl::OkStatus();
  }

  absl::Status ReadLabels(std::string_view text) {
    std::vector<std::pair<std::string, std::string>> labels;
    if (!Consume("{", &text)) return Fail("\"{\"", text);
    while (!Consume("}", &text)) {
      auto& [key, value] = labels.emplace_back();
      if (labels.size() > 1 && !Consume(", ", &text)) return Fail("\", \" or \"}\"", text);
      if (!ConsumeQuoted(&text, &key) || !Consume(":", &text) || !ConsumeQuoted(&text, &value)) {
        return Fail("a label \"key\":\"value\"", text);
      }
    }
    labels_ = AddLabels(&s_, std::move(labels));
    return absl::OkStatus();
  }

  // 0xPC[<TABS>FUNCTION+0xOFFSET<TABS>FILE:LINE]
  absl::Status ReadFrame(std::string_view text) {
    NamedFrame frame;
    if (!ConsumeHex(&text, &frame.shown)) return Fail("an address \"0x...\"", text);
    if (text.starts_with('\t')) {
      text.remove_prefix(std::min(text.find_first_not_of('\t'), text.size()));
      const size_t end = text.find('\t');
      if (end == text.npos) return Fail("a tab before the file", text.substr(text.size()));
      frame.function = text.substr(0, end);
      const size_t plus = frame.function.rfind("+0x");
      if (plus != frame.function.npos) {
        std::string_view hex = frame.function.substr(plus + 1);
        ConsumeHex(&hex, &frame.offset);
        frame.function = frame.function.substr(0, plus);
      }
      text.remove_prefix(end);
      text.remove_prefix(std::min(text.find_first_not_of('\t'), text.size()));
      std::string_view rest;
      if (!ParsePlace(text, &frame.file, &frame.line, &rest)) {
        // "?:0" and ":0" stand for a place that is not known.
        const size_t colon = text.rfind(':');
        if (colon == text.npos) return Fail("\"FILE:LINE\"", text);
        frame.file = {};
      }
    } else if (!text.empty()) {
      return Fail("a tab", text);
    }
    if (in_group_) frames_.push_back(frame);
    return absl::OkStatus();
  }

  LocationId AddLocation(uint64_t pc, const NamedFrame* first, size_t count) {
    const bool back = pc != 0;
    Location location;
    location.pc = pc;
    for (size_t i = 0; i < count; ++i) {
      Location one = TextLocation(&s_, first[i].function, first[i].file, first[i].line, pc,
                                  first[i].offset + (back ? 1 : 0), i + 1 < count);
      one.frames[0].runtime = false;  // the writer did show it
      location.offset = one.offset;
      location.frames.push_back(one.frames[0]);
    }
    return Intern(std::move(location));
  }

  // A location that the writer hid.
  LocationId AddHidden(uint64_t pc) {
    Location location;
    location.pc = pc;
    if (!frames_.empty()) location.frames.emplace_back().runtime = true;
    return Intern(std::move(location));
  }

  LocationId Intern(Location location) {
    auto [begin, end] = locations_.equal_range(location.pc);
    for (auto it = begin; it != end; ++it) {
      if (Equal(s_.locations[it->second], location)) return it->second;
    }
    const uint64_t pc = location.pc;
    const LocationId id = s_.AddLocation(std::move(location));
    // Where addresses are not known the frames of one address could be any number: do not search.
    if (pc != 0) locations_.emplace(pc, id);
    return id;
  }

  static bool Equal(const Location& a, const Location& b) {
    return a.offset == b.offset && std::equal(a.frames.begin(), a.frames.end(), b.frames.begin(),
                                              b.frames.end(), [](const Frame& x, const Frame& y) {
                                                return x.function == y.function &&
                                                       x.file == y.file && x.line == y.line &&
                                                       x.runtime == y.runtime;
                                              });
  }

  static uint64_t Shown(uint64_t pc) { return pc == 0 ? 0 : pc - 1; }

  absl::Status EndGroup() {
    if (!in_group_) return absl::OkStatus();
    in_group_ = false;
    std::vector<LocationId> stack;
    size_t next = 0;  // of frames_
    for (size_t i = 0; i < addresses_.size();) {
      const uint64_t pc = addresses_[i];
      size_t equal = 1;  // adjacent equal addresses: a recursion
      while (i + equal < addresses_.size() && addresses_[i + equal] == pc) ++equal;
      size_t lines = 0;
      while (next + lines < frames_.size() && frames_[next + lines].shown == Shown(pc)) ++lines;
      if (lines == 0) {
        for (size_t k = 0; k < equal; ++k) stack.push_back(AddHidden(pc));
      } else {
        // Each of the equal addresses has its share of the lines; the last one takes what is over.
        const size_t share = std::max<size_t>(1, lines / equal);
        for (size_t k = 0; k < equal && lines > 0; ++k) {
          const size_t take = k + 1 == equal ? lines : std::min(share, lines);
          stack.push_back(AddLocation(pc, &frames_[next], take));
          next += take;
          lines -= take;
        }
      }
      i += equal;
    }
    // Lines that belong to no address: some other writer's habit. Their names are still a stack.
    for (; next < frames_.size(); ++next) {
      stack.push_back(AddLocation(frames_[next].shown + 1, &frames_[next], 1));
    }
    if (count_ > limits_.goroutines - std::min(limits_.goroutines, s_.goroutines.size())) {
      return TooMuch(lines_.offset(), "goroutines", limits_.goroutines);
    }
    Goroutine g;
    g.state = GoroutineState::kOther;
    g.labels = labels_;
    g.stack = stacks_.Find(stack, 0, 0);
    if (leaked_) {
      g.tier = LeakTier::kProved;
      g.tier_reason = s_.AddString(kGoLeakReason);
    }
    s_.goroutines.insert(s_.goroutines.end(), count_, g);
    addresses_.clear();
    frames_.clear();
    labels_ = 0;
    return absl::OkStatus();
  }

  const ReadLimits limits_;
  Snapshot s_;
  Lines lines_;
  std::unordered_multimap<uint64_t, LocationId> locations_;  // by address
  StackTable stacks_;
  bool leaked_ = false, cut_ = false;

  // The group that is being read.
  bool in_group_ = false;
  uint64_t count_ = 0;
  std::vector<uint64_t> addresses_;
  std::vector<NamedFrame> frames_;
  LabelSetId labels_ = 0;
};

}  // namespace

absl::StatusOr<Snapshot> ReadCountedText(std::string_view bytes, const ReadLimits& limits) {
  return CountedTextReader(bytes, limits).Read();
}

}  // namespace leash::internal
