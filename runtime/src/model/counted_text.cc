// Go's grouped, counted text.
//
//   goroutine profile: total 57
//   7 @ 0x4851aa 0x414c9c 0x52979e
//   # labels: {"endpoint":"/v1/items"}
//   #<TAB>0x52979d<TAB>Cache::Evict(Key)+0x1d<TAB>/src/cache.cc:88
//
// The '@' line holds return addresses, all of them; the '#' lines the places just before them, of
// the frames that a person sees. Go pads its columns with text/tabwriter, so Columns does as well.

#include "model/counted_text.h"

#include <algorithm>
#include <unordered_map>
#include <utility>
#include <vector>

#include "model/stack_view.h"
#include "model/text.h"

namespace leash::internal {
namespace {

// The columns of one group, as text/tabwriter lays them out with a minimal width of 1, a padding of
// 1 and tabs of 8: each run of adjacent lines that have a column shares its width.
class Columns {
 public:
  void AddLine(std::string address, std::string function, std::string place) {
    lines_.push_back({std::move(address), std::move(function), std::move(place)});
  }

  std::string Format() const {
    std::string out;
    for (size_t begin = 0; begin < lines_.size();) {
      size_t end = begin;
      size_t address_width = 0, function_width = 0;
      while (end < lines_.size() && lines_[end].named() == lines_[begin].named()) {
        address_width = std::max(address_width, Width(lines_[end].address));
        function_width = std::max(function_width, Width(lines_[end].function));
        ++end;
      }
      for (; begin < end; ++begin) {
        const Line& line = lines_[begin];
        out += "#\t";
        out += line.address;
        if (line.named()) {
          Pad(line.address, address_width, &out);
          out += line.function;
          Pad(line.function, function_width, &out);
          out += line.place;
        }
        out += '\n';
      }
    }
    return out;
  }

 private:
  struct Line {
    std::string address, function, place;
    bool named() const { return !function.empty(); }
  };

  static size_t Width(const std::string& text) {  // in code points, as Go counts
    return static_cast<size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
  }
  static void Pad(const std::string& text, size_t widest, std::string* out) {
    const size_t cell = (widest + 1 + 7) / 8 * 8;
    out->append((cell - Width(text) + 7) / 8, '\t');
  }

  std::vector<Line> lines_;
};

std::string FormatFrames(const Snapshot& s, const Stack& stack) {
  Columns columns;
  ForEachVisibleFrame(s, stack, [&](const Location& location, const Frame& frame) {
    const uint64_t back = location.exact || location.pc == 0 ? 0 : 1;
    std::string address, function, place;
    AppendHex(location.pc - back, &address);
    if (frame.function != 0) {
      function = s.String(frame.function);
      function += '+';
      AppendHex(location.offset > back ? location.offset - back : 0, &function);
      place = s.String(frame.file);
      place += ':';
      AppendInt(frame.line, &place);
    }
    columns.AddLine(std::move(address), std::move(function), std::move(place));
  });
  return columns.Format();
}

std::string FormatKey(const Snapshot& s, const Stack& stack, const LabelSet& labels) {
  std::string key = "@";
  for (LocationId id : stack.locations) {
    const Location& location = s.locations[id];
    key += ' ';
    AppendHex(location.pc == 0 ? 0 : location.pc + (location.exact ? 1 : 0), &key);
  }
  for (size_t i = 0; i < labels.size(); ++i) {
    key += i == 0 ? "\n# labels: {" : ", ";
    AppendGoQuoted(s.String(labels[i].first), &key);
    key += ':';
    AppendGoQuoted(s.String(labels[i].second), &key);
  }
  if (!labels.empty()) key += '}';
  return key;
}

}  // namespace

void CountedTextWriter::Write(const Snapshot& snapshot) {
  // A stack and its labels are turned into text once, however many goroutines share them.
  std::unordered_map<uint64_t, uint64_t> counts;
  for (const Goroutine& g : snapshot.goroutines) {
    ++counts[static_cast<uint64_t>(g.stack) << 32 | g.labels];
  }
  for (auto [ids, count] : counts) {
    const Stack& stack = snapshot.stacks[ids >> 32];
    const LabelSet& labels = snapshot.label_sets[static_cast<uint32_t>(ids)];
    std::string key = FormatKey(snapshot, stack, labels);
    std::string frames = FormatFrames(snapshot, stack);
    // Where addresses are not known (a dump that was read from text), equal keys do not mean equal
    // stacks: the frames tell them apart, behind a byte that ends what is printed.
    if (key.find(" 0x0") != key.npos) key += '\0' + frames;
    auto [it, added] = groups_.try_emplace(std::move(key));
    if (added) it->second.frames = std::move(frames);
    it->second.count += count;
    total_ += count;
  }
}

void CountedTextWriter::Finish() {
  std::string& out = buffer_.text();
  out += profile_;
  out += " profile: total ";
  AppendInt(total_, &out);
  out += '\n';
  std::vector<std::pair<const std::string*, const Group*>> order;
  order.reserve(groups_.size());
  for (const auto& [key, group] : groups_) order.emplace_back(&key, &group);
  std::sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
    if (a.second->count != b.second->count) return a.second->count > b.second->count;
    return *a.first < *b.first;
  });
  for (const auto& [key, group] : order) {
    AppendInt(group->count, &out);
    out += ' ';
    out += std::string_view(*key).substr(0, key->find('\0'));
    out += '\n';
    out += group->frames;
    out += '\n';
    buffer_.Drain();
  }
  buffer_.Flush();
}

}  // namespace leash::internal
