// leash dump: the goroutines of a process or a file, grouped.

#include "dump/dump_command.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "dump/fetch.h"
#include "leash/analyzer/filter.h"
#include "leash/analyzer/group.h"
#include "leash/analyzer/leak.h"
#include "leash/analyzer/read.h"
#include "leash/analyzer/render.h"
#include "model/function_name.h"
#include "model/writer.h"

namespace leash::tools {
namespace {

constexpr char kFooter[] = R"(SOURCE:
  HOST:PORT   a process that serves leash::debug::Serve, or Go's net/http/pprof
  unix:PATH   the same over a Unix socket
  FILE        what leash wrote, or Go: a debug=1 or debug=2 text, a crash report or SIGQUIT dump, a
              goroutine profile, each plain or gzipped; - reads standard input

FILTER: terms that must all hold, separated by spaces or commas; ! turns one around. Globs match
the whole of what they look at: * any text, ? any character; quote what holds spaces.
  reason:"chan *"       the word in brackets       func:Cache::*       the innermost frame
  state:waiting         runnable running syscall   any:*Evict*         any frame, or cache.cc:88
  wait>10s  wait<=1m    the time of the wait       created_by:main.cc  function, file or file:line
  label:tenant=acme     a label                    test:CacheTest.*    the test that began it
  id:12  id:12-20       the goroutine's id         tier:proved         what is known about its end
  kind:thread           an OS thread               background:*        the reason of GoBackground

Examples:
  leash dump 127.0.0.1:6060                       groups of a live process
  leash dump --leaked unix:/run/app.sock          only those that nothing can ever wake
  leash dump crash.txt --filter='wait>1m !func:main.*'
  leash dump :6060 --format=pprof -o goroutines.pb.gz && go tool pprof -top goroutines.pb.gz
  curl -s :6060/debug/pprof/goroutine?debug=2 | leash dump -

Exit status: 0; with --leaked 1 if there is any; 2 for bad use or input that cannot be read.)";

struct Options {
  std::string source, format = "text", group = "exact", filter, output, color = "auto";
  bool leaked = false;
  size_t top = 0;
};

int Fail(std::string_view message) {
  std::fprintf(stderr, "leash dump: %.*s\n", static_cast<int>(message.size()), message.data());
  return 2;
}
int Fail(const absl::Status& status) {
  return Fail(std::string_view(status.message().data(), status.message().size()));
}

// Standard output, or a file that is there in whole or not at all.
class Output : public internal::Sink {
 public:
  explicit Output(std::string path) : path_(std::move(path)) {}
  ~Output() override {
    if (file_ != nullptr && file_ != stdout) {
      std::fclose(file_);
      unlink(PartPath().c_str());
    }
  }

  bool to_stdout() const { return path_.empty() || path_ == "-"; }
  bool Open() {
    file_ = to_stdout() ? stdout : std::fopen(PartPath().c_str(), "wbe");
    return file_ != nullptr;
  }
  void Append(std::string_view chunk) override {
    good_ = good_ && std::fwrite(chunk.data(), 1, chunk.size(), file_) == chunk.size();
  }
  bool Close() {
    if (to_stdout()) return std::fflush(stdout) == 0 && good_;
    const bool closed = std::fclose(std::exchange(file_, nullptr)) == 0 && good_;
    if (closed && std::rename(PartPath().c_str(), path_.c_str()) == 0) return true;
    const int error = errno;
    unlink(PartPath().c_str());
    errno = error;
    return false;
  }
  std::string Name() const { return to_stdout() ? "standard output" : path_; }

