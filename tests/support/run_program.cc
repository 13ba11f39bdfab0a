// Programs run by tests: posix_spawn, because the test itself has threads and a fork of it may not
// allocate; a process group of its own, so that what it starts dies with it.

#include "support/run_program.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <utility>

#include "absl/time/clock.h"

namespace leash::testing {
namespace {

// How long a program that is out of time may write about it before it is killed.
constexpr absl::Duration kLastWords = absl::Seconds(10);

[[noreturn]] void Die(const std::string& program, int error) {
  std::fprintf(stderr, "run %s: %s\n", program.c_str(), strerror(error));
  std::abort();
}

struct Pipe {
  int read = -1, write = -1;
};

Pipe MakePipe(const std::string& program) {
  int fds[2];
  if (pipe2(fds, O_CLOEXEC) != 0) Die(program, errno);
  return {fds[0], fds[1]};
}

void CloseFd(int* fd) {
  if (*fd >= 0) close(*fd);
  *fd = -1;
}

std::vector<std::string> Environment(const std::vector<std::string>& changes) {
  std::map<std::string, std::string> values;
  for (char** e = environ; *e != nullptr; ++e) {
    const std::string_view entry = *e;
    const size_t equals = entry.find('=');
    if (equals == entry.npos || entry.substr(0, 6) == "LEASH_") continue;
    values.emplace(entry.substr(0, equals), entry.substr(equals + 1));
  }
  for (const std::string& change : changes) {
    const size_t equals = change.find('=');
    if (equals == change.npos) {
      values.erase(change);
    } else {
      values[change.substr(0, equals)] = change.substr(equals + 1);
    }
  }
  std::vector<std::string> entries;
  for (const auto& [key, value] : values) entries.push_back(key + "=" + value);
  return entries;
}

// What this build made, when it is for another processor: its emulator runs it.
void Emulate([[maybe_unused]] std::vector<std::string>* argv) {
#ifdef LEASH_EMULATOR
  if (argv->front().rfind(LEASH_BINARY_DIR "/", 0) != 0) return;
  argv->insert(argv->begin(), {LEASH_EMULATOR});
#endif
}

std::vector<char*> Pointers(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (std::string& s : strings) pointers.push_back(s.data());
  pointers.push_back(nullptr);
  return pointers;
}

// Appends what can be read now, and says whether there was anything. Closes the pipe at its end.
bool Drain(int* fd, std::string* to) {
  char buffer[64 << 10];
  const ssize_t n = read(*fd, buffer, sizeof(buffer));
  if (n > 0) {
    to->append(buffer, static_cast<size_t>(n));
    return true;
  }
  if (n == 0 || (errno != EAGAIN && errno != EINTR)) CloseFd(fd);
  return false;
}

// The rest of the line after `text`, if that line is whole.
std::optional<std::string> RestOfLine(const std::string& output, std::string_view text) {
  const size_t at = output.find(text);
  if (at == output.npos) return std::nullopt;
  const size_t begin = at + text.size();
  const size_t end = output.find('\n', begin);
  if (end == output.npos) return std::nullopt;
  return output.substr(begin, end - begin);
}

}  // namespace

Program::Program(std::vector<std::string> argv, ProgramOptions options)
    : name_(argv.at(0)),
      input_(std::move(options.input)),
      deadline_(absl::Now() + options.timeout) {
  Emulate(&argv);
  Pipe in = MakePipe(name_), out = MakePipe(name_), err = MakePipe(name_);

  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, in.read, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&files, out.write, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&files, err.write, STDERR_FILENO);
  if (!options.directory.empty()) {
    posix_spawn_file_actions_addchdir_np(&files, options.directory.c_str());
  }

