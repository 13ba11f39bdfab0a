// Texts of reports, made comparable: what differs from run to run has one spelling.

#ifndef LEASH_TESTS_INTEGRATION_VERIFY_REPORT_TEXT_H_
#define LEASH_TESTS_INTEGRATION_VERIFY_REPORT_TEXT_H_

#include <string>
#include <string_view>

#include "support/run_program.h"

namespace leash::testing {

// `text` with ids (but 1, the main thread's) as N, times as T, the source tree's folder left out,
// the columns of stacks closed up, and leash's own functions left out of them.
std::string Normalized(std::string text);

// The part of `text` from the first `from` to the end of the first `to` behind it. "" without them.
std::string Between(std::string_view text, std::string_view from, std::string_view to);

// Runs a program of this folder's build, as a shell would: never waits for leaks of memory.
ProgramResult RunTests(std::string_view program, std::string_view filter,
                       std::vector<std::string> arguments = {}, std::vector<std::string> env = {});

}  // namespace leash::testing

#endif  // LEASH_TESTS_INTEGRATION_VERIFY_REPORT_TEXT_H_
