#include "verify/starvation.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace leash::verify::internal {
namespace {

// The second number of /proc/self/task/TID/schedstat: time spent on a run queue.
template <class Fn>
void ForEachThread(Fn fn) {
  DIR* tasks = opendir("/proc/self/task");
  if (tasks == nullptr) return;
  while (const dirent* entry = readdir(tasks)) {
    const int tid = std::atoi(entry->d_name);
    if (tid <= 0) continue;
    const std::string path = std::string("/proc/self/task/") + entry->d_name + "/schedstat";
    const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) continue;
    char text[128];
    const ssize_t n = read(fd, text, sizeof(text) - 1);
    close(fd);
    if (n <= 0) continue;
    text[n] = '\0';
    long long ran = 0, waited = 0;
    if (std::sscanf(text, "%lld %lld", &ran, &waited) == 2) fn(tid, int64_t{waited});
  }
  closedir(tasks);
}

}  // namespace

void Starvation::Restart() {
  since_.clear();
  ForEachThread([&](int tid, int64_t waited) { since_[tid] = waited; });
}

int64_t Starvation::Longest() const {
  int64_t longest = 0;
  ForEachThread([&](int tid, int64_t waited) {
    const auto it = since_.find(tid);
    longest = std::max(longest, waited - (it == since_.end() ? 0 : it->second));
  });
  return longest;
}

}  // namespace leash::verify::internal
