// Whole texts compared with files that sit by their input.
//
//     ExpectGolden("tests/analyzer/render/testdata/chan_leak.group=site.golden", text);
//
// With LEASH_UPDATE_GOLDENS=1 in the environment the file is written instead; a person reads the
// diff.

#ifndef LEASH_TESTS_SUPPORT_GOLDEN_H_
#define LEASH_TESTS_SUPPORT_GOLDEN_H_

#include <source_location>
#include <string>
#include <string_view>

namespace leash::testing {

// ExpectGolden()
//
// A non-fatal failure, with the difference line by line, unless the file at `path` (absolute, or
// from the source tree's root) holds exactly `text`.
void ExpectGolden(std::string_view path, std::string_view text,
                  std::source_location site = std::source_location::current());

// ReadTestFile()
//
// The whole file; a failure of the test and "" when it cannot be read. `path` as above.
std::string ReadTestFile(std::string_view path,
                         std::source_location site = std::source_location::current());

// Scrub()
//
// `text` with each match of an ECMAScript regular expression replaced: what differs from run to run
// (addresses, ids, seconds) is given one spelling before it is compared.
std::string Scrub(std::string text, std::string_view regex, std::string_view replacement);

}  // namespace leash::testing

#endif  // LEASH_TESTS_SUPPORT_GOLDEN_H_
