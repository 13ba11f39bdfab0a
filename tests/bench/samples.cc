#include "bench/samples.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <sstream>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace leash::bench {

std::string_view SideName(Side side) {
  switch (side) {
    case Side::kLeash:
      return "leash";
    case Side::kGo:
      return "Go";
    case Side::kBoost:
      return "Boost.Fiber";
    case Side::kThreads:
      return "std::thread";
    case Side::kRecordOff:
      return "recording off";
  }
  return "";
}

std::string_view SideKey(Side side) {
  switch (side) {
    case Side::kLeash:
      return "leash";
    case Side::kGo:
      return "go";
    case Side::kBoost:
      return "boost_fiber";
    case Side::kThreads:
      return "std_thread";
    case Side::kRecordOff:
      return "record_off";
  }
  return "";
}

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

int Samples::Add(Side side, int procs, int pass, std::string_view output) {
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
    series.of(side).push_back({pass, line->value});
  }
  return figures;
}

const Row* FindRow(const std::vector<Row>& rows, std::string_view name, int procs) {
  const auto same = [&](const Row& row) { return row.name == name && row.procs == procs; };
  const auto found = std::find_if(rows.begin(), rows.end(), same);
  return found == rows.end() ? nullptr : &*found;
}

bool MoreIsBetter(std::string_view unit) { return unit.ends_with("/s") || unit == "percent"; }

std::optional<Spread> SpreadOf(std::vector<double> values) {
  if (values.empty()) return std::nullopt;
  std::sort(values.begin(), values.end());
  const size_t n = values.size();
  const size_t half = n / 2;
  const double median = n % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
  // That the median is below the k+1 smallest of n values is as likely as at most k heads in n
  // throws of a coin; the same above.
  double ways = 1;   // in which k of n throws are heads
  double below = 0;  // the probability of at most k heads
  size_t left_out = 0;
  double certainty = 0;
  for (size_t k = 0; k < (n + 1) / 2; ++k) {
    below += ways * std::pow(0.5, static_cast<double>(n));
    if (k > 0 && 1 - 2 * below < kCertain) break;
    left_out = k;
    certainty = std::max(0.0, 1 - 2 * below);
    ways = ways * static_cast<double>(n - k) / static_cast<double>(k + 1);
  }
  return Spread{median, values[left_out], values[n - 1 - left_out], certainty};
}

std::optional<Spread> SpreadOf(const std::vector<Reading>& readings) {
  std::vector<double> values;
  for (const Reading& reading : readings) values.push_back(reading.value);
  return SpreadOf(std::move(values));
}

std::optional<Spread> PairedRatio(const std::vector<Reading>& over,
                                  const std::vector<Reading>& under, std::string_view unit) {
  std::vector<double> ratios;
  for (const Reading& one : over) {
    const auto same_pass = [&one](const Reading& other) { return other.pass == one.pass; };
    const auto other = std::find_if(under.begin(), under.end(), same_pass);
    if (other == under.end()) continue;
    const bool inverse = MoreIsBetter(unit);
    const double divisor = inverse ? one.value : other->value;
    if (divisor <= 0) return std::nullopt;
    ratios.push_back((inverse ? other->value : one.value) / divisor);
  }
  return SpreadOf(std::move(ratios));
}

std::optional<Spread> PairedRatio(const Series& series, Side baseline) {
  return PairedRatio(series.of(Side::kLeash), series.of(baseline), series.unit);
}

}  // namespace leash::bench
