#include "bench/targets.h"

#include <algorithm>
#include <array>

#include "absl/strings/str_cat.h"
#include "bench/number.h"

namespace leash::bench {
namespace {

// Units are the rows': ns an operation unless said.
constexpr Target kTargets[] = {
    // row, procs, leash at most, Go 1.27, Go 1.19 over 1.27
    {"spawn_join", 1, 60, 887, 0.87},
    {"spawn_join", 2, 60, 188, 0.87},
    {"spawn_join_batch100", 1, 35, 160, 0.81},
    {"spawn_join_batch100", 2, 50, 173, 0.81},
    {"pingpong", 1, 60, 253, 0.73},
    {"pingpong", 2, 80, 237, 0.73},
    {"yield", 1, 10, 83, 0.61},
    {"chan_buffered", 1, 15, 33, 0.97},
    {"chan_buffered", 2, 25, 38, 0.97},
    {"mpmc_unbuf", 1, 65, 132, 0.77},
    {"mpmc_unbuf", 2, 100, 163, 0.77},
    {"mpmc_buf64", 1, 18, 36, 0.97},
    {"mpmc_buf64", 2, 25, 43, 0.97},
    {"select4", 1, 80, 251, 0.84},
    {"select4", 2, 120, 250, 0.84},
    {"mutex", 1, 9, 13, 1.02},
    {"mutex", 2, 25, 37, 1.02},
    // ms, MB
    {"skynet", 1, 200, 822, 0.96},
    {"skynet", 2, 130, 623, 0.96},
    {"skynet/peak", 0, 150},
    // 1.3 times Go's rate; by Go 1.27's own of 90,000 and 137,000 a second
    {"echo", 1, 117'000, 90'000},
    {"echo", 2, 178'100, 137'000},
    // us
    {"timers/p50", 1, 100, 226},
    {"timers/p50", 2, 100, 195},
    {"timers/p99", 1, 2'000, 79'000},
    {"timers/p99", 2, 2'000, 35'000},
    // bytes, then ns
    {"parked_mem/100k/rss+vmpte", 0, 4'850},
    {"parked_mem/1m/rss+vmpte", 0, 4'850},
    {"parked_mem_64k/100k/rss+vmpte", 0, 4'500},
    {"parked_mem_64k/1m/rss+vmpte", 0, 4'500},
    {"parked_mem/100k/create", 1, 2'000, 2'200},
    {"parked_mem/100k/create", 2, 2'000, 1'600},
    {"parked_mem/100k/create_warm", 1, 700, 2'200, 1, "parked_mem/100k/create"},
    {"parked_mem/100k/create_warm", 2, 700, 1'600, 1, "parked_mem/100k/create"},
    // ms; us of a stall; percent
    {"profile_debug1/100k/time", 0, 60, 94},
    {"profile_debug1/1m/time", 0, 600, 1'430},
    {"profile_debug2/100k/time", 0, 180, 916},
    {"profile_debug2/10k/stall", 0, 200, 0, 1, {}, "profile_debug2/10k/stall_idle"},
    {"profile_debug2/100k/stall", 0, 200, 0, 1, {}, "profile_debug2/100k/stall_idle"},
    {"profile_debug2/1m/stall", 0, 200, 0, 1, {}, "profile_debug2/1m/stall_idle"},
    {"profile_debug2/10k/complete", 0, 100},
    {"profile_debug2/100k/complete", 0, 100},
    {"profile_debug2/1m/complete", 0, 100},
};

Verdict Compare(const Spread& have, double want, bool more_is_better) {
  const double best = more_is_better ? have.high : have.low;
  const double worst = more_is_better ? have.low : have.high;
  const auto meets = [&](double value) { return more_is_better ? value >= want : value <= want; };
  if (have.certainty < kCertain) return Verdict::kUndecided;
  if (meets(worst)) return Verdict::kReached;
  return meets(best) ? Verdict::kUndecided : Verdict::kNotReached;
}

}  // namespace

std::span<const Target> Targets() { return kTargets; }

const Target* FindTarget(std::string_view row, int procs) {
  for (const Target& target : kTargets) {
    if (target.row == row && (target.procs == 0 || target.procs == procs)) return &target;
  }
  return nullptr;
}

std::string_view VerdictName(Verdict verdict) {
  switch (verdict) {
    case Verdict::kReached:
      return "reached";
    case Verdict::kNotReached:
      return "not reached";
    case Verdict::kUndecided:
      return "undecided";
  }
  return "";
}

std::optional<Judgement> Judge(const std::vector<Row>& rows, const Row& row, bool cpu,
                               std::string_view go_version) {
  const Target* target = FindTarget(row.name, row.procs);
  if (target == nullptr || (cpu && (row.procs != 1 || target->go == 0))) return std::nullopt;
  const Series& series = cpu ? row.cpu : row.wall;
  const bool more_is_better = MoreIsBetter(series.unit);
  if (target->go == 0) {
    const std::optional<Spread> have = SpreadOf(series.of(Side::kLeash));
    if (!have) return std::nullopt;
    Verdict verdict = Compare(*have, target->at_most, more_is_better);
    const Row* noise = target->noise.empty() ? nullptr : FindRow(rows, target->noise, row.procs);
    if (verdict == Verdict::kNotReached && noise != nullptr) {
      const std::optional<Spread> idle = SpreadOf(noise->wall.of(Side::kLeash));
      if (idle && idle->median > target->at_most) verdict = Verdict::kUndecided;
    }
    return Judgement{absl::StrCat(Number(target->at_most), " ", series.unit), verdict};
  }

  const Row* go_row = target->go_row.empty() ? &row : FindRow(rows, target->go_row, row.procs);
  if (go_row == nullptr) return std::nullopt;
  const Series& go_series = cpu ? go_row->cpu : go_row->wall;
  const std::optional<Spread> have =
      PairedRatio(series.of(Side::kLeash), go_series.of(Side::kGo), series.unit);
  if (!have) return std::nullopt;
  const double go = target->go * (go_version.starts_with("go1.19") ? target->go119 : 1);
  // A ratio is below 1 where leash is better, also of rates; their processor times are no rates.
  const bool rate = MoreIsBetter(row.wall.unit);
  const double want = rate ? go / target->at_most : target->at_most / go;
  return Judgement{RatioNumber(want), Compare(*have, want, false)};
}

std::optional<Verdict> JudgeRecording(const Row& row, bool cpu) {
  // What is written is more with recording on, by intent; an idle machine's stall is nobody's.
  constexpr std::array<std::string_view, 3> kNoCost = {"/size", "/complete", "/stall_idle"};
  const auto ends = [&row](std::string_view suffix) { return row.name.ends_with(suffix); };
  if (std::any_of(kNoCost.begin(), kNoCost.end(), ends)) return std::nullopt;
  const std::optional<Spread> ratio = PairedRatio(cpu ? row.cpu : row.wall, Side::kRecordOff);
  if (!ratio) return std::nullopt;
  return Compare(*ratio, kRecordAtMost, false);
}

}  // namespace leash::bench
