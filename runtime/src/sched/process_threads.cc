#include "sched/process_threads.h"

#include <cstdlib>
#include <string_view>

#include "sched/raw_syscall.h"

namespace leash::rt {
namespace {

constexpr int kThreadsField = 20;  // num_threads in proc(5)

}  // namespace

int CountProcessThreads() {
  const int fd = raw::OpenToRead("/proc/self/stat");
  if (fd < 0) return -1;
  char text[1024];  // some 300 are used
  const ssize_t n = raw::Read(fd, text, sizeof(text) - 1);
  raw::Close(fd);
  if (n <= 0) return -1;
  text[n] = '\0';
  // The second field is the program's name in parentheses: it may have any in itself.
  const std::string_view stat(text, static_cast<size_t>(n));
  size_t at = stat.rfind(')');
  for (int field = 2; field < kThreadsField && at != std::string_view::npos; ++field) {
    at = stat.find(' ', at + 1);
  }
  if (at == std::string_view::npos) return -1;
  const long threads = std::strtol(text + at + 1, nullptr, 10);
  return threads > 0 ? static_cast<int>(threads) : -1;
}

}  // namespace leash::rt
