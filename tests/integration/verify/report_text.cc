#include "integration/verify/report_text.h"

#include <filesystem>

#include "support/golden.h"

namespace leash::testing {

std::string Normalized(std::string text) {
  // ccache with a base_dir has the compiler name sources as seen from where it runs.
  for (const std::string& source :
       {LeashSource(""),
        (std::filesystem::relative(LeashSource(""), LeashBinary("")) / "").string()}) {
    for (size_t at; (at = text.find(source)) != text.npos;) text.erase(at, source.size());
  }
  text = Scrub(std::move(text), "    leash::[^\n]*\n", "");
  text = Scrub(std::move(text), "([^ \n]) {2,}([^ \n]+:[0-9]+\n)", "$1  $2");
  text = Scrub(std::move(text), "(goroutines? |goroutines [N, ]*, )(?!1\\b)[0-9]+", "$1N");
  text = Scrub(std::move(text), "N, [0-9]+, [0-9]+", "N, N, N");
  text = Scrub(std::move(text), "N, [0-9]+", "N, N");
  text = Scrub(std::move(text), "(waiting|so for) [0-9][^\n]*", "$1 T");
  text = Scrub(std::move(text), "\\([0-9]+ ms( total)?\\)", "(T ms$1)");
  return text;
}

std::string Between(std::string_view text, std::string_view from, std::string_view to) {
  const size_t begin = text.find(from);
  if (begin == text.npos) return "";
  const size_t end = text.find(to, begin + from.size());
  if (end == text.npos) return "";
  return std::string(text.substr(begin, end + to.size() - begin));
}

ProgramResult RunTests(std::string_view program, std::string_view filter,
                       std::vector<std::string> arguments, std::vector<std::string> env) {
  std::vector<std::string> argv = {
      LeashBinary("tests/integration/verify/" + std::string(program)),
      "--gtest_color=no",
      "--gtest_filter=" + std::string(filter),
  };
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  for (const char* variable :
       {"GTEST_TOTAL_SHARDS", "GTEST_SHARD_INDEX", "GTEST_SHARD_STATUS_FILE", "GTEST_OUTPUT"}) {
    const std::string prefix = std::string(variable) + "=";
    bool given = false;
    for (const std::string& entry : env) given = given || entry.starts_with(prefix);
    if (!given) env.emplace_back(variable);
  }
  ProgramOptions options;
  options.env = std::move(env);
  return RunProgram(std::move(argv), std::move(options));
}

}  // namespace leash::testing
