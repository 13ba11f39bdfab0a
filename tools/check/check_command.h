// `leash check`: the clang-tidy checks of leash over a compilation database, for people and for CI.
// `leash explain`: what a check or a wait reason means.

#ifndef LEASH_TOOLS_CHECK_CHECK_COMMAND_H_
#define LEASH_TOOLS_CHECK_CHECK_COMMAND_H_

namespace CLI {
class App;
}  // namespace CLI

namespace leash::tools {

// Adds the subcommand. When it is the one that is run, sets `*exit_status`: 0 nothing found, 1
// findings, 2 something that had to be checked could not be.
void AddCheckCommand(CLI::App& app, int* exit_status);

// Adds the subcommand. Status 2: no such name.
void AddExplainCommand(CLI::App& app, int* exit_status);

}  // namespace leash::tools

#endif  // LEASH_TOOLS_CHECK_CHECK_COMMAND_H_
