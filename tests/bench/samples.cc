#include "bench/samples.h"

#include <algorithm>
#include <cstdlib>
#include <sstream>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace leash::bench {

std::optional<Line> ParseLine(std::string_view line) {
  const std::vector<std::string> fields =
      absl::StrSplit(absl::string_view(line.data(), line.size()), ' ');
  double value = 0;
  if (fields.size() != 3 || fields[0].empty() || fields[2].empty()) return std::nullopt;
  if (!absl::SimpleAtod(fields[1], &value)) return std::nullopt;
  return Line{fields[0], value, fields[2]};
}

Row& Samples::Find(std::string_view name, int procs) {
  const auto same = [&](const Row& row) { return row.name == name && row.procs == procs; };
  const auto found = std::find_if(rows_.begin(), rows_.end(), same);
  if (found != rows_.end()) return *found;
  return rows_.emplace_back(Row{std::string(name), procs, {}, {}});
}

int Samples::Add(Side side, int procs, std::string_view output) {
  std::istringstream in{std::string(output)};
  int figures = 0;
  for (std::string text; std::getline(in, text);) {
    std::optional<Line> line = ParseLine(text);
    if (!line) continue;
    ++figures;
    absl::string_view name = line->name;
    const bool cpu = absl::ConsumeSuffix(&name, "/cpu");
    Row& row = Find(std::string_view(name.data(), name.size()), procs);
    Series& series = cpu ? row.cpu : row.wall;
    series.unit = line->unit;
    (side == Side::kLeash ? series.leash : series.go).push_back(line->value);
  }
  return figures;
}

double Median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

std::optional<Ratio> PairedRatio(const Series& series) {
  const bool rate = absl::EndsWith(series.unit, "/s");
  const std::vector<double>& over = rate ? series.go : series.leash;
  const std::vector<double>& under = rate ? series.leash : series.go;
  std::vector<double> ratios;
  for (size_t i = 0; i < std::min(over.size(), under.size()); ++i) {
    if (under[i] <= 0) return std::nullopt;
    ratios.push_back(over[i] / under[i]);
  }
  if (ratios.empty()) return std::nullopt;
  const auto [min, max] = std::minmax_element(ratios.begin(), ratios.end());
  return Ratio{Median(ratios), *min, *max};
}

}  // namespace leash::bench
