// A program that is run to its end, and what it said.

#ifndef LEASH_TOOLS_CHECK_PROCESS_H_
#define LEASH_TOOLS_CHECK_PROCESS_H_

#include <string>
#include <vector>

namespace leash::tools {

struct ProcessResult {
  int status = -1;     // exit status, 128 + signal, or -1: could not be started
  std::string output;  // stdout and stderr together; the reason if it could not be started
};

// Runs argv[0], searched in PATH when it has no slash, in `directory` ("" is the caller's). Its
// standard input is empty. Safe to call from several threads at the same time.
ProcessResult RunProcess(const std::vector<std::string>& argv, const std::string& directory = "");

}  // namespace leash::tools

#endif  // LEASH_TOOLS_CHECK_PROCESS_H_
