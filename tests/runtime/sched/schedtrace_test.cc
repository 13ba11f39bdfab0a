// LEASH_DEBUG=schedtrace prints what scripts made for Go's read.

#include <algorithm>
#include <cstdlib>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "support/golden.h"
#include "support/run_program.h"

namespace leash::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

ProgramResult RunTraced(const char* program, const std::string& kind, const std::string& debug) {
  std::vector<std::string> env = {"LEASH_DEBUG=" + debug};
  if (const char* procs = getenv("LEASH_MAXPROCS")) {
    env.push_back(std::string("LEASH_MAXPROCS=") + procs);
  }
  return RunProgram({program, kind}, std::move(env));
}

// A line without its figures: what it has in common with every other of its kind.
std::string ShapeOf(std::string line) {
  line = Scrub(line, R"(\[ (\d+ )+\])", "[ LIST ]");
  line = Scrub(line, R"(\d+ms:)", "NUMBERms:");
  line = Scrub(line, R"(^  ([PMG])\d+:)", "  $1NUMBER:");
  line = Scrub(line, R"(status=(\d+)\(.*\) m=)", "status=$1(REASON) m=");
  line = Scrub(line, R"(=(true|false)( |$))", "=BOOL$2");
  // "p=nil" and "p=0" are two values of one kind.
  line = Scrub(line, R"(\b(p|m|curg|lockedm|lockedg)=(nil|\d+))", "$1=ID");
  return Scrub(line, R"(=\d+)", "=NUMBER");
}

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::set<std::string> ShapesOf(const std::string& text) {
  std::set<std::string> shapes;
  for (const std::string& line : Lines(text)) shapes.insert(ShapeOf(line));
  return shapes;
}

TEST(SchedTraceTest, ALineHasTheFieldsOfGosWhileEveryPComputes) {
  const ProgramResult r = RunTraced(LEASH_SCHEDTRACE_PROGRAM, "compute", "schedtrace=10");
  ASSERT_EQ(r.status, 0) << r.err;
  EXPECT_EQ(ShapesOf(r.err),
            ShapesOf(ReadTestFile("tests/runtime/sched/testdata/go1.27/schedtrace.txt")));
  EXPECT_THAT(r.err, StartsWith("SCHED 0ms: gomaxprocs="));
}

TEST(SchedTraceTest, DetailsHaveTheLinesAndFieldsOfGosInItsOrder) {
  const ProgramResult r =
      RunTraced(LEASH_SCHEDTRACE_PROGRAM, "idle", "schedtrace=10,scheddetail=1");
  ASSERT_EQ(r.status, 0) << r.err;
  EXPECT_EQ(ShapesOf(r.err),
            ShapesOf(ReadTestFile("tests/runtime/sched/testdata/go1.27/scheddetail.txt")));
  char before = 'S';
  for (const std::string& line : Lines(r.err)) {
    const char kind = line[0] == 'S' ? 'S' : line[2];
    const std::string order = "SPMG";
    if (kind != 'S') {
      EXPECT_LE(order.find(before), order.find(kind)) << line;
    }
    before = kind;
  }
  EXPECT_THAT(r.err, HasSubstr(": status=4(chan receive) m=nil lockedm=nil\n"));
}

TEST(SchedTraceTest, APThatWasReplacedIsListedBesideTheOneInItsPlace) {
  const ProgramResult r = RunTraced(LEASH_SCHEDTRACE_PROGRAM, "compute", "schedtrace=10");
  ASSERT_EQ(r.status, 0) << r.err;
  // The program ends when it has seen twice as many Ps run as GOMAXPROCS allows.
  const std::string last = Lines(r.err).back();
  std::smatch head;
  ASSERT_TRUE(std::regex_search(last, head, std::regex(R"(gomaxprocs=(\d+) idleprocs=(\d+))")));
  const std::string list = last.substr(last.find('['), last.find(']') - last.find('['));
  EXPECT_EQ(static_cast<int>(std::count(list.begin(), list.end(), ' ')) - 1,
            2 * std::stoi(head[1]) + std::stoi(head[2]))
      << last;
}

TEST(SchedTraceTest, TheChildOfAForkIsTracedToo) {
  const ProgramResult r = RunTraced(LEASH_SCHEDTRACE_PROGRAM, "fork", "schedtrace=10");
  EXPECT_EQ(r.status, 0);
  EXPECT_EQ(r.out, "child: 0\n");
  EXPECT_EQ(ShapesOf(r.err).size(), 1u) << r.err;
}

TEST(SchedTraceTest, DoesNotHideADeadlock) {
  const ProgramResult r = RunTraced(LEASH_SCHED_PROGRAM, "deadlock", "schedtrace=10");
  EXPECT_EQ(r.status, 2);
  EXPECT_THAT(r.err, HasSubstr("fatal error: all goroutines are asleep - deadlock!\n"));
}

TEST(SchedTraceTest, AValueThatIsNoNumberEndsTheProgram) {
  const ProgramResult r = RunTraced(LEASH_SCHED_PROGRAM, "deadlock", "schedtrace=often");
  EXPECT_EQ(r.status, 2);
  EXPECT_EQ(r.err,
            "leash: environment: LEASH_DEBUG schedtrace=often: want milliseconds, 0 to 3600000\n");
}

TEST(SchedTraceTest, DetailsAloneSayNothing) {
  const ProgramResult r = RunTraced(LEASH_SCHED_PROGRAM, "no-deadlock-sleep", "scheddetail=1");
  EXPECT_EQ(r.status, 0);
  EXPECT_EQ(r.err, "");
}

}  // namespace
}  // namespace leash::testing
