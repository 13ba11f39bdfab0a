// Prometheus' text format 0.0.4, read strictly: what a scraper may reject is an error here.
//
//     # HELP leash_timers Armed timers.
//     # TYPE leash_timers gauge
//     leash_timers 3

#ifndef LEASH_TESTS_INTEGRATION_DEBUG_SERVER_EXPOSITION_H_
#define LEASH_TESTS_INTEGRATION_DEBUG_SERVER_EXPOSITION_H_

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace leash::testing {

struct MetricSample {
  std::string name;  // with its suffix: "leash_x_bucket"
  std::map<std::string, std::string> labels;
  double value = 0;
};

struct MetricFamily {
  std::string name, type, help;
  std::vector<MetricSample> samples;
};

struct Exposition {
  std::vector<MetricFamily> families;
  std::vector<std::string> errors;  // "line 3: ...", one for each breach

  // The family of this name; null: there is none.
  const MetricFamily* Find(std::string_view name) const;
};

// ReadExposition()
//
// Reads the whole of it. An error is: a line that is none of HELP, TYPE and sample; a family
// without HELP and TYPE before its samples, or met twice; a name or label that is not one; a value
// that is no number; a sample met twice; a counter whose name does not end in _total, or that is
// negative; a histogram whose buckets do not ascend, do not accumulate, lack +Inf, or disagree with
// _count, or which lacks _sum.
Exposition ReadExposition(std::string_view text);

}  // namespace leash::testing

#endif  // LEASH_TESTS_INTEGRATION_DEBUG_SERVER_EXPOSITION_H_
