// The quota's files: https://docs.kernel.org/admin-guide/cgroup-v2.html (cpu.max) and
// https://docs.kernel.org/scheduler/sched-bwc.html (v1). Read with open and read only: this runs
// when the runtime starts, which may be before main.

#include "base/cpus.h"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace leash::rt {
namespace {

constexpr size_t kPathMax = 1024;

// The file's first bytes, zero-terminated; false if it cannot be read.
bool ReadFile(const char* path, char* buffer, size_t size) {
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  size_t used = 0;
  while (used + 1 < size) {
    const ssize_t n = read(fd, buffer + used, size - 1 - used);
    if (n <= 0) break;
    used += static_cast<size_t>(n);
  }
  close(fd);
  buffer[used] = '\0';
  return true;
}

// Joins up to four parts into `out`; false if they do not fit.
bool Join(char* out, std::string_view a, std::string_view b, std::string_view c = {},
          std::string_view d = {}) {
  size_t used = 0;
  for (std::string_view part : {a, b, c, d}) {
    if (used + part.size() + 1 > kPathMax) return false;
    used += part.copy(out + used, part.size());
  }
  out[used] = '\0';
  return true;
}

// Quota and period in microseconds -> processors, rounded up; 0 for none.
int Processors(int64_t quota, int64_t period) {
  if (quota <= 0 || period <= 0) return 0;
  return static_cast<int>((quota + period - 1) / period);
}

int Tighter(int a, int b) {
  if (a == 0) return b;
  if (b == 0) return a;
  return a < b ? a : b;
}

int QuotaV2(std::string_view mount, std::string_view group) {
  char path[kPathMax];
  char text[128];
  if (!Join(path, mount, group, "/cpu.max") || !ReadFile(path, text, sizeof(text))) return 0;
  char* end = nullptr;
  const int64_t quota = std::strtoll(text, &end, 10);  // "max" reads as 0
  if (end == text) return 0;
  return Processors(quota, std::strtoll(end, nullptr, 10));
}

int QuotaV1(std::string_view mount, std::string_view group) {
  char path[kPathMax];
  char quota[64];
  char period[64];
  if (!Join(path, mount, group, "/cpu.cfs_quota_us") || !ReadFile(path, quota, sizeof(quota))) {
    return 0;
  }
  if (!Join(path, mount, group, "/cpu.cfs_period_us") || !ReadFile(path, period, sizeof(period))) {
    return 0;
  }
  return Processors(std::strtoll(quota, nullptr, 10), std::strtoll(period, nullptr, 10));
}

// The tightest quota from `group` up to the mount's root. Inside a container the group's own path
// is not visible below the mount: its root is looked at in any case.
int Tightest(std::string_view mount, std::string_view group,
             int (*quota)(std::string_view, std::string_view)) {
  int best = 0;
  while (group.size() > 1) {
    best = Tighter(best, quota(mount, group));
    group = group.substr(0, group.rfind('/'));
  }
  return Tighter(best, quota(mount, ""));
}

}  // namespace

int AffinityCpus() {
  // The mask may be larger than cpu_set_t on big machines.
  for (int cpus = 1024; cpus <= 1 << 17; cpus *= 2) {
    cpu_set_t* set = CPU_ALLOC(cpus);
    if (set == nullptr) return 1;
    const size_t size = CPU_ALLOC_SIZE(cpus);
    CPU_ZERO_S(size, set);
    const int rc = sched_getaffinity(0, size, set);
    const int n = rc == 0 ? CPU_COUNT_S(size, set) : 0;
    CPU_FREE(set);
    if (rc == 0) return n > 0 ? n : 1;
  }
  return 1;
}

int CgroupCpusAt(const char* proc_self, const char* sys_fs_cgroup) {
  char path[kPathMax];
  char text[8192];
  if (!Join(path, proc_self, "/cgroup") || !ReadFile(path, text, sizeof(text))) return 0;
  int best = 0;
  std::string_view rest = text;
  while (!rest.empty()) {
    const size_t newline = rest.find('\n');
    const std::string_view line = rest.substr(0, newline);
    rest = newline == std::string_view::npos ? std::string_view() : rest.substr(newline + 1);
    // "0::/group" (v2) or "4:cpu,cpuacct:/group" (v1).
    const size_t first = line.find(':');
    if (first == std::string_view::npos) continue;
    const size_t second = line.find(':', first + 1);
    if (second == std::string_view::npos) continue;
    const std::string_view controllers = line.substr(first + 1, second - first - 1);
    const std::string_view group = line.substr(second + 1);
    if (controllers.empty()) {
      best = Tighter(best, Tightest(sys_fs_cgroup, group, QuotaV2));
    } else if (controllers == "cpu" || controllers.starts_with("cpu,") ||
               controllers.ends_with(",cpu") || controllers.find(",cpu,") != controllers.npos) {
      char mount[kPathMax];
      if (Join(mount, sys_fs_cgroup, "/cpu")) best = Tighter(best, Tightest(mount, group, QuotaV1));
    }
  }
  return best == 1 ? 2 : best;
}

int CgroupCpus() { return CgroupCpusAt("/proc/self", "/sys/fs/cgroup"); }

}  // namespace leash::rt
