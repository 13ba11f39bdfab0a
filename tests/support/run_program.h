// Programs run by tests: started with their own environment, fed, watched and collected.
//
//     const ProgramResult r = RunProgram({LeashBinary("tools/leash"), "dump", "missing.txt"});
//     EXPECT_EQ(r.status, 2);
//     EXPECT_EQ(r.err, "leash: read missing.txt: no such file\n");
//
// A program that outlives its time first gets SIGQUIT, so that what it was stuck in is in `err`.

#ifndef LEASH_TESTS_SUPPORT_RUN_PROGRAM_H_
#define LEASH_TESTS_SUPPORT_RUN_PROGRAM_H_

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"

namespace leash::testing {

struct ProgramOptions {
  // "KEY=VALUE" adds or replaces, "KEY" removes. The rest is the test's own environment, without
  // any LEASH_* of it: how the test itself is run must not change what it starts.
  std::vector<std::string> env;
  // All of its standard input.
  std::string input;
  // Where it runs; empty: where the test does.
  std::string directory;
  // Then it is killed, with everything that it started.
  absl::Duration timeout = absl::Minutes(2);
};

struct ProgramResult {
  int status = -1;  // the exit status, or 128 + the signal that ended it, as a shell says it
  int signal = 0;   // the signal that ended it
  bool timed_out = false;
  std::string out;
  std::string err;
};

// Program
//
// A program that runs beside the test. Killed and waited for when it goes out of scope.
// Use from one thread.
class Program {
 public:
  // Program::Program()
  //
  // Starts argv[0], searched in PATH when it has no slash. Ends the test program when it cannot be
  // started: "run PROGRAM: REASON".
  explicit Program(std::vector<std::string> argv, ProgramOptions options = {});
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  ~Program();

  pid_t pid() const { return pid_; }

  // Program::WaitForOutput()
  //
  // Blocks until `text` stands in what it has written to stdout and stderr so far, and returns the
  // rest of the line after it. nullopt when it ends, or its time does, without.
  std::optional<std::string> WaitForOutput(std::string_view text);

  // Program::Signal()
  void Signal(int signal) const;

  // Program::Wait()
  //
  // Blocks until it has ended, and returns all of its output. What it left running is killed.
  // Once only.
  ProgramResult Wait();

 private:
  // Moves input and output until `until` is true or both outputs are at their end. False: time is
  // up.
  template <class Until>
  bool Pump(Until until);
  void KillGroup(int signal) const;
  // Kills what is left of it and its children, and returns its wait status.
  int Reap();

  const std::string name_;
  const std::string input_;
  const absl::Time deadline_;
  size_t input_written_ = 0;
  pid_t pid_ = -1;
  int process_ = -1;  // a pidfd, until it is reaped
  int in_ = -1, out_ = -1, err_ = -1;
  ProgramResult result_;
};

// RunProgram()
//
// Starts it and waits for its end.
ProgramResult RunProgram(std::vector<std::string> argv, ProgramOptions options = {});

// The same with no more than changes of the environment.
ProgramResult RunProgram(std::vector<std::string> argv, std::vector<std::string> env);

// LeashBinary(), LeashSource()
//
// The path of something in this build's tree, and in the source tree.
std::string LeashBinary(std::string_view relative);
std::string LeashSource(std::string_view relative);

}  // namespace leash::testing

#endif  // LEASH_TESTS_SUPPORT_RUN_PROGRAM_H_
