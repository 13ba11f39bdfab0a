// leash explain: the page of a check, or the section of a wait reason.

#include <CLI/CLI.hpp>
#include <iostream>
#include <string>
#include <vector>

#include "check/check_command.h"
#include "check/embedded_docs.h"
#include "check/markdown_page.h"

namespace leash::tools {
namespace {

// "[chan send, 2 minutes]" as it stands in a dump: the reason is what comes before the comma.
std::string WithoutBrackets(std::string text) {
  if (!text.empty() && text.front() == '[') text.erase(0, 1);
  if (!text.empty() && text.back() == ']') text.pop_back();
  return text.substr(0, text.find(','));
}

// `name` with nothing but one line end behind it.
std::string Trimmed(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  text.erase(0, text.find_first_not_of('\n'));
  return text + "\n";
}

int Explain(const std::string& name) {
  if (const std::string* page = EmbeddedCheckPage(name)) {
    std::cout << Trimmed(RenderPage(*page));
    return 0;
  }
  const std::string reason = WithoutBrackets(name);
  const std::vector<Section> sections = PageSections(EmbeddedWaitReasons());
  for (const Section& section : sections) {
    if (section.title != reason) continue;
    std::cout << section.title << "\n\n" << Trimmed(RenderPage(section.body));
    return 0;
  }
  std::cerr << "leash explain: '" << name << "' is neither a check nor a wait reason; want one of:";
  const char* separator = " ";
  for (const std::string& check : EmbeddedCheckNames()) {
    std::cerr << separator << "leash-" << check;
    separator = ", ";
  }
  for (const Section& section : sections) std::cerr << separator << '"' << section.title << '"';
  std::cerr << "\n";
  return 2;
}

}  // namespace

void AddExplainCommand(CLI::App& app, int* exit_status) {
  auto* command = app.add_subcommand(
      "explain", "What a check or a wait reason means, with a bad and a good example");
  // Not as an option of the command: CLI11 would read "[chan send, 2 minutes]" as a list.
  command->allow_extras();
  command->footer("NAME: leash-add-inside-goroutine, \"chan send\", ...");
  command->callback([command, exit_status] {
    // `leash explain chan send` means the same as with quotes.
    std::string name;
    for (const std::string& word : command->remaining()) name += (name.empty() ? "" : " ") + word;
    *exit_status = Explain(name);
  });
}

}  // namespace leash::tools
