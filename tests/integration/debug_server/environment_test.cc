// LEASH_DEBUG_ADDR: a program is served that has no code for it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>
#include <signal.h>

#include <optional>
#include <string>

#include "support/run_program.h"

namespace leash::debug {
namespace {

using ::leash::testing::Program;
using ::leash::testing::ProgramResult;
using ::leash::testing::RunProgram;
using ::testing::HasSubstr;

TEST(DebugAddrTest, SaysWhereItListensAndAnswersThere) {
  Program program({LEASH_SERVED_PROGRAM}, {.env = {"LEASH_DEBUG_ADDR=127.0.0.1:0"}});
  const std::optional<std::string> address = program.WaitForOutput("leash: debug server on ");
  ASSERT_TRUE(address.has_value());
  httplib::Client client("http://" + *address);
  client.set_read_timeout(60);
  const httplib::Result r = client.Get("/debug/pprof/goroutine?debug=2");
  ASSERT_TRUE(r) << httplib::to_string(r.error());
  EXPECT_EQ(r->status, 200);
  EXPECT_THAT(r->body, HasSubstr("goroutine 1 ["));
  EXPECT_THAT(r->body, HasSubstr("served_program.cc:"));
}

TEST(DebugAddrTest, WhatIsNoAddressEndsTheProgram) {
  const ProgramResult r = RunProgram({LEASH_SERVED_PROGRAM}, {"LEASH_DEBUG_ADDR=6060"});
  EXPECT_EQ(r.status, 2);
  EXPECT_EQ(r.err,
            "leash: environment: LEASH_DEBUG_ADDR: debug server: address \"6060\": want HOST:PORT "
            "or unix:PATH\n");
}

TEST(DebugAddrTest, WhereItCannotListenTheProgramEnds) {
  const ProgramResult r =
      RunProgram({LEASH_SERVED_PROGRAM}, {"LEASH_DEBUG_ADDR=unix:/nonexistent/leash.sock"});
  EXPECT_EQ(r.status, 2);
  EXPECT_EQ(r.err,
            "leash: environment: LEASH_DEBUG_ADDR: debug server: listen "
            "unix:/nonexistent/leash.sock: No such file or directory\n");
}

TEST(DebugAddrTest, EmptyIsNone) {
  Program program({LEASH_SERVED_PROGRAM}, {.env = {"LEASH_DEBUG_ADDR="}});
  ASSERT_TRUE(program.WaitForOutput("started"));
  program.Signal(SIGTERM);
  const ProgramResult r = program.Wait();
  EXPECT_EQ(r.signal, SIGTERM);
  EXPECT_EQ(r.err, "");
}

}  // namespace
}  // namespace leash::debug
