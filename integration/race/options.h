// LEASH_RACE_OPTIONS: what Go's GORACE is, with the same keys.

#ifndef LEASH_INTEGRATION_RACE_OPTIONS_H_
#define LEASH_INTEGRATION_RACE_OPTIONS_H_

#include <string_view>

namespace leash::race {

struct Options {
  int exitcode = 66;
  bool halt_on_error = false;
  int history_size = -1;  // of ThreadSanitizer; -1: its own choice
  int atexit_sleep_ms = 0;
  std::string_view log_path;           // empty or "stderr", "stdout", or a path without ".PID"
  std::string_view strip_path_prefix;  // taken off the files of frames
};

// What could not be read: an item of the text, and what is wanted instead. Empty: nothing.
struct OptionsError {
  std::string_view item;
  std::string_view want;
};

// ParseOptions()
//
// Reads "key=value key=value". `text` must outlive the options. Allocates nothing: it runs before
// anything is initialised.
OptionsError ParseOptions(std::string_view text, Options* options);

// ProgramOptions()
//
// Those of this process; constant once ThreadSanitizer is up.
const Options& ProgramOptions();

}  // namespace leash::race

#endif  // LEASH_INTEGRATION_RACE_OPTIONS_H_
