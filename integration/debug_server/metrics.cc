// The text of /metrics.

#include "metrics.h"

#include <map>
#include <string_view>
#include <utility>

#include "leash/debug.h"
#include "leash/internal/debug_seam.h"

namespace leash::internal {
namespace {

void Family(std::string* out, std::string_view name, std::string_view type, std::string_view help) {
  *out += "# HELP ";
  *out += name;
  *out += ' ';
  *out += help;
  *out += "\n# TYPE ";
  *out += name;
  *out += ' ';
  *out += type;
  *out += '\n';
}

template <class Number>
void Metric(std::string* out, std::string_view name, std::string_view type, std::string_view help,
            Number value) {
  Family(out, name, type, help);
  *out += name;
  *out += ' ';
  *out += std::to_string(value);
  *out += '\n';
}

}  // namespace

std::string MetricsText() {
  const RuntimeFigures f = ReadRuntimeFigures();
  debug::CaptureOptions options;
  options.stacks = false;
  options.mentions = false;
  options.running_stacks = false;
  const Snapshot snapshot = debug::Capture(options);
  // By state and, while waiting, by reason.
  std::map<std::pair<std::string, std::string>, int64_t> counts;
  int64_t threads = 0;
  for (const Goroutine& g : snapshot.goroutines) {
    if (g.kind == GoroutineKind::kThread) {
      ++threads;
      continue;
    }
    const std::string word(snapshot.StatusWord(g));
    if (g.state == GoroutineState::kWaiting) {
      ++counts[{"waiting", word}];
    } else {
      ++counts[{word, ""}];
    }
  }
  std::string out;
  Family(&out, "leash_goroutines", "gauge", "Goroutines that exist now, by state and wait reason.");
  for (const auto& [key, count] : counts) {
    out += "leash_goroutines{state=\"" + key.first + "\",reason=\"" + key.second + "\"} " +
           std::to_string(count) + "\n";
  }
  Metric(&out, "leash_goroutines_started_total", "counter", "Goroutines ever started.",
         f.goroutines_started);
  Metric(&out, "leash_gomaxprocs", "gauge", "GOMAXPROCS.", f.gomaxprocs);
  Metric(&out, "leash_idle_ps", "gauge", "Ps without work.", f.idle_ps);
  Metric(&out, "leash_detached_ps", "gauge",
         "Ps whose goroutine computes or sits in a system call without coming back.",
         f.detached_ps);
  Metric(&out, "leash_scheduler_threads", "gauge", "OS threads that run goroutines.", f.threads);
  Metric(&out, "leash_spinning_threads", "gauge", "Of these, looking for work.", f.spinning);
  Metric(&out, "leash_threads", "gauge", "OS threads of the program that have used leash.",
         threads);
  Metric(&out, "leash_timers", "gauge", "Armed timers.", f.timers);
  Metric(&out, "leash_poll_descriptors", "gauge", "Descriptors known to the netpoller.",
         f.descriptors);
  Metric(&out, "leash_stacks", "gauge", "Stacks ever made.", f.stacks);
  Metric(&out, "leash_stacks_free", "gauge", "Of these, on the shared free lists.", f.stacks_free);
  Metric(&out, "leash_stacks_unguarded", "gauge", "Of these, without a guard page.",
         f.stacks_unguarded);
  return out;
}

}  // namespace leash::internal
