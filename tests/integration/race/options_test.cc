// LEASH_RACE_OPTIONS: what can be read, and what is said of what cannot.

#include "race/options.h"

#include <gtest/gtest.h>

#include <string>

namespace leash::race {
namespace {

std::string ErrorOf(std::string_view text) {
  Options options;
  const OptionsError error = ParseOptions(text, &options);
  return error.want.empty() ? "" : std::string(error.item) + ": want " + std::string(error.want);
}

TEST(RaceOptionsTest, NothingIsTheDefault) {
  Options options;
  EXPECT_TRUE(ParseOptions("", &options).want.empty());
  EXPECT_EQ(options.exitcode, 66);
  EXPECT_FALSE(options.halt_on_error);
  EXPECT_EQ(options.history_size, -1);
}

TEST(RaceOptionsTest, KeysAreGos) {
  Options options;
  EXPECT_EQ(ErrorOf("  exitcode=0"), "");
  EXPECT_TRUE(ParseOptions("exitcode=3 halt_on_error=1  history_size=5 log_path=/tmp/a "
                           "strip_path_prefix=/src/ atexit_sleep_ms=20",
                           &options)
                  .want.empty());
  EXPECT_EQ(options.exitcode, 3);
  EXPECT_TRUE(options.halt_on_error);
  EXPECT_EQ(options.history_size, 5);
  EXPECT_EQ(options.log_path, "/tmp/a");
  EXPECT_EQ(options.strip_path_prefix, "/src/");
  EXPECT_EQ(options.atexit_sleep_ms, 20);
}

TEST(RaceOptionsTest, WhatCannotBeReadIsNamed) {
  EXPECT_EQ(ErrorOf("exitcode=256"), "exitcode=256: want 0 to 255");
  EXPECT_EQ(ErrorOf("exitcode="), "exitcode=: want 0 to 255");
  EXPECT_EQ(ErrorOf("exitcode=1 history_size=8"), "history_size=8: want 0 to 7");
  EXPECT_EQ(ErrorOf("halt_on_error=yes"), "halt_on_error=yes: want 0 or 1");
  EXPECT_EQ(ErrorOf("halt_on_error"), "halt_on_error: want key=value");
}

}  // namespace
}  // namespace leash::race
