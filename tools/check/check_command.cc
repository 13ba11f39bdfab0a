// leash check: one clang-tidy for each file, as many at a time as there are processors.

#include "check/check_command.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "check/clang_tidy.h"
#include "check/compile_database.h"
#include "check/embedded_docs.h"
#include "check/finding.h"
#include "check/writers.h"

namespace leash::tools {
namespace {

struct CheckOptions {
  std::string build;
  std::vector<std::string> files;
  std::string format = "text";
  std::string checks = "leash-*";
  std::vector<std::string> options;
  std::string module;
  std::string clang_tidy = "clang-tidy-19";
  std::string header_filter;
  int jobs = 0;
};

// One line on stderr, only where a person sees it being rewritten.
class Progress {
 public:
  explicit Progress(size_t total) : total_(total), shown_(isatty(STDERR_FILENO) == 1) {}
  void Report(size_t done, const std::string& file) {
    if (!shown_) return;
    std::cerr << "\r\033[K[" << done << "/" << total_ << "] " << file << std::flush;
  }
  void Clear() {
    if (shown_) std::cerr << "\r\033[K" << std::flush;
  }

 private:
  const size_t total_;
  const bool shown_;
};

int Fail(const std::string& what) {
  std::cerr << "leash check: " << what << "\n";
  return 2;
}

// "Presets=std" is meant for every check, "leash-x.Presets=std" for one.
bool ParseOptions(const std::vector<std::string>& given, ClangTidy* tidy, std::string* error) {
  for (const std::string& option : given) {
    const size_t equals = option.find('=');
    if (equals == std::string::npos || equals == 0) {
      *error = "--option '" + option + "': want NAME=VALUE";
      return false;
    }
    const std::string name = option.substr(0, equals);
    const std::string value = option.substr(equals + 1);
    if (name.find('.') != std::string::npos) {
      tidy->options.emplace_back(name, value);
      continue;
    }
    for (const std::string& check : EmbeddedCheckNames()) {
      tidy->options.emplace_back("leash-" + check + "." + name, value);
    }
  }
  return true;
}

// The files to check. What is asked for and is not in the database is said to be so: its flags are
// not known, and to leave it out in silence would be to call it clean.
std::vector<std::string> Choose(const CheckOptions& options, const CompileDatabase& database,
                                std::vector<std::string>* errors) {
  if (options.files.empty()) return database.files;
  const std::set<std::string> known(database.files.begin(), database.files.end());
  std::vector<std::string> chosen;
  for (const std::string& file : options.files) {
    std::error_code ignored;
    const std::string real = RealPath(file);
    if (!std::filesystem::exists(real, ignored)) {
      errors->push_back(file + ": no such file");
    } else if (known.count(real) == 0) {
      errors->push_back(file + ": not in " + database.directory + "/compile_commands.json");
    } else if (std::find(chosen.begin(), chosen.end(), real) == chosen.end()) {
      chosen.push_back(real);
    }
  }
  return chosen;
}

std::vector<FileResult> CheckFiles(const ClangTidy& tidy, const std::vector<std::string>& files,
                                   size_t jobs) {
  std::vector<FileResult> results(files.size());
  std::atomic<size_t> next{0};
  std::mutex mu;
  size_t done = 0;  // guarded by mu
  Progress progress(files.size());
  const auto work = [&] {
    for (size_t i; (i = next.fetch_add(1)) < files.size();) {
      results[i] = CheckFile(tidy, files[i]);
      const std::lock_guard<std::mutex> lock(mu);
      progress.Report(++done, files[i]);
    }
  };
  std::vector<std::thread> workers;
  for (size_t i = 1; i < std::min(jobs, files.size()); ++i) workers.emplace_back(work);
  work();
  for (std::thread& worker : workers) worker.join();
  progress.Clear();
  return results;
}

// Findings in the program's own files: a header of a library, which the header filter lets through
// as everything, is not for this program to mend.
std::vector<Finding> OwnFindings(std::vector<FileResult>* results, const CheckOptions& options,
                                 const CompileDatabase& database,
                                 const std::vector<std::string>& files) {
  const std::set<std::string> checked(files.begin(), files.end());
  std::vector<Finding> findings;
  for (FileResult& result : *results) {
    for (Finding& finding : result.findings) {
      const std::string& file = finding.place.file;
      const bool own = !options.header_filter.empty() || checked.count(file) != 0 ||
                       RelativeTo(database.root, file) != file;
      if (own) findings.push_back(std::move(finding));
    }
  }
  return Deduplicate(std::move(findings));
}

// `line` with the places below `directory` as they are printed elsewhere.
std::string WithRelativePaths(std::string line, const std::string& directory) {
  const std::string prefix = directory + "/";
  for (size_t at = 0; (at = line.find(prefix, at)) != std::string::npos;) {
    // Not the end of a longer path.
    if (at == 0 || line[at - 1] == ' ') {
      line.erase(at, prefix.size());
    } else {
      ++at;
    }
  }
  return line;
}

std::string Plural(size_t n, const std::string& word) {
  return std::to_string(n) + " " + word + (n == 1 ? "" : "s");
}

int Check(const CheckOptions& options) {
  CompileDatabase database;
  std::string error;
  if (!ReadCompileDatabase(options.build, &database, &error)) return Fail(error);
  std::vector<std::string> errors;
  const std::vector<std::string> files = Choose(options, database, &errors);
  if (files.empty() && errors.empty()) {
    return Fail(database.directory + "/compile_commands.json: no C++ file in it");
  }

  ClangTidy tidy;
  tidy.program = options.clang_tidy;
  tidy.module = options.module.empty() ? FindModule() : RealPath(options.module);
  tidy.database = database.directory;
  tidy.checks = options.checks;
  tidy.header_filter = options.header_filter.empty() ? ".*" : options.header_filter;
  if (!ParseOptions(options.options, &tidy, &error)) return Fail(error);
  if (tidy.module.empty()) {
    return Fail(
        "no leash-tidy-19.so beside this program or in ../lib/leash; give it with --module");
  }
  if (error = SelfTest(tidy); !error.empty()) return Fail(error);

  const size_t jobs = options.jobs > 0 ? static_cast<size_t>(options.jobs)
                                       : std::max(1u, std::thread::hardware_concurrency());
  std::vector<FileResult> results = CheckFiles(tidy, files, jobs);
  const std::vector<Finding> findings = OwnFindings(&results, options, database, files);
  for (size_t i = 0; i < files.size(); ++i) {
    if (!results[i].error.empty()) errors.push_back(files[i] + ": " + results[i].error);
  }

  WriteContext context;
  std::error_code ignored;
  context.directory = RealPath(std::filesystem::current_path(ignored).string());
  context.root = database.root;
  const char* const no_colour = std::getenv("NO_COLOR");
  context.colour = isatty(STDOUT_FILENO) == 1 && (no_colour == nullptr || no_colour[0] == '\0');
  context.complete = errors.empty();
  if (options.format == "sarif") {
    std::cout << ToSarif(findings, context);
  } else if (options.format == "github") {
    std::cout << ToGitHub(findings, context);
  } else {
    std::cout << ToText(findings, context);
  }
  std::cout.flush();
  if (!std::cout) return Fail("write to standard output: failed");
  for (const std::string& line : errors) {
    std::cerr << "leash check: " << WithRelativePaths(line, context.directory) << "\n";
  }
  std::cerr << "leash check: " << Plural(findings.size(), "finding") << " in "
            << Plural(files.size(), "file")
            << (errors.empty() ? "" : ", " + std::to_string(errors.size()) + " not checked")
            << "\n";
  if (!errors.empty()) return 2;
  return findings.empty() ? 0 : 1;
}

}  // namespace

void AddCheckCommand(CLI::App& app, int* exit_status) {
  auto* command =
      app.add_subcommand("check", "The clang-tidy checks of leash over a compilation database");
  auto options = std::make_shared<CheckOptions>();
  command->add_option("FILES", options->files, "Only these of its files");
  command->add_option(
      "-p", options->build,
      "Directory of compile_commands.json (else searched here, in build and above)");
  command->add_option("--format", options->format, "text, sarif or github")
      ->check(CLI::IsMember({"text", "sarif", "github"}));
  command->add_option("--checks", options->checks, "Which checks, as clang-tidy's --checks");
  command
      ->add_option("--option", options->options,
                   "NAME=VALUE of every check, or CHECK.NAME=VALUE: Presets=leash;std")
      ->take_all()
      ->allow_extra_args(false);
  command->add_option("--module", options->module, "leash-tidy-19.so (else beside this program)");
  command->add_option("--clang-tidy", options->clang_tidy, "The clang-tidy to run");
  command->add_option("--jobs,-j", options->jobs, "Files at a time (else one for each processor)");
  command->add_option("--header-filter", options->header_filter,
                      "Headers to report in, a regular expression (else all of the project's)");
  command->footer("Exit status: 0 nothing found, 1 findings, 2 something was not checked.");
  command->callback([options, exit_status] { *exit_status = Check(*options); });
}

}  // namespace leash::tools
