// What ThreadSanitizer is told about itself, before it has initialised anything: no allocation, no
// libc function that it intercepts, no getenv (the environment is not there yet).

#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cstdint>
#include <iterator>
#include <string_view>

#include "race/options.h"

namespace leash::race {
namespace {

constexpr std::string_view kVariable = "LEASH_RACE_OPTIONS";

constinit Options options;
constinit char variable_text[2048] = {};
constinit char flags[512] = {};

// Reads the environment as the process was given it.
class Environment {
 public:
  Environment()
      : fd_(static_cast<int>(
            syscall(SYS_openat, AT_FDCWD, "/proc/self/environ", O_RDONLY | O_CLOEXEC))) {}
  ~Environment() {
    if (fd_ >= 0) syscall(SYS_close, fd_);
  }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

  // The next "NAME=value", cut to what has room here. False: there is none.
  bool Next(std::string_view* entry) {
    size_t n = 0;
    int c = NextByte();
    if (c < 0) return false;
    for (; c > 0; c = NextByte()) {
      if (n < sizeof(entry_)) entry_[n++] = static_cast<char>(c);
    }
    *entry = std::string_view(entry_, n);
    return true;
  }

 private:
  int NextByte() {
    if (at_ == end_) {
      const int64_t n = fd_ < 0 ? 0 : syscall(SYS_read, fd_, buffer_, sizeof(buffer_));
      if (n <= 0) return -1;
      at_ = 0;
      end_ = static_cast<size_t>(n);
    }
    return static_cast<unsigned char>(buffer_[at_++]);
  }

  const int fd_;
  size_t at_ = 0, end_ = 0;
  char buffer_[1024];
  char entry_[sizeof(variable_text) + kVariable.size() + 1];
};

class FlagWriter {
 public:
  void Add(std::string_view name, int value) {
    Append(name);
    Append("=");
    char digits[12];
    size_t n = 0;
    do {
      digits[n++] = static_cast<char>('0' + value % 10);
      value /= 10;
    } while (value != 0);
    while (n > 0) Append(std::string_view(&digits[--n], 1));
    Append(":");
  }

 private:
  void Append(std::string_view text) {
    for (char c : text) {
      if (at_ + 1 < sizeof(flags)) flags[at_++] = c;
    }
  }
  size_t at_ = 0;
};

// By system calls: write(2) is not there yet either.
[[noreturn]] void Reject(const OptionsError& error) {
  const std::string_view parts[] = {
      "leash: environment: ", kVariable, ": ", error.item, ": want ", error.want, "\n"};
  iovec line[std::size(parts)];
  for (size_t i = 0; i < std::size(parts); ++i) {
    line[i] = {const_cast<char*>(parts[i].data()), parts[i].size()};
  }
  syscall(SYS_writev, 2, line, std::size(parts));
  for (;;) syscall(SYS_exit_group, 2);
}

const char* MakeFlags() {
  bool suppressions = false;
  Environment environment;
  for (std::string_view entry; environment.Next(&entry);) {
    const size_t equals = entry.find('=');
    if (equals == entry.npos) continue;
    const std::string_view name = entry.substr(0, equals), value = entry.substr(equals + 1);
    if (name == "TSAN_OPTIONS") suppressions = value.find("suppressions=") != value.npos;
    if (name != kVariable) continue;
    size_t n = 0;
    for (char c : value) variable_text[n++] = c;
    const OptionsError error = ParseOptions(std::string_view(variable_text, n), &options);
    if (!error.want.empty()) Reject(error);
  }
  FlagWriter out;
  out.Add("exitcode", options.exitcode);
  out.Add("atexit_sleep_ms", options.atexit_sleep_ms);
  if (options.history_size >= 0) out.Add("history_size", options.history_size);
  // A goroutine may unlock what another has locked, so locks are told to it as plain edges.
  out.Add("detect_deadlocks", 0);
  out.Add("second_deadlock_stack", 1);
  out.Add("die_after_fork", 0);
  // No race; and the report would allocate in the handler in its turn.
  out.Add("report_signal_unsafe", 0);
  // The runtime's threads live as long as the process.
  out.Add("report_thread_leaks", 0);
  // The reports' names are found by leash. Its own symbolizer, a child process, is wanted only
  // where frames are compared with a list of names.
  out.Add("symbolize", suppressions ? 1 : 0);
  out.Add("symbolize_inline_frames", 0);
  return flags;
}

}  // namespace

const Options& ProgramOptions() { return options; }

}  // namespace leash::race

extern "C" const char* __tsan_default_options() { return leash::race::MakeFlags(); }
