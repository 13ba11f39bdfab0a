// The text of /metrics: docs/reference/metrics.md has every line.

#include "metrics.h"

#include <cstdint>
#include <cstdio>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "absl/time/time.h"
#include "leash/debug.h"

namespace leash::internal {
namespace {

using debug::RuntimeMetrics;

// One family after the other: HELP, TYPE, then its samples.
class Exposition {
 public:
  void Family(std::string_view name, std::string_view type, std::string_view help) {
    family_ = name;
    for (std::string_view part : {std::string_view("# HELP "), name, std::string_view(" "), help,
                                  std::string_view("\n# TYPE "), name, std::string_view(" "), type,
                                  std::string_view("\n")}) {
      text_ += part;
    }
  }

  // `suffix` is "_bucket" and the like. `labels` in braces, or "". No text of leash's needs to be
  // escaped.
  void Sample(std::string_view suffix, std::string_view labels, std::string_view value) {
    for (std::string_view part : {std::string_view(family_), suffix, labels, std::string_view(" "),
                                  value, std::string_view("\n")}) {
      text_ += part;
    }
  }

  template <class Number>
  void Single(std::string_view name, std::string_view type, std::string_view help, Number value) {
    Family(name, type, help);
    Sample("", "", std::to_string(value));
  }

  std::string Take() { return std::move(text_); }

 private:
  std::string text_;
  std::string family_;
};

// A figure that reads back as the same double.
std::string Seconds(absl::Duration d) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.15g", absl::ToDoubleSeconds(d));
  return text;
}

std::string Labels(std::initializer_list<std::pair<std::string_view, std::string_view>> labels) {
  std::string text;
  for (const auto& [key, value] : labels) {
    text += text.empty() ? "{" : ",";
    text += key;
    text += "=\"";
    text += value;
    text += '"';
  }
  return text + "}";
}

void WriteGoroutines(const RuntimeMetrics& m, Exposition* out) {
  out->Family("leash_goroutines", "gauge", "Goroutines that exist, by state and wait reason.");
  const auto state = [out](std::string_view word, std::string_view reason, int64_t count) {
    out->Sample("", Labels({{"state", word}, {"reason", reason}}), std::to_string(count));
  };
  state("runnable", "", m.runnable);
  state("running", "", m.running);
  state("syscall", "", m.in_syscall);
  for (const RuntimeMetrics::Wait& wait : m.waits) state("waiting", wait.reason, wait.waiting);
  out->Single("leash_goroutines_created_total", "counter", "Goroutines ever started.",
              m.goroutines_created);
  out->Single("leash_goroutines_ended_total", "counter", "Goroutines ever ended.",
              m.goroutines_ended);
  out->Family("leash_parks_total", "counter",
              "How often a goroutine has begun to wait, by wait reason.");
  for (const RuntimeMetrics::Wait& wait : m.waits) {
    out->Sample("", Labels({{"reason", wait.reason}}), std::to_string(wait.parks));
  }
}

void WriteLatency(const debug::DurationHistogram& histogram, Exposition* out) {
  out->Family("leash_scheduler_latency_seconds", "histogram",
              "Time from runnable to running. Sampled, each sample counted for as many as it "
              "stands for.");
  uint64_t below = 0;
  for (size_t i = 0; i < histogram.bounds.size(); ++i) {
    below += histogram.counts[i];
    out->Sample("_bucket", Labels({{"le", Seconds(histogram.bounds[i])}}), std::to_string(below));
  }
  below += histogram.counts.back();
  out->Sample("_bucket", Labels({{"le", "+Inf"}}), std::to_string(below));
  out->Sample("_sum", "", Seconds(histogram.sum));
  out->Sample("_count", "", std::to_string(below));
}

void WriteScheduler(const RuntimeMetrics& m, Exposition* out) {
  out->Single("leash_gomaxprocs", "gauge", "GOMAXPROCS.", m.gomaxprocs);
  out->Single("leash_idle_ps", "gauge", "Ps without work.", m.idle_ps);
  out->Single("leash_detached_ps", "gauge",
              "Ps that were replaced because their goroutine computes or sits in a system call.",
              m.detached_ps);
  out->Single("leash_handoffs_total", "counter", "Ps ever replaced.", m.handoffs);
  out->Single("leash_steals_total", "counter", "How often a P took goroutines from another one.",
              m.steals);
  out->Single("leash_global_queue_goroutines", "gauge",
              "Runnable goroutines in the queue that all Ps share.", m.global_queue);
  out->Single("leash_local_queue_goroutines", "gauge", "Runnable goroutines in the Ps' own queues.",
              m.local_queues);
  out->Single("leash_ms", "gauge", "OS threads that run goroutines.", m.ms);
  out->Single("leash_idle_ms", "gauge", "Of these, asleep without work.", m.idle_ms);
  out->Single("leash_spinning_ms", "gauge", "Of these, looking for work.", m.spinning_ms);
  out->Single("leash_threads", "gauge", "OS threads of the program that have used leash.",
              m.threads);
}

void WriteResources(const RuntimeMetrics& m, Exposition* out) {
  out->Single("leash_timers", "gauge", "Armed timers.", m.timers_armed);
  out->Single("leash_timers_fired_total", "counter", "Calls of timers' functions.", m.timers_fired);
  out->Single("leash_stack_in_use_bytes", "gauge",
              "Address space of the stacks that goroutines have.", m.stack_in_use_bytes);
  out->Single("leash_stack_free_bytes", "gauge", "Address space of the stacks kept for others.",
              m.stack_free_bytes);
  out->Single("leash_stack_committed_bytes", "gauge", "Address space of all stacks.",
              m.stack_committed_bytes);
  out->Single("leash_stack_unguarded_bytes", "gauge", "Of these, of stacks without a guard page.",
              m.stack_unguarded_bytes);
  out->Single("leash_netpoll_waiters", "gauge",
              "Goroutines and threads that wait for a descriptor.", m.netpoll_waiters);
  out->Single("leash_netpoll_descriptors", "gauge", "Descriptors that the netpoller knows.",
              m.netpoll_descriptors);
}

}  // namespace

std::string MetricsText() {
  const RuntimeMetrics metrics = debug::Metrics();
  Exposition out;
  WriteGoroutines(metrics, &out);
  WriteLatency(metrics.scheduler_latency, &out);
  WriteScheduler(metrics, &out);
  WriteResources(metrics, &out);
  return out.Take();
}

}  // namespace leash::internal
