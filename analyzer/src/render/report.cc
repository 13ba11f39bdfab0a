// The blocks of a report.

#include <algorithm>
#include <string>

#include "leash/analyzer/render.h"
#include "model/function_name.h"
#include "model/object_words.h"
#include "model/stack_view.h"
#include "model/text.h"
#include "render/object_text.h"

namespace leash {
namespace {

using internal::BaseName;

constexpr size_t kPlaceColumn = 40;     // of the place, behind a short function
constexpr size_t kPlaceColumnMax = 72;  // a longer function has its place two spaces behind it
constexpr std::string_view kIndent = "    ";

// Terminal escapes, or nothing.
class Paint {
 public:
  explicit Paint(bool on) : on_(on) {}
  std::string Bold(std::string_view text) const { return Wrap("\x1b[1m", text); }
  std::string Red(std::string_view text) const { return Wrap("\x1b[31m", text); }
  std::string Faint(std::string_view text) const { return Wrap("\x1b[2m", text); }

 private:
  std::string Wrap(std::string_view code, std::string_view text) const {
    if (!on_) return std::string(text);
    std::string out(code);
    out += text;
    return out += "\x1b[0m";
  }
  const bool on_;
};

std::string Plural(size_t n, std::string_view noun) {
  std::string text = std::to_string(n) + " ";
  text += noun;
  return n == 1 ? text : text + "s";
}

std::string_view Word(const Snapshot& s, const Group& group) {
  if (!group.common_reason) return "several states";
  const std::string_view word = s.StatusWord(s.goroutines[group.members[0]]);
  return word.empty() ? "state not known" : word;
}

std::string Headline(const Snapshot& s, const Group& group, const Paint& paint) {
  std::string text = paint.Bold(Plural(group.members.size(), "goroutine"));
  text += " [";
  text += Word(s, group);
  text += ']';
  switch (group.tier) {
    case LeakTier::kNone:
      break;
    case LeakTier::kProved:
      text += ' ' + paint.Red("proved");
      if (group.tier_reason != 0) text.append(": ").append(s.String(group.tier_reason));
      break;
    case LeakTier::kStillThere:
    case LeakTier::kRunaway:
      text += ' ';
      text += internal::Word(group.tier);
      break;
  }
  return text;
}

struct Row {
  std::string function, place;
};

std::vector<Row> Rows(const Snapshot& s, const Stack& stack, size_t frames_max) {
  std::vector<Row> rows;
  size_t left_out = 0;
  internal::ForEachVisibleFrame(
      s, stack,
      [&](const Location& location, const Frame& frame) {
        if (frames_max != 0 && rows.size() >= frames_max) {
          ++left_out;
          return;
        }
        Row row;
        row.function = s.String(frame.function);
        if (frame.function == 0) {
          if (location.pc != 0) {
            internal::AppendHex(location.pc, &row.function);
          } else {
            row.function = "???";
          }
        }
        if (frame.file != 0) {
          row.place =
              std::string(BaseName(s.String(frame.file))) + ":" + std::to_string(frame.line);
        }
        rows.push_back(std::move(row));
      },
      [&](int32_t n) {
        const std::string count = n == kElidedUnknown ? "more" : std::to_string(n);
        rows.push_back({"... " + count + " frames elided", ""});
      });
  if (left_out > 0) rows.push_back({"... " + std::to_string(left_out) + " more frames", ""});
  return rows;
}

// In code points: what a terminal shows of a name in UTF-8 is narrower than its bytes.
size_t Width(std::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

void AppendRows(const std::vector<Row>& rows, const Paint& paint, std::string* out) {
  size_t column = kPlaceColumn;
  for (const Row& row : rows) {
    if (row.place.empty()) continue;
    column = std::max(column, std::min(Width(row.function) + 2, kPlaceColumnMax));
  }
  for (const Row& row : rows) {
    *out += kIndent;
    *out += row.function;
    if (!row.place.empty()) {
      const size_t width = Width(row.function);
      out->append(width + 2 <= column ? column - width : 2, ' ');
      *out += paint.Faint(row.place);
    }
    *out += '\n';
  }
}

std::string CreatedLine(const Snapshot& s, const Group& group) {
  if (!group.common_site) return "created at several places";
  const Site& site = s.sites[s.goroutines[group.members[0]].created_at];
  if (site.function == 0 && site.file == 0) return "";
  std::string text = "created";
  if (site.function != 0) {
    text.append(" by ").append(internal::FunctionWithoutParameters(s.String(site.function)));
  }
  if (site.file != 0) {
    text.append(" at ").append(BaseName(s.String(site.file)));
    text += ':' + std::to_string(site.line);
  }
  if (!group.parents.empty()) {
    text += group.parents.size() == 1 ? " in goroutine " : " in goroutines ";
    text += internal::ListIds(group.parents);
  }
  return text;
}

std::string IdsLine(const Snapshot& s, const Group& group) {
  std::vector<uint64_t> ids;
  size_t threads = 0;
  for (uint32_t member : group.members) {
    const Goroutine& g = s.goroutines[member];
    if (g.id != 0) ids.push_back(g.id);
    if (g.kind == GoroutineKind::kThread) ++threads;
  }
  std::string text;
  if (!ids.empty()) {
    text = (ids.size() == 1 ? "goroutine " : "goroutines ") + internal::ListIds(ids);
    if (threads > 0 && threads == group.members.size())
      text += threads == 1 ? " (a thread)" : " (threads)";
  }
  if (group.wait_max_ns >= 0) {
    const GoroutineState state = s.goroutines[group.members[0]].state;
    if (!text.empty()) text += "; ";
    text += state == GoroutineState::kRunning || state == GoroutineState::kRunnable ? "so for "
                                                                                    : "waiting ";
    const std::string least = FormatWait(group.wait_min_ns), most = FormatWait(group.wait_max_ns);
    text += least;
    if (least != most) {
      text += " to " + most;
      if (group.members.size() > 2) text += ", median " + FormatWait(group.wait_median_ns);
    }
  }
  return text;
}

std::string LabelsLine(const Snapshot& s, const Group& group) {
  std::string text;
  for (const auto& [key, value] : group.labels) {
    text += text.empty() ? "labels " : ", ";
    text.append(s.String(key)).append("=").append(s.String(value));
  }
  return text;
}

}  // namespace

std::string RenderGroup(const Snapshot& snapshot, const Group& group,
                        const RenderOptions& options) {
  const Snapshot& s = snapshot;
  const Paint paint(options.color);
  const Goroutine& first = s.goroutines[group.members[0]];
  std::string out = Headline(s, group, paint) + "\n";
  auto line = [&](const std::string& text) {
    if (!text.empty()) out.append(kIndent).append(text).append("\n");
  };
  if (group.common_stack) {
    AppendRows(Rows(s, s.stacks[first.stack], options.frames_max), paint, &out);
  } else {
    line("with several stacks");
  }
  line(CreatedLine(s, group));
  if (options.tests && group.test != 0) {
    line("began in test " + std::string(s.String(group.test)));
  }
  if (group.background != 0) line("background: " + std::string(s.String(group.background)));
  for (const std::string& text : internal::WaitLines(s, group)) line(text);
  line(LabelsLine(s, group));
  line(IdsLine(s, group));
  return out;
}

std::string RenderReport(const Snapshot& snapshot, const std::vector<Group>& groups,
                         const RenderOptions& options) {
  std::string out;
  size_t shown = groups.size();
  if (options.groups_max != 0) shown = std::min(shown, options.groups_max);
  for (size_t i = 0; i < shown; ++i) {
    if (i > 0) out += '\n';
    out += RenderGroup(snapshot, groups[i], options);
  }
  if (shown < groups.size()) {
    size_t goroutines = 0;
    for (size_t i = shown; i < groups.size(); ++i) goroutines += groups[i].members.size();
    out += "\nand " + Plural(goroutines, "goroutine") + " in " +
           Plural(groups.size() - shown, "more group") + "\n";
  }
  if (options.see && !groups.empty() && groups[0].common_reason) {
    const std::string_view word = snapshot.StatusWord(snapshot.goroutines[groups[0].members[0]]);
    if (!word.empty()) {
      out += "see: leash explain ";
      internal::AppendGoQuoted(word, &out);
      out += '\n';
    }
  }
  return out;
}

std::string CountLine(const std::vector<Group>& groups) {
  size_t goroutines = 0;
  for (const Group& group : groups) goroutines += group.members.size();
  return Plural(goroutines, "goroutine") + " in " + Plural(groups.size(), "group");
}

std::string LeakHeadline(std::string_view who, const std::vector<Group>& groups) {
  std::string text = "leash: ";
  text += who;
  return text + " leaked " + CountLine(groups);
}

std::string RenderFolded(const Snapshot& snapshot, const std::vector<uint32_t>& indices) {
  std::vector<uint64_t> counts(snapshot.stacks.size(), 0);
  for (uint32_t index : indices) ++counts[snapshot.goroutines[index].stack];
  std::vector<std::pair<std::string, uint64_t>> lines;
  for (StackId id = 0; id < counts.size(); ++id) {
    if (counts[id] == 0) continue;
    std::vector<std::string> names;
    internal::ForEachVisibleFrame(
        snapshot, snapshot.stacks[id],
        [&](const Location& location, const Frame& frame) {
          std::string name(snapshot.String(frame.function));
          if (name.empty()) internal::AppendHex(location.pc, &name);
          // The format has no escapes.
          std::replace(name.begin(), name.end(), ';', ':');
          std::replace(name.begin(), name.end(), '\n', ' ');
          names.push_back(std::move(name));
        },
        [&](int32_t) { names.push_back("..."); });
    if (names.empty()) names.push_back("???");
    std::string line;
    for (auto name = names.rbegin(); name != names.rend(); ++name) {
      if (!line.empty()) line += ';';
      line += *name;
    }
    lines.emplace_back(std::move(line), counts[id]);
  }
  // Stacks that differ in lines or hidden frames only are one here.
  std::sort(lines.begin(), lines.end());
  std::vector<std::pair<std::string, uint64_t>> merged;
  for (auto& line : lines) {
    if (!merged.empty() && merged.back().first == line.first) {
      merged.back().second += line.second;
    } else {
      merged.push_back(std::move(line));
    }
  }
  std::sort(merged.begin(), merged.end(), [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  });
  std::string out;
  for (const auto& [text, count] : merged) out += text + ' ' + std::to_string(count) + '\n';
  return out;
}

}  // namespace leash
