#include "bench/table.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"

namespace leash::bench {
namespace {

// Three digits that count, and thousands apart: "9.31", "251.3", "12,345".
std::string Number(double value) {
  if (std::abs(value) < 10) return absl::StrFormat("%.2f", value);
  if (std::abs(value) < 1000) return absl::StrFormat("%.1f", value);
  std::string digits = absl::StrFormat("%.0f", value);
  const auto first = static_cast<ptrdiff_t>(value < 0 ? 1 : 0);
  for (auto at = static_cast<ptrdiff_t>(digits.size()) - 3; at > first; at -= 3) {
    digits.insert(static_cast<size_t>(at), 1, ',');
  }
  return digits;
}

std::string MedianOf(const std::vector<double>& values) {
  return values.empty() ? "-" : Number(Median(values));
}

std::string Text(const std::optional<Ratio>& ratio) {
  if (!ratio) return "-";
  return absl::StrFormat("%.2f (%.2f-%.2f)", ratio->median, ratio->min, ratio->max);
}

// The words of a row, column by column.
constexpr size_t kColumns = 9;
using Cells = std::array<std::string, kColumns>;
const Cells kHead = {"workload", "procs", "unit", "leash",   "Go",
                     "leash/Go", "leash", "Go",   "leash/Go"};

Cells CellsOf(const Row& row) {
  Cells cells = {row.name,
                 absl::StrCat(row.procs),
                 row.wall.unit,
                 MedianOf(row.wall.leash),
                 MedianOf(row.wall.go),
                 Text(PairedRatio(row.wall)),
                 "",
                 "",
                 ""};
  if (!row.cpu.leash.empty() || !row.cpu.go.empty()) {
    if (row.cpu.unit != "cpu-" + row.wall.unit) {
      absl::StrAppend(&cells[2], "; ", absl::StripPrefix(row.cpu.unit, "cpu-"));
    }
    cells[6] = MedianOf(row.cpu.leash);
    cells[7] = MedianOf(row.cpu.go);
    cells[8] = Text(PairedRatio(row.cpu));
  }
  return cells;
}

nlohmann::json JsonOf(const Series& series) {
  nlohmann::json json = {{"unit", series.unit}, {"leash", series.leash}, {"go", series.go}};
  if (const std::optional<Ratio> ratio = PairedRatio(series)) {
    json["ratio"] = {{"median", ratio->median}, {"min", ratio->min}, {"max", ratio->max}};
  }
  return json;
}

}  // namespace

std::vector<std::string> Notes(const Circumstances& c) {
  std::vector<std::string> notes = {
      absl::StrCat(c.machine, "; ", c.when, "; load ", absl::StrFormat("%.1f", c.load_before),
                   " before, ", absl::StrFormat("%.1f", c.load_after), " after"),
      absl::StrCat(c.leash, c.go_version.empty() ? "; Go was not measured"
                                                 : absl::StrCat("; ", c.go_version))};
  notes.push_back(absl::StrCat(
      "Medians of ", c.pairs, c.pairs == 1 ? " run" : " runs", " of each side, in turn",
      c.scale == 1 ? "" : absl::StrFormat("; operations times %g: not to be compared", c.scale),
      "."));
  notes.push_back(
      "leash/Go: the median of the pairs' ratios, with the smallest and the largest; below 1 leash "
      "is better.");
  notes.push_back(
      "Processor time is the whole process's, user and system: on a busy machine the one to "
      "trust.");
  if (absl::StartsWith(c.go_version, "go1.19")) {
    notes.push_back(
        "Go 1.19 (Debian 12's) is up to 1.6x faster than Go 1.27 at yield and pingpong: against a "
        "newer Go these two ratios are lower.");
  }
  return notes;
}

std::vector<std::string> Losses(const std::vector<Row>& rows) {
  std::vector<std::string> losses;
  for (const Row& row : rows) {
    if (absl::EndsWith(row.name, "/stall_idle")) continue;  // the machine's, not ours
    const bool by_cpu = !row.cpu.leash.empty() && !row.cpu.go.empty();
    const std::optional<Ratio> ratio = PairedRatio(by_cpu ? row.cpu : row.wall);
    if (!ratio || ratio->median <= 1) continue;
    losses.push_back(absl::StrFormat("%s, procs %d: %.2f of Go's %s", row.name, row.procs,
                                     ratio->median,
                                     by_cpu ? std::string("processor time") : row.wall.unit));
  }
  return losses;
}

void WriteText(std::ostream& out, const std::vector<Row>& rows, const Circumstances& c) {
  std::vector<Cells> lines = {kHead};
  for (const Row& row : rows) lines.push_back(CellsOf(row));
  std::array<size_t, kColumns> width = {};
  for (const Cells& cells : lines) {
    for (size_t i = 0; i < kColumns; ++i) width[i] = std::max(width[i], cells[i].size());
  }
  size_t wall_at = 0;
  for (size_t i = 0; i < 3; ++i) wall_at += width[i] + 2;
  const size_t cpu_at = wall_at + width[3] + width[4] + width[5] + 6;
  std::string over = absl::StrCat(std::string(wall_at, ' '), "wall");
  over.resize(cpu_at, ' ');
  out << over << "processor\n";
  for (const Cells& cells : lines) {
    std::string line;
    for (size_t i = 0; i < kColumns; ++i) {
      const std::string pad(width[i] - cells[i].size(), ' ');
      const bool left = i == 0 || i == 2;
      absl::StrAppend(&line, i == 0 ? "" : "  ", left ? cells[i] : pad, left ? pad : cells[i]);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out << line << '\n';
  }
  out << '\n';
  for (const std::string& note : Notes(c)) out << note << '\n';
  if (c.go_version.empty()) return;
  const std::vector<std::string> losses = Losses(rows);
  out << '\n' << (losses.empty() ? "Nowhere behind Go." : "Behind Go:") << '\n';
  for (const std::string& loss : losses) out << "  " << loss << '\n';
}

void WriteMarkdown(std::ostream& out, const std::vector<Row>& rows, const Circumstances& c) {
  const auto line = [&](const Cells& cells) {
    for (const std::string& cell : cells) out << "| " << cell << (cell.empty() ? "" : " ");
    out << "|\n";
  };
  Cells head = kHead;
  for (size_t i = 6; i < kColumns; ++i) head[i] += ", processor";
  line(head);
  out << "|---|---:|---|---:|---:|---:|---:|---:|---:|\n";
  for (const Row& row : rows) line(CellsOf(row));
  out << '\n';
  for (const std::string& note : Notes(c)) out << "- " << note << '\n';
  if (c.go_version.empty()) return;
  const std::vector<std::string> losses = Losses(rows);
  out << (losses.empty() ? "\nNowhere behind Go.\n" : "\nBehind Go:\n\n");
  for (const std::string& loss : losses) out << "- " << loss << '\n';
}

void WriteJson(std::ostream& out, const std::vector<Row>& rows, const Circumstances& c) {
  nlohmann::ordered_json json;
  json["machine"] = c.machine;
  json["leash"] = c.leash;
  json["go"] = c.go_version;
  json["when"] = c.when;
  json["load"] = {c.load_before, c.load_after};
  json["pairs"] = c.pairs;
  json["scale"] = c.scale;
  json["rows"] = nlohmann::json::array();
  for (const Row& row : rows) {
    nlohmann::ordered_json line = {{"name", row.name}, {"procs", row.procs}};
    line["wall"] = JsonOf(row.wall);
    if (!row.cpu.leash.empty() || !row.cpu.go.empty()) line["cpu"] = JsonOf(row.cpu);
    json["rows"].push_back(std::move(line));
  }
  out << json.dump(2) << '\n';
}

}  // namespace leash::bench
