#include "bench/measure.h"

#include <errno.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>

namespace leash::bench {
namespace {

Times Clocks() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  const auto nanoseconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) * 1e9 + static_cast<double>(t.tv_usec) * 1e3;
  };
  const auto wall = std::chrono::steady_clock::now().time_since_epoch();
  return {std::chrono::duration<double, std::nano>(wall).count(),
          nanoseconds(usage.ru_utime) + nanoseconds(usage.ru_stime)};
}

}  // namespace

Lap::Lap() : begin_(Clocks()) {}

Times Lap::Read() const {
  const Times now = Clocks();
  return {now.wall_ns - begin_.wall_ns, now.cpu_ns - begin_.cpu_ns};
}

int64_t Run::Scaled(int64_t full) const {
  return std::max<int64_t>(1, std::llround(static_cast<double>(full) * scale_));
}

void Run::Report(std::string_view name, double value, std::string_view unit) {
  figures_.push_back({std::string(name), value, std::string(unit)});
}

void Run::ReportPerOp(std::string_view name, Times times, int64_t ops, std::string_view what) {
  const double n = static_cast<double>(ops);
  Report(name, times.wall_ns / n, std::string("ns/").append(what));
  Report(std::string(name) + "/cpu", times.cpu_ns / n, std::string("cpu-ns/").append(what));
}

void Run::ReportMillis(std::string_view name, Times times) {
  Report(name, times.wall_ns / 1e6, "ms");
  Report(std::string(name) + "/cpu", times.cpu_ns / 1e6, "cpu-ms");
}

void Require(bool ok, std::string_view what) {
  if (ok) return;
  std::fprintf(stderr, "%s: %.*s\n", program_invocation_short_name, static_cast<int>(what.size()),
               what.data());
  std::_Exit(1);
}

Memory ReadMemory() {
  Memory memory = {};
  std::ifstream status("/proc/self/status");
  for (std::string key; status >> key;) {
    int64_t kib = 0;
    if (key == "VmRSS:" && status >> kib) memory.rss_bytes = kib * 1024;
    if (key == "VmPTE:" && status >> kib) memory.page_table_bytes = kib * 1024;
    if (key == "VmHWM:" && status >> kib) memory.peak_rss_bytes = kib * 1024;
    status.clear();
    status.ignore(4096, '\n');
  }
  Require(memory.rss_bytes > 0 && memory.page_table_bytes > 0 && memory.peak_rss_bytes > 0,
          "/proc/self/status: want VmRSS, VmPTE and VmHWM");
  return memory;
}

void ReportMemory(Run& run, const std::string& prefix, const Memory& before, const Memory& after,
                  int64_t n) {
  const int64_t rss = after.rss_bytes - before.rss_bytes;
  const int64_t page_tables = after.page_table_bytes - before.page_table_bytes;
  const auto per_goroutine = [n](int64_t bytes) {
    return static_cast<double>(bytes) / static_cast<double>(n);
  };
  run.Report(prefix + "/rss", per_goroutine(rss), "bytes/goroutine");
  run.Report(prefix + "/vmpte", per_goroutine(page_tables), "bytes/goroutine");
  run.Report(prefix + "/rss+vmpte", per_goroutine(rss + page_tables), "bytes/goroutine");
}

int64_t PowerOfTenAtMost(int64_t n) {
  int64_t power = 1;
  while (power <= n / 10) power *= 10;
  return power;
}

void Print(const std::vector<Figure>& figures) {
  for (const Figure& figure : figures) {
    std::printf("%s %.3f %s\n", figure.name.c_str(), figure.value, figure.unit.c_str());
  }
}

}  // namespace leash::bench
