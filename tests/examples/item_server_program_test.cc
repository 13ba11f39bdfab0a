// The two item servers as tools/dev.sh demo shows them: in the live process, by their test and in
// their source.

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <string>

#include "absl/time/clock.h"
#include "support/golden.h"
#include "support/run_program.h"

namespace examples {
namespace {

using leash::testing::LeashBinary;
using leash::testing::LeashSource;
using leash::testing::Program;
using leash::testing::ProgramOptions;
using leash::testing::ProgramResult;
using leash::testing::ReadTestFile;
using leash::testing::RunProgram;
using leash::testing::Scrub;

constexpr int kRequests = 60;

std::string Example(const std::string& name) { return LeashBinary("docs/examples/" + name); }

// The line of a server's source that holds this text, as reports show it.
std::string PlaceOf(const std::string& file, const std::string& text) {
  std::istringstream source(ReadTestFile("docs/examples/leaky_server/" + file));
  int number = 1;
  for (std::string line; std::getline(source, line); ++number) {
    if (line.find(text) != line.npos) return file + ":" + std::to_string(number);
  }
  ADD_FAILURE() << file << " has no line with " << text;
  return "";
}

// A server under load: what its clients heard.
class ItemServerTest : public ::testing::Test {
 protected:
  ~ItemServerTest() override { std::filesystem::remove(audit_log_); }

  void StartAndDrive(const std::string& name, const std::string& slow_every) {
    audit_log_ =
        std::filesystem::temp_directory_path() / (name + "." + std::to_string(getpid()) + ".log");
    std::filesystem::remove(audit_log_);
    server_.emplace(std::vector<std::string>{Example(name), "--debug-addr=127.0.0.1:0",
                                             "--slow-every=" + slow_every,
                                             "--audit-log=" + audit_log_.string()});
    debug_address_ = server_->WaitForOutput("debugging on ").value_or("");
    const std::string address = server_->WaitForOutput("listening on ").value_or("");
    ASSERT_NE(address, "");
    ProgramOptions urls;
    for (int i = 0; i < kRequests; ++i) {
      urls.input += "http://" + address + "/item/" + std::to_string(i) + "\n";
    }
    const ProgramResult r = RunProgram({Example("downloader"), "--workers=4"}, urls);
    std::smatch match;
    const std::regex summary("Summary: ([0-9]+) total, ([0-9]+) ok, ([0-9]+) failed");
    ASSERT_TRUE(std::regex_search(r.out, match, summary)) << r.out << r.err;
    EXPECT_EQ(match.str(1), std::to_string(kRequests));
    given_up_ = match.str(3);
  }

  // Dumps the server, again and again until what is slow has come to its end.
  ProgramResult Dump(std::vector<std::string> options = {}) {
    options.insert(options.begin(), {LeashBinary("tools/leash"), "dump", debug_address_});
    const absl::Time deadline = absl::Now() + absl::Seconds(30);
    while (true) {
      const ProgramResult all = RunProgram({LeashBinary("tools/leash"), "dump", debug_address_});
      const bool busy = all.out.find("[sleep]") != all.out.npos ||
                        all.out.find("ItemServer::Serve") != all.out.npos ||
                        all.out.find("[run") != all.out.npos;
      if (!busy || absl::Now() > deadline) return options.size() == 3 ? all : RunProgram(options);
    }
  }

  void StopServer() {
    server_->Signal(SIGTERM);
    const ProgramResult r = server_->Wait();
    EXPECT_EQ(r.status, 0) << r.err;
    EXPECT_EQ(r.out.substr(r.out.size() - 8), "stopped\n");
  }

