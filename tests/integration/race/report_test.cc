// The text of a report, from reports made by hand.

#include "race/report.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

namespace leash::race {
namespace {

using internal::RaceFrame;

RaceFrame At(std::string function, std::string file, int line, bool runtime = false) {
  return {std::move(function), std::move(file), line, 0x1c, runtime};
}

// Each pc stands for these frames.
const std::map<uint64_t, std::vector<RaceFrame>>& Frames() {
  static const auto& frames = *new std::map<uint64_t, std::vector<RaceFrame>>{
      {1, {At("Cache::Evict(Key) const", "/src/cache.cc", 88)}},
      {2, {At("Cache::Get(Key)", "/src/cache.cc", 40), At("Serve()", "/src/serve.cc", 7)}},
      {3, {At("leash::go<...>", "/include/leash/go.h", 150)}},
      {4, {At("main", "/src/main.cc", 3)}},
      {5, {At("leash::rt::Bury(M*, G*)", "/src/switch.cc", 60, true)}},
      {6, {At("leash::WaitGroup::Add(int)", "/src/waitgroup.cc", 66)}},
      {7, {At("leash::WaitGroup::Wait()", "/src/waitgroup.cc", 90)}},
      {8, {At("memcpy", "", 0)}},
      {9,
       {At("Take()", "/src/token.h", 1, true),
        At("leash::internal::ChanClose(rt::ChanCore*)", "/src/chan.cc", 5, true)}},
      {10, {At("leash::internal::SelectWait()", "/src/select.cc", 5, true)}},
  };
  return frames;
}

std::string Text(const Report& report, std::string_view strip = "") {
  return ReportText(report, [](uint64_t pc) { return Frames().at(pc); }, strip);
}

const Participant kMain = {0, 100, true, "", {}};

TEST(RaceReportTest, HasGosForm) {
  const Report report = {"data-race",
                         {{true, 0xc000012345, 0, {1, 4}}, {false, 0xc000012345, 5, {2}}},
                         {},
                         {kMain, {5, 100, false, "goroutine 7", {5, 3, 4}}}};
  EXPECT_EQ(Text(report, "/src/"),
            "==================\n"
            "WARNING: DATA RACE\n"
            "Write at 0x00c000012345 by main goroutine:\n"
            "  Cache::Evict()\n"
            "      cache.cc:88 +0x1c\n"
            "  main()\n"
            "      main.cc:3 +0x1c\n"
            "\n"
            "Previous read at 0x00c000012345 by goroutine 7:\n"
            "  Cache::Get()\n"
            "      cache.cc:40 +0x1c\n"
            "  Serve()\n"
            "      serve.cc:7 +0x1c\n"
            "\n"
            "Goroutine 7 (finished) created at:\n"
            "  main()\n"
            "      main.cc:3 +0x1c\n"
            "==================\n");
}

TEST(RaceReportTest, AStackOfTheRuntimeOnlyIsShown) {
  const Report report = {"data-race",
                         {{false, 0x10, 3, {8, 5, 4}}, {true, 0x10, 4, {5}}},
                         {},
                         {{3, 4711, true, "worker", {4}}, {4, 4712, true, "", {}}}};
  EXPECT_EQ(Text(report),
            "==================\n"
            "WARNING: DATA RACE\n"
            "Read at 0x000000000010 by thread 4711 (worker):\n"
            "  memcpy()\n"
            "      ??:0 +0x1c\n"
            "  main()\n"
            "      /src/main.cc:3 +0x1c\n"
            "\n"
            "Previous write at 0x000000000010 by thread 4712:\n"
            "  leash::rt::Bury()\n"
            "      /src/switch.cc:60 +0x1c\n"
            "\n"
            "Thread 4711 (worker) (running) created at:\n"
            "  main()\n"
            "      /src/main.cc:3 +0x1c\n"
            "\n"
            "Thread 4712 (running) created at:\n"
            "  [failed to restore the stack]\n"
            "==================\n");
}

TEST(RaceReportTest, TheMisuseOfAWaitGroupIsNamed) {
  const Report report = {
      "data-race", {{true, 0x10, 0, {7, 4}}, {false, 0x10, 5, {6, 1}}}, {}, {kMain}};
  EXPECT_TRUE(Text(report).ends_with(
      "\nleash: this is WaitGroup::Add called concurrently with Wait: call Add before go\n"
      "==================\n"))
      << Text(report);
}

TEST(RaceReportTest, ACloseThatRacesWithASendIsNamedAndTheRuntimesFramesAreHidden) {
  const Report report = {
      "data-race", {{false, 0x10, 5, {10, 1}}, {true, 0x10, 0, {9, 4}}}, {}, {kMain}};
  EXPECT_EQ(Text(report),
            "==================\n"
            "WARNING: DATA RACE\n"
            "Read at 0x000000000010 by thread:\n"
            "  Cache::Evict()\n"
            "      /src/cache.cc:88 +0x1c\n"
            "\n"
            "Previous write at 0x000000000010 by main goroutine:\n"
            "  main()\n"
            "      /src/main.cc:3 +0x1c\n"
            "\n"
            "leash: this is a close that nothing orders after a send on the same channel: the send "
            "may panic; let the sender close, or wait for the senders first\n"
            "==================\n");
}

TEST(RaceReportTest, OtherKindsKeepTheirName) {
  const Report report = {"mutex-destroy-locked", {}, {{1}}, {kMain}};
  EXPECT_EQ(Text(report),
            "==================\n"
            "WARNING: MUTEX DESTROY LOCKED\n"
            "  Cache::Evict()\n"
            "      /src/cache.cc:88 +0x1c\n"
            "==================\n");
}

}  // namespace
}  // namespace leash::race
