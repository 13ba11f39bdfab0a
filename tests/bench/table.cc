#include "bench/table.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "bench/number.h"
#include "bench/targets.h"

namespace leash::bench {
namespace {

// absl's own string_view is another type than the standard's in C++14 builds of it.
absl::string_view View(std::string_view text) { return {text.data(), text.size()}; }

std::string MedianOf(const std::vector<Reading>& readings) {
  const std::optional<Spread> spread = SpreadOf(readings);
  return spread ? Number(spread->median) : "";
}

std::string Text(const std::optional<Spread>& ratio) {
  if (!ratio) return "";
  return absl::StrCat(RatioNumber(ratio->median), " (", RatioNumber(ratio->low), "-",
                      RatioNumber(ratio->high), ")");
}

// A line of the table, with what is known of it.
struct Entry {
  const Row* row;
  bool cpu;

  const Series& series() const { return cpu ? row->cpu : row->wall; }
  std::string name() const { return absl::StrCat(row->name, cpu ? ", processor" : ""); }
  // "ns/op", of both times; the name says which it is.
  std::string unit() const {
    return std::string(absl::StripPrefix(absl::string_view(series().unit), "cpu-"));
  }
};

std::vector<Entry> Entries(const std::vector<Row>& rows) {
  std::vector<Entry> entries;
  for (const Row& row : rows) {
    if (!row.wall.empty()) entries.push_back({&row, false});
    if (!row.cpu.empty()) entries.push_back({&row, true});
  }
  return entries;
}

using Cells = std::vector<std::string>;

// Only what was measured has columns.
Cells Head(const Circumstances& c) {
  Cells head = {"workload", "procs", "unit", "leash"};
  for (const Side side : kBaselines) {
    if (c.version(side).empty()) continue;
    if (side == Side::kRecordOff) {
      head.emplace_back("recording on/off");
    } else {
      head.emplace_back(SideName(side));
      head.push_back(absl::StrCat("leash/", View(SideName(side))));
    }
  }
  head.insert(head.end(), {"target", "verdict"});
  return head;
}

Cells CellsOf(const std::vector<Row>& rows, const Entry& entry, const Circumstances& c) {
  const Series& series = entry.series();
  Cells cells = {entry.name(), absl::StrCat(entry.row->procs), entry.unit(),
                 MedianOf(series.of(Side::kLeash))};
  for (const Side side : kBaselines) {
    if (c.version(side).empty()) continue;
    if (side != Side::kRecordOff) cells.push_back(MedianOf(series.of(side)));
    cells.push_back(Text(PairedRatio(series, side)));
  }
  const std::optional<Judgement> judgement =
      Judge(rows, *entry.row, entry.cpu, c.version(Side::kGo));
  cells.push_back(judgement ? judgement->want : "");
  cells.emplace_back(judgement ? VerdictName(judgement->verdict) : "");
  return cells;
}

bool IsText(size_t column, size_t columns) {
  return column == 0 || column == 2 || column == columns - 1;
}

nlohmann::ordered_json JsonOf(const Spread& spread) {
  return {{"median", spread.median},
          {"low", spread.low},
          {"high", spread.high},
          {"certainty", spread.certainty}};
}

nlohmann::ordered_json JsonOf(const std::vector<Row>& rows, const Entry& entry,
                              const Circumstances& c) {
  const Series& series = entry.series();
  nlohmann::ordered_json json = {{"unit", series.unit}, {"runs", {}}};
  for (const Side side :
       {Side::kLeash, Side::kGo, Side::kBoost, Side::kThreads, Side::kRecordOff}) {
    if (series.of(side).empty()) continue;
    nlohmann::ordered_json runs = nlohmann::json::array();
    for (const Reading& reading : series.of(side)) {
      runs.push_back({{"pass", reading.pass}, {"value", reading.value}});
    }
    json["runs"][std::string(SideKey(side))] = std::move(runs);
    const std::optional<Spread> ratio = PairedRatio(series, side);
    if (side != Side::kLeash && ratio) {
      json["leash_over"][std::string(SideKey(side))] = JsonOf(*ratio);
    }
  }
  if (const auto judgement = Judge(rows, *entry.row, entry.cpu, c.version(Side::kGo))) {
    json["target"] = judgement->want;
    json["verdict"] = VerdictName(judgement->verdict);
  }
  if (const std::optional<Verdict> recording = JudgeRecording(*entry.row, entry.cpu)) {
    json["recording"] = VerdictName(*recording);
  }
  return json;
}

std::string Place(const Entry& entry) {
  return absl::StrCat(entry.name(), ", procs ", entry.row->procs);
}

// By processor time where both sides have one.
Findings Behind(const std::vector<Row>& rows, Side side) {
  Findings behind = {absl::StrCat("Behind ", View(SideName(side))), {}};
  for (const Row& row : rows) {
    if (absl::EndsWith(row.name, "/stall_idle")) continue;  // the machine's, not ours
    std::optional<Spread> ratio = PairedRatio(row.cpu, side);
    const bool by_cpu = ratio.has_value();
    if (!by_cpu) ratio = PairedRatio(row.wall, side);
    if (!ratio || ratio->median <= 1) continue;
    behind.lines.push_back(absl::StrCat(row.name, ", procs ", row.procs, ": ",
                                        RatioNumber(ratio->median), " of ", View(SideName(side)),
                                        "'s ", by_cpu ? "processor time" : row.wall.unit));
  }
  return behind;
}

}  // namespace

std::vector<std::string> Notes(const Circumstances& c) {
  std::vector<std::string> notes = {
      absl::StrCat(c.machine, "; ", c.when, "; load ", absl::StrFormat("%.1f", c.load_before),
                   " before, ", absl::StrFormat("%.1f", c.load_after), " after"),
      c.version(Side::kLeash)};
  for (const Side side : kBaselines) {
    if (!c.version(side).empty()) absl::StrAppend(&notes[1], "; ", c.version(side));
  }
  notes.push_back(absl::StrCat(
      "Medians of ", c.pairs, c.pairs == 1 ? " run" : " runs", " of each side, in turn",
      c.scale == 1 ? "" : absl::StrFormat("; operations times %g: not to be compared", c.scale),
      "."));
  const double certainty =
      SpreadOf(std::vector<double>(static_cast<size_t>(std::max(c.pairs, 1)), 1))->certainty;
  notes.push_back(absl::StrFormat(
      "leash/Go and the like: the median of the pairs' ratios, and between which of them the true "
      "one lies with a certainty of %.0f %%; below 1 leash is better.",
      100 * certainty));
  notes.push_back(
      "Processor time is the whole process's, user and system: on a busy machine the one to "
      "trust.");
  notes.push_back(absl::StrCat(
      "A target is a ratio to Go's, or a figure with its unit. Undecided: the spread lies on both "
      "sides of it",
      certainty < kCertain ? ", or is of too few runs: fewer than five decide nothing." : "."));
  if (!c.version(Side::kThreads).empty()) {
    notes.push_back("std::thread: 10,000 threads in parked_mem and spawn_join.");
  }
  if (absl::StartsWith(c.version(Side::kGo), "go1.19")) {
    notes.push_back(
        "Go 1.19 (Debian 12's) is up to 1.6x faster than Go 1.27 at yield and pingpong: against a "
        "newer Go these two ratios are lower. The targets are scaled to it.");
  }
  return notes;
}

std::vector<Findings> Conclusions(const std::vector<Row>& rows, const Circumstances& c) {
  std::vector<Findings> all;
  Findings not_reached = {"Targets not reached", {}};
  Findings undecided = {"Targets undecided", {}};
  Findings dear = {absl::StrFormat("Recording costs more than %.0f %%", 100 * (kRecordAtMost - 1)),
                   {}};
  int judged = 0;
  int recorded = 0;
  int recorded_undecided = 0;
  for (const Entry& entry : Entries(rows)) {
    if (const auto judgement = Judge(rows, *entry.row, entry.cpu, c.version(Side::kGo))) {
      ++judged;
      if (judgement->verdict == Verdict::kReached) continue;
      (judgement->verdict == Verdict::kNotReached ? not_reached : undecided)
          .lines.push_back(absl::StrCat(Place(entry), ": target ", judgement->want));
    }
  }
  for (const Entry& entry : Entries(rows)) {
    if (const std::optional<Verdict> verdict = JudgeRecording(*entry.row, entry.cpu)) {
      ++recorded;
      recorded_undecided += *verdict == Verdict::kUndecided ? 1 : 0;
      if (*verdict != Verdict::kNotReached) continue;
      dear.lines.push_back(
          absl::StrCat(Place(entry), ": ", Text(PairedRatio(entry.series(), Side::kRecordOff))));
    }
  }
  if (judged > 0) {
    absl::StrAppend(&not_reached.heading, ", of ", judged);
    absl::StrAppend(&undecided.heading, ", of ", judged);
    all.push_back(std::move(not_reached));
    all.push_back(std::move(undecided));
  }
  for (const Side side : {Side::kGo, Side::kBoost, Side::kThreads}) {
    if (!c.version(side).empty()) all.push_back(Behind(rows, side));
  }
  if (recorded > 0) {
    absl::StrAppend(&dear.heading, " (of ", recorded, " rows ", recorded_undecided,
                    " are undecided)");
    all.push_back(std::move(dear));
  }
  return all;
}

void WriteText(std::ostream& out, const std::vector<Row>& rows, const Circumstances& c) {
  std::vector<Cells> lines = {Head(c)};
  for (const Entry& entry : Entries(rows)) lines.push_back(CellsOf(rows, entry, c));
  const size_t columns = lines[0].size();
  std::vector<size_t> width(columns);
  for (const Cells& cells : lines) {
    for (size_t i = 0; i < columns; ++i) width[i] = std::max(width[i], cells[i].size());
  }
  for (const Cells& cells : lines) {
    std::string line;
    for (size_t i = 0; i < columns; ++i) {
      const std::string pad(width[i] - cells[i].size(), ' ');
      const bool left = IsText(i, columns);
      absl::StrAppend(&line, i == 0 ? "" : "  ", left ? cells[i] : pad, left ? pad : cells[i]);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out << line << '\n';
  }
  out << '\n';
  for (const std::string& note : Notes(c)) out << note << '\n';
  for (const Findings& findings : Conclusions(rows, c)) {
    out << '\n' << findings.heading << ':' << (findings.lines.empty() ? " none" : "") << '\n';
    for (const std::string& line : findings.lines) out << "  " << line << '\n';
  }
}

void WriteMarkdown(std::ostream& out, const std::vector<Row>& rows, const Circumstances& c) {
  const auto line = [&out](const Cells& cells) {
    for (const std::string& cell : cells) out << "| " << cell << (cell.empty() ? "" : " ");
    out << "|\n";
  };
  const Cells head = Head(c);
  line(head);
  for (size_t i = 0; i < head.size(); ++i) out << (IsText(i, head.size()) ? "|---" : "|---:");
  out << "|\n";
  for (const Entry& entry : Entries(rows)) line(CellsOf(rows, entry, c));
  out << '\n';
  for (const std::string& note : Notes(c)) out << "- " << note << '\n';
  for (const Findings& findings : Conclusions(rows, c)) {
    out << '\n' << findings.heading << (findings.lines.empty() ? ": none.\n" : ":\n\n");
    for (const std::string& finding : findings.lines) out << "- " << finding << '\n';
  }
}

void WriteJson(std::ostream& out, const std::vector<Row>& rows, const Circumstances& c) {
  nlohmann::ordered_json json;
  json["machine"] = c.machine;
  json["versions"] = nlohmann::ordered_json::object();
  json["versions"]["leash"] = c.version(Side::kLeash);
  for (const Side side : kBaselines) {
    if (!c.version(side).empty()) json["versions"][std::string(SideKey(side))] = c.version(side);
  }
  json["when"] = c.when;
  json["load"] = {c.load_before, c.load_after};
  json["pairs"] = c.pairs;
  json["scale"] = c.scale;
  json["rows"] = nlohmann::json::array();
  for (const Row& row : rows) {
    nlohmann::ordered_json line = {{"name", row.name}, {"procs", row.procs}};
    if (!row.wall.empty()) line["wall"] = JsonOf(rows, {&row, false}, c);
    if (!row.cpu.empty()) line["cpu"] = JsonOf(rows, {&row, true}, c);
    json["rows"].push_back(std::move(line));
  }
  out << json.dump(2) << '\n';
}

}  // namespace leash::bench