 private:
  std::string PartPath() const { return path_ + ".part"; }
  const std::string path_;
  std::FILE* file_ = nullptr;
  bool good_ = true;
};

bool UseColor(const Options& options, const Output& output) {
  if (options.color != "auto") return options.color == "always";
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  return output.to_stdout() && isatty(STDOUT_FILENO) && (no_color == nullptr || *no_color == 0) &&
         term != nullptr && std::string_view(term) != "dumb";
}

absl::StatusOr<Snapshot> ReadSource(const Options& options) {
  const std::string& source = options.source;
  if (source == "-") return ReadSnapshotFile("/dev/stdin");
  if (access(source.c_str(), F_OK) == 0) return ReadSnapshotFile(source);
  if (const std::optional<Endpoint> endpoint = ParseEndpoint(source)) {
    return FetchSnapshot(*endpoint, source, options.leaked);
  }
  if (source.find_first_not_of("0123456789") == std::string::npos) {
    return absl::InvalidArgumentError(source +
                                      ": want HOST:PORT, unix:PATH or a FILE, have a number and no "
                                      "file of that name");
  }
  return ReadSnapshotFile(source);  // for its error
}

// "127.0.0.1:6060 (leaky_server, pid 4711): 12 of 962 goroutines in 3 groups"
std::string TitleLine(const Options& options, const Snapshot& s, const std::vector<Group>& groups,
                      size_t selected) {
  std::string title = options.source == "-" ? "standard input" : options.source;
  if (!s.program.empty() || s.pid != 0) {
    title += " (";
    title += internal::BaseName(s.program);
    if (s.pid != 0) {
      if (!s.program.empty()) title += ", ";
      title += "pid " + std::to_string(s.pid);
    }
    title += ")";
  }
  title += ": ";
  if (selected != s.goroutines.size()) title += std::to_string(selected) + " of ";
  title += std::to_string(s.goroutines.size());
  title += s.goroutines.size() == 1 ? " goroutine in " : " goroutines in ";
  return title + std::to_string(groups.size()) + (groups.size() == 1 ? " group" : " groups");
}

std::string RenderText(const Options& options, const Snapshot& s,
                       const std::vector<uint32_t>& selected, bool color) {
  const std::vector<Group> groups = GroupGoroutines(s, *GroupByFromText(options.group), selected);
  RenderOptions render;
  render.color = color;
  render.groups_max = options.top;
  std::string text = TitleLine(options, s, groups, selected.size()) + "\n";
  for (const std::string& note : s.notes) text += "note: " + note + "\n";
  if (!groups.empty()) text += "\n" + RenderReport(s, groups, render);
  return text;
}

int Run(const Options& options, bool group_given) {
  const bool text = options.format == "text";
  if (!text && (group_given || options.top != 0)) {
    return Fail("--group and --top go with --format=text, have --format=" + options.format);
  }
  absl::StatusOr<Filter> filter = Filter::Parse(options.filter);
  if (!filter.ok()) {
    return Fail("--filter: " +
                std::string(filter.status().message().data(), filter.status().message().size()));
  }
  Output output(options.output);
  if (options.format == "pprof" && output.to_stdout() && isatty(STDOUT_FILENO)) {
    return Fail("--format=pprof is no text: want -o FILE or a redirection, have a terminal");
  }

  absl::StatusOr<Snapshot> snapshot = ReadSource(options);
  if (!snapshot.ok()) return Fail(snapshot.status());
  ProveLeaks(*snapshot);
  std::vector<uint32_t> selected = filter->Select(*snapshot);
  if (options.leaked) {
    std::erase_if(selected, [&](uint32_t i) { return !IsProvedLeak(snapshot->goroutines[i]); });
  }

  if (!output.Open()) return Fail("write " + output.Name() + ": " + std::strerror(errno));
  if (text) {
    output.Append(RenderText(options, *snapshot, selected, UseColor(options, output)));
  } else if (options.format == "folded") {
    output.Append(RenderFolded(*snapshot, selected));
  } else {
    const Snapshot& all = *snapshot;
    const Snapshot part =
        selected.size() == all.goroutines.size() ? Snapshot() : CopyGoroutines(all, selected);
    std::unique_ptr<internal::SnapshotWriter> writer =
        options.format == "json"
            ? internal::NewJsonWriter(&output)
            : internal::NewProfileWriter(options.format == "pprof" ? 0 : 2, &output,
                                         options.leaked ? "goroutineleak" : "goroutine");
    writer->Write(selected.size() == all.goroutines.size() ? all : part);
    writer->Finish();
  }
  if (!output.Close()) return Fail("write " + output.Name() + ": " + std::strerror(errno));
  return options.leaked && !selected.empty() ? 1 : 0;
}

}  // namespace

void AddDumpCommand(CLI::App& app, int* status) {
  auto options = std::make_shared<Options>();
  CLI::App* dump = app.add_subcommand(
      "dump", "Print the goroutines of a live process or of a dump file, equal ones as one group");
  dump->add_option("source", options->source,
                   "HOST:PORT, unix:PATH, a FILE, or - for standard input")
      ->option_text("SOURCE")
      ->required();
  dump->add_option(
          "--format", options->format,
          "text (groups), go (Go's debug=2), pprof (profile.proto), json, folded (for flame "
          "graphs)")
      ->option_text("FORMAT [text]")
      ->check(CLI::IsMember({"text", "go", "pprof", "json", "folded"}));
  CLI::Option* group =
      dump->add_option("--group", options->group,
                       "What makes goroutines equal: exact (stack, reason, creation site), similar "
                       "(lines ignored), site (creation site), reason")
          ->option_text("HOW [exact]")
          ->check(CLI::IsMember({"exact", "similar", "site", "reason"}));
  dump->add_option("--filter", options->filter, "Only goroutines that match; see below")
      ->option_text("FILTER");
  dump->add_flag("--leaked", options->leaked, "Only goroutines that are proved leaked");
  dump->add_option("--top", options->top, "Only the N biggest groups; the rest is counted")
      ->option_text("N");
  dump->add_option("-o,--output", options->output, "Write here instead of to standard output")
      ->option_text("FILE");
  dump->add_option("--color", options->color,
                   "auto (on a terminal, unless NO_COLOR is set), always, never")
      ->option_text("WHEN [auto]")
      ->check(CLI::IsMember({"auto", "always", "never"}));
  dump->footer(kFooter);
  dump->callback([options, status, group] { *status = Run(*options, group->count() > 0); });
}

}  // namespace leash::tools