  std::optional<Program> server_;
  std::filesystem::path audit_log_;
  std::string debug_address_;
  std::string given_up_;  // the number of requests that were
};

TEST_F(ItemServerTest, TheLeakIsOnTopOfTheDump) {
  StartAndDrive("leaky_server", "1");
  ASSERT_EQ(given_up_, std::to_string(kRequests)) << "every name is slow";
  const ProgramResult r = Dump();
  EXPECT_EQ(r.status, 0) << r.err;
  std::string top = r.out.substr(r.out.find("\n\n") + 2);
  top.resize(top.find("\n\n"));
  top = Scrub(std::move(top), "goroutines [0-9, ]+ and [0-9]+ more", "goroutines IDS");
  top = Scrub(std::move(top), "waiting .*", "waiting TIMES");
  EXPECT_TRUE(top.starts_with("60 goroutines [chan send] proved: no receiver is alive\n")) << top;
  const std::string spawn = PlaceOf("leaky_server.cc", "leash::go([found"),
                    make = PlaceOf("leaky_server.cc", "MakeChan<std::string>(0");
  EXPECT_NE(top.find("\n    created by ItemServer::Answer at " + spawn + " in goroutines "),
            top.npos)
      << top;
  EXPECT_NE(top.find("\n    waits for Chan<std::string> \"found\" (cap 0) made at " + make +
                     " (60 of them); its last receiver went at leaky_server.cc:"),
            top.npos)
      << top;
  EXPECT_EQ(Dump({"--leaked"}).status, 1);
  StopServer();
}

TEST_F(ItemServerTest, TheMendedOneLeavesNothing) {
  StartAndDrive("fixed_server", "2");
  EXPECT_NE(given_up_, "0");
  const ProgramResult r = Dump({"--leaked"});
  EXPECT_EQ(r.status, 0) << r.out << r.err;
  EXPECT_NE(r.out.find(": 0 of 2 goroutines in 0 groups\n"), r.out.npos) << r.out;
  StopServer();
  // Nor is a line of the audit log lost.
  std::set<std::string> lines;
  std::ifstream log(audit_log_);
  for (std::string line; std::getline(log, line);) lines.insert(line);
  EXPECT_EQ(lines.size(), static_cast<size_t>(kRequests));
}

TEST(ItemServerTestTest, TheLeakyServersTestFailsAndIsNamed) {
  const ProgramResult r = RunProgram({Example("leaky_server_test"), "--gtest_color=no"});
  EXPECT_EQ(r.status, 1);
  const std::string text = r.out + r.err;
  for (const std::string& want :
       {std::string("leash: ItemServerTest.GivesUpOnASlowBackend leaked 1 goroutine in 1 group\n\n"
                    "1 goroutine [chan send] proved: no receiver is alive\n"),
        "created by ItemServer::Answer at " + PlaceOf("leaky_server.cc", "leash::go([found"),
        std::string("[  PASSED  ] 3 tests."),
        std::string("its last receiver went at leaky_server.cc:")}) {
    EXPECT_NE(text.find(want), text.npos) << "want " << want << "\nhave " << text;
  }
}

// The block of docs/guide/first-leak.md that begins with these words.
std::string GuideBlock(const std::string& begin) {
  const std::string guide = ReadTestFile("docs/guide/first-leak.md");
  const size_t at = guide.find("\n```text\n" + begin);
  EXPECT_NE(at, guide.npos) << "the guide has no block that begins with " << begin;
  if (at == guide.npos) return "";
  const size_t first = at + 9;
  return guide.substr(first, guide.find("```\n", first) - first);
}

// What differs from run to run and from build to build gets one spelling.
std::string Steady(std::string text) {
  text = Scrub(std::move(text), "goroutines? [0-9]+(, [0-9]+)*( and [0-9]+ more)?", "goroutine N");
  text = Scrub(std::move(text), "waiting .*", "waiting TIMES");
  text = Scrub(std::move(text), "chan[.]h:[0-9]+", "chan.h:N");
  text = Scrub(std::move(text), "lambda at leaky_server[.]cc:[0-9]+", "lambda");
  return Scrub(std::move(text), "  +", "  ");
}

TEST(FirstLeakGuideTest, ShowsWhatTheTestPrints) {
#if defined(__clang__)
  GTEST_SKIP() << "clang's -g1 leaves out what is inlined; the guide shows the preset release";
#endif
  const ProgramResult r = RunProgram({Example("leaky_server_test"), "--gtest_brief=1"});
  const std::string want = GuideBlock("leash: ItemServerTest");
  EXPECT_NE(Steady(r.out + r.err).find(Steady(want)), std::string::npos) << "the guide says\n"
                                                                         << want << "and it is\n"
                                                                         << r.out << r.err;
}

#if LEASH_HAS_TIDY_MODULE
ProgramResult Check(const std::string& file) {
  ProgramOptions options;
  options.directory = LeashSource("");
  ProgramResult r = RunProgram({LeashBinary("tools/leash"), "check", "-p", LeashBinary(""),
                                "docs/examples/leaky_server/" + file},
                               options);
  return r;
}

TEST(FirstLeakGuideTest, ShowsWhatTheChecksPrint) {
  EXPECT_EQ(Check("leaky_server.cc").out, GuideBlock("docs/examples/leaky_server/leaky_server.cc"));
}

TEST(ItemServerCheckTest, TheChecksFindTheAuditSpawnAndTheAdd) {
  const ProgramResult r = Check("leaky_server.cc");
  EXPECT_EQ(r.status, 1) << r.err;
  const std::string folder = "docs/examples/leaky_server/",
                    add = folder + PlaceOf("leaky_server.cc", "tasks_.Add(1)"),
                    start = folder + PlaceOf("leaky_server.cc", "leash::go([this, conn"),
                    audit = folder + PlaceOf("leaky_server.cc", "leash::go([path");
  EXPECT_EQ(r.out,
            add +
                ":14: warning: 'Add' runs inside the goroutine that it counts, so 'Wait' may "
                "return before it; call it before 'go' [leash-add-inside-goroutine]\n" +
                start + ":5: note: the goroutine starts here\n" + audit +
                ":3: warning: nothing can wait for this goroutine, cancel it or hear from "
                "it; give it a WaitGroup, Context or channel, or say why it may outlive its "
                "spawner with 'GoBackground' [leash-fire-and-forget-spawn]\n"
                "see: leash explain leash-add-inside-goroutine\n"
                "see: leash explain leash-fire-and-forget-spawn\n");
}

TEST(ItemServerCheckTest, TheChecksFindNothingInTheMendedOne) {
  const ProgramResult r = Check("fixed_server.cc");
  EXPECT_EQ(r.out, "");
  EXPECT_EQ(r.status, 0) << r.err;
}
#endif

}  // namespace
}  // namespace examples
