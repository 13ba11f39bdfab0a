// leash dump: the goroutines of a process or a file, grouped.

#ifndef LEASH_TOOLS_DUMP_DUMP_COMMAND_H_
#define LEASH_TOOLS_DUMP_DUMP_COMMAND_H_

#include <CLI/App.hpp>

namespace leash::tools {

// Adds the subcommand to `app`; when it has run, `*status` is its exit status.
void AddDumpCommand(CLI::App& app, int* status);

}  // namespace leash::tools

#endif  // LEASH_TOOLS_DUMP_DUMP_COMMAND_H_
