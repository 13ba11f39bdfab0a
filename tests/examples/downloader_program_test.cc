// The program downloader: its whole output and its exit status.

#include <gtest/gtest.h>
#include <signal.h>

#include <string>

#include "examples/scripted_server.h"
#include "leash/chan.h"
#include "support/golden.h"
#include "support/run_program.h"

namespace examples {
namespace {

using leash::testing::LeashBinary;
using leash::testing::Program;
using leash::testing::ProgramOptions;
using leash::testing::ProgramResult;
using leash::testing::RunProgram;
using leash::testing::Scrub;

std::string Downloader() { return LeashBinary("docs/examples/downloader"); }

ProgramOptions Input(std::string text) {
  ProgramOptions options;
  options.input = std::move(text);
  return options;
}

// Times and ports differ from run to run.
std::string Steady(std::string text) {
  text = Scrub(std::move(text), "127[.]0[.]0[.]1:[0-9]+", "HOST");
  text = Scrub(std::move(text), "[0-9]+ms|[0-9.]+s\\)", "TIME");
  return Scrub(std::move(text), "[0-9.]+s elapsed", "TIME elapsed");
}

TEST(DownloaderTest, ALineForEachUrlAndASummary) {
  const ScriptedServer server([](const std::string& target) {
    if (target == "/missing") return std::string("HTTP/1.1 404 Not Found\r\n\r\n");
    return Ok(std::string(target == "/large" ? 1229 : 7, 'x'));
  });
  const ProgramResult r = RunProgram({Downloader(), "--workers=1"},
                                     Input(server.Url("/large") + "\n" + server.Url("/missing") +
                                           "\n\n" + server.Url("/small") + "\nhost/path\n"));
  EXPECT_EQ(Steady(r.out),
            "[OK]   http://HOST/large (1.2KB, TIME)\n"
            "[FAIL] http://HOST/missing (HTTP 404 Not Found)\n"
            "[OK]   http://HOST/small (7B, TIME)\n"
            "[FAIL] host/path (want http://HOST[:PORT][/PATH], have \"host/path\")\n"
            "Summary: 4 total, 2 ok, 2 failed, TIME elapsed\n");
  EXPECT_EQ(r.err, "");
  EXPECT_EQ(r.status, 1);
}

TEST(DownloaderTest, StatusZeroWhenAllIsWell) {
  const ScriptedServer server([](const std::string&) { return Ok("x"); });
  const ProgramResult r = RunProgram({Downloader()}, Input(server.Url("/a")));
  EXPECT_EQ(Steady(r.out),
            "[OK]   http://HOST/a (1B, TIME)\nSummary: 1 total, 1 ok, 0 failed, TIME elapsed\n");
  EXPECT_EQ(r.status, 0);
  const ProgramResult nothing = RunProgram({Downloader()}, Input(""));
  EXPECT_EQ(Steady(nothing.out), "Summary: 0 total, 0 ok, 0 failed, TIME elapsed\n");
  EXPECT_EQ(nothing.status, 0);
}

TEST(DownloaderTest, CtrlCPrintsTheSummaryOfWhatWasDone) {
  const leash::Chan<leash::Unit> arrived = leash::MakeChan<leash::Unit>(0, "arrived");
  const leash::Chan<leash::Unit> release = leash::MakeChan<leash::Unit>(0, "release");
  const ScriptedServer server([&](const std::string& target) {
    if (target == "/slow") {
      arrived.Send({});
      release.Recv();
    }
    return Ok("x");
  });
  Program program(
      {Downloader(), "--workers=1"},
      Input(server.Url("/quick") + "\n" + server.Url("/slow") + "\n" + server.Url("/never")));
  ASSERT_TRUE(program.WaitForOutput("[OK]").has_value());
  arrived.Recv();
  program.Signal(SIGINT);
  const ProgramResult r = program.Wait();
  EXPECT_EQ(Steady(r.out),
            "[OK]   http://HOST/quick (1B, TIME)\n"
            "[FAIL] http://HOST/slow (context canceled)\n"
            "Summary: 2 total, 1 ok, 1 failed, TIME elapsed\n");
  EXPECT_EQ(r.status, 130);
  EXPECT_EQ(r.signal, 0) << "it ends by itself";
  release.Close();
}

TEST(DownloaderTest, BadUseIsStatus2) {
  const ProgramResult r = RunProgram({Downloader(), "--workers=0"});
  EXPECT_EQ(r.err, "downloader: --workers: Value 0 not in range 1 to 100000\n");
  EXPECT_EQ(r.status, 2);
  const ProgramResult unit = RunProgram({Downloader(), "--timeout=5parsec"});
  EXPECT_NE(unit.err.find("downloader: "), unit.err.npos);
  EXPECT_EQ(unit.status, 2);
  const ProgramResult help = RunProgram({Downloader(), "--help"});
  EXPECT_EQ(help.status, 0);
  EXPECT_NE(help.out.find("--workers"), help.out.npos);
}

}  // namespace
}  // namespace examples