  // No blocked signal and no ignored one is inherited: programs under test decide that themselves.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none, defaults;
  sigemptyset(&none);
  sigemptyset(&defaults);
  for (int s : {SIGQUIT, SIGINT, SIGTERM, SIGPIPE, SIGSEGV, SIGBUS}) sigaddset(&defaults, s);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);

  std::vector<std::string> environment = Environment(options.env);
  const int error = posix_spawnp(&pid_, argv[0].c_str(), &files, &attributes, Pointers(argv).data(),
                                 Pointers(environment).data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  if (error != 0) Die(name_, error);
  process_ = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));
  if (process_ < 0) Die(name_, errno);

  close(in.read);
  close(out.write);
  close(err.write);
  in_ = in.write;
  out_ = out.read;
  err_ = err.read;
  for (int fd : {in_, out_, err_}) fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
  signal(SIGPIPE, SIG_IGN);  // a program may end before it has read its input
}

Program::~Program() {
  if (process_ >= 0) Reap();
  CloseFd(&in_);
  CloseFd(&out_);
  CloseFd(&err_);
}

int Program::Reap() {
  // Until it is waited for, its id and so its group's cannot be given to anyone else.
  KillGroup(SIGKILL);
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  CloseFd(&process_);
  return status;
}

void Program::KillGroup(int signal) const { kill(-pid_, signal); }

void Program::Signal(int signal) const {
  if (process_ >= 0) kill(pid_, signal);
}

template <class Until>
bool Program::Pump(Until until) {
  absl::Time deadline = deadline_;
  while (!until()) {
    if (input_written_ == input_.size()) CloseFd(&in_);
    const absl::Duration left = deadline - absl::Now();
    if (left <= absl::ZeroDuration()) {
      if (result_.timed_out) return false;
      result_.timed_out = true;
      KillGroup(SIGQUIT);
      deadline = absl::Now() + kLastWords;
      continue;
    }
    pollfd fds[] = {{in_, POLLOUT, 0}, {out_, POLLIN, 0}, {err_, POLLIN, 0}, {process_, POLLIN, 0}};
    const int64_t ms = std::min<int64_t>(absl::ToInt64Milliseconds(left) + 1, 60'000);
    if (poll(fds, 4, static_cast<int>(ms)) <= 0) continue;
    if (fds[0].revents != 0) {
      const ssize_t n = write(in_, input_.data() + input_written_, input_.size() - input_written_);
      if (n > 0) input_written_ += static_cast<size_t>(n);
      if (n < 0 && errno != EAGAIN && errno != EINTR) input_written_ = input_.size();
    }
    bool moved = false;
    if (fds[1].revents != 0) moved |= Drain(&out_, &result_.out);
    if (fds[2].revents != 0) moved |= Drain(&err_, &result_.err);
    // It has ended and all that it wrote is here; who else holds the pipes is not waited for.
    if (fds[3].revents != 0 && !moved) return until();
  }
  return true;
}
std::optional<std::string> Program::WaitForOutput(std::string_view text) {
  std::optional<std::string> rest;
  Pump([&] {
    rest = RestOfLine(result_.out, text);
    if (!rest) rest = RestOfLine(result_.err, text);
    return rest.has_value();
  });
  return rest;
}

ProgramResult Program::Wait() {
  Pump([] { return false; });
  const int status = Reap();
  if (WIFSIGNALED(status)) {
    result_.signal = WTERMSIG(status);
    result_.status = 128 + result_.signal;
  } else {
    result_.status = WEXITSTATUS(status);
  }
  return std::move(result_);
}

ProgramResult RunProgram(std::vector<std::string> argv, ProgramOptions options) {
  return Program(std::move(argv), std::move(options)).Wait();
}

ProgramResult RunProgram(std::vector<std::string> argv, std::vector<std::string> env) {
  ProgramOptions options;
  options.env = std::move(env);
  return RunProgram(std::move(argv), std::move(options));
}

std::string LeashBinary(std::string_view relative) {
  return std::string(LEASH_BINARY_DIR) + "/" + std::string(relative);
}

std::string LeashSource(std::string_view relative) {
  return std::string(LEASH_SOURCE_DIR) + "/" + std::string(relative);
}

}  // namespace leash::testing
