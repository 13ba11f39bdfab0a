// The program leash: subcommands, and what they have in common.
//
// Exit status: 0 nothing wrong, 1 findings, 2 bad use or unreadable input, with one line that says
// what was wanted.

#include <CLI/CLI.hpp>
#include <iostream>
#include <string>

#include "dump/dump_command.h"
#ifdef LEASH_HAS_CHECK
#include "check/check_command.h"
#endif

namespace {

constexpr char kFooter[] =
    R"(Exit status: 0 nothing wrong, 1 findings, 2 bad use or unreadable input.
`leash COMMAND --help` says more about each command.)";

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("leash: what the goroutines of a program are doing, and which of them are stuck.",
               "leash");
  app.set_version_flag("--version", "leash " LEASH_VERSION);
  app.set_help_flag("-h,--help", "Print this help and exit");
  app.footer(kFooter);
  app.require_subcommand(1);

  int status = 0;
  leash::tools::AddDumpCommand(app, &status);
#ifdef LEASH_HAS_CHECK
  leash::tools::AddCheckCommand(app, &status);
  leash::tools::AddExplainCommand(app, &status);
#endif

  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& e) {  // --help, --version
    return app.exit(e);
  } catch (const CLI::ParseError& e) {
    std::string command = "leash";
    for (const CLI::App* sub : app.get_subcommands()) command += " " + sub->get_name();
    std::cerr << command << ": " << e.what() << "; see " << command << " --help\n";
    return 2;
  }
  return status;
}
