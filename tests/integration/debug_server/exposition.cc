#include "integration/debug_server/exposition.h"

#include <cmath>
#include <cstdlib>
#include <limits>
#include <optional>
#include <regex>
#include <set>

namespace leash::testing {
namespace {

const std::regex kHelp(R"(# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) (\S.*))");
const std::regex kType(
    R"(# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram|summary|untyped))");
// Labels may hold escaped quotes, backslashes and newlines.
const std::regex kSample(
    R"(([a-zA-Z_:][a-zA-Z0-9_:]*)(\{((?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\]|\\["\\n])*",?)*)\})? (\S+))");
const std::regex kLabel(R"(([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\["\\n])*)\")");

std::optional<double> ReadValue(const std::string& text) {
  if (text == "+Inf") return std::numeric_limits<double>::infinity();
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != '\0' || !std::isfinite(value)) return std::nullopt;
  return value;
}

class Reader {
 public:
  Exposition Read(std::string_view text) {
    if (!text.empty() && text.back() != '\n') Error("the last line does not end");
    while (!text.empty()) {
      const size_t end = text.find('\n');
      ++line_;
      ReadLine(std::string(text.substr(0, end)));
      text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    for (const MetricFamily& family : out_.families) CheckFamily(family);
    return std::move(out_);
  }

 private:
  void Error(const std::string& what) {
    out_.errors.push_back("line " + std::to_string(line_) + ": " + what);
  }

  void ReadLine(const std::string& line) {
    std::smatch m;
    if (std::regex_match(line, m, kHelp)) {
      if (!names_.insert(m[1]).second) Error(m[1].str() + " is there twice");
      out_.families.push_back({m[1], "", m[2], {}});
    } else if (std::regex_match(line, m, kType)) {
      if (out_.families.empty() || out_.families.back().name != m[1] ||
          !out_.families.back().type.empty()) {
        Error("TYPE without its HELP before it");
        return;
      }
      out_.families.back().type = m[2];
    } else if (std::regex_match(line, m, kSample)) {
      ReadSample(m);
    } else {
      Error("not HELP, TYPE or a sample: " + line);
    }
  }

  void ReadSample(const std::smatch& m) {
    MetricSample sample{m[1], {}, 0};
    const std::string labels = m[3];
    for (std::sregex_iterator it(labels.begin(), labels.end(), kLabel), end; it != end; ++it) {
      if (!sample.labels.emplace((*it)[1], (*it)[2]).second) Error("a label twice: " + m[0].str());
    }
    const std::optional<double> value = ReadValue(m[4]);
    if (!value) Error("no number: " + m[0].str());
    sample.value = value.value_or(0);
    if (out_.families.empty() || out_.families.back().type.empty()) {
      Error("a sample without HELP and TYPE before it");
      return;
    }
    MetricFamily& family = out_.families.back();
    const bool suffixed = family.type == "histogram" && (sample.name == family.name + "_bucket" ||
                                                         sample.name == family.name + "_sum" ||
                                                         sample.name == family.name + "_count");
    if (family.type == "histogram" ? !suffixed : sample.name != family.name) {
      Error(sample.name + " among the samples of " + family.name);
    }
    for (const MetricSample& other : family.samples) {
      if (other.name == sample.name && other.labels == sample.labels) {
        Error("twice: " + m[0].str());
      }
    }
    family.samples.push_back(std::move(sample));
  }

  void CheckFamily(const MetricFamily& family) {
    const auto error = [&](const std::string& what) {
      out_.errors.push_back(family.name + ": " + what);
    };
    if (family.type.empty()) error("no TYPE");
    if (family.samples.empty()) error("no samples");
    if (family.type == "counter") {
      if (!family.name.ends_with("_total")) error("a counter that does not end in _total");
      for (const MetricSample& sample : family.samples) {
        if (sample.value < 0) error("a negative counter");
      }
    }
    if (family.type != "histogram") return;
    // One set of buckets: leash has no histogram with labels of its own.
    double bound = -1, below = 0;
    bool infinite = false, sum = false, count = false;
    for (const MetricSample& sample : family.samples) {
      if (sample.name == family.name + "_bucket") {
        const auto le = sample.labels.find("le");
        const std::optional<double> next =
            le == sample.labels.end() ? std::nullopt : ReadValue(le->second);
        if (!next) {
          error("a bucket without a bound");
          continue;
        }
        if (*next <= bound) error("bounds that do not ascend");
        if (sample.value < below) error("buckets that do not accumulate");
        bound = *next;
        below = sample.value;
        infinite = std::isinf(bound);
      } else if (sample.name == family.name + "_sum") {
        sum = true;
      } else {
        count = true;
        if (sample.value != below) error("_count is not the last bucket's");
      }
    }
    if (!infinite) error("the last bucket is not +Inf");
    if (!sum) error("no _sum");
    if (!count) error("no _count");
  }

  int line_ = 0;
  Exposition out_;
  std::set<std::string> names_;
};

}  // namespace

const MetricFamily* Exposition::Find(std::string_view name) const {
  for (const MetricFamily& family : families) {
    if (family.name == name) return &family;
  }
  return nullptr;
}

Exposition ReadExposition(std::string_view text) { return Reader().Read(text); }

}  // namespace leash::testing
