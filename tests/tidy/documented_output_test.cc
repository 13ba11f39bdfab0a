// What a page says that a program prints is what it prints.

#include <gtest/gtest.h>

#include <string>

#include "support/golden.h"
#include "support/run_program.h"
#include "tidy/markdown.h"

namespace leash::tidy {
namespace {

// What differs from run to run gets one spelling, in the page and in what was printed.
std::string Steady(std::string text) {
  text = testing::Scrub(std::move(text), "waiting [0-9a-z.]+", "waiting N");
  text = testing::Scrub(std::move(text), "goroutines? [0-9]+(, [0-9]+)*", "goroutine N");
  text = testing::Scrub(std::move(text), "[.]h:[0-9]+", ".h:N");  // leash's own headers move
  return testing::Scrub(std::move(text), "0x[0-9a-f]+", "0xN");
}

// Pages and programs are given by the build: "README.md:cache_test.cc:/path/of/the/program,..."
TEST(DocumentedOutputTest, ProgramsPrintWhatTheirPageSays) {
  std::string rest = LEASH_DOC_PROGRAMS;
  while (!rest.empty()) {
    const std::string item = rest.substr(0, rest.find(','));
    rest.erase(0, item.size() + 1);
    const size_t first = item.find(':'), second = item.find(':', first + 1);
    const SourceFile page = {item.substr(0, first), testing::ReadTestFile(item.substr(0, first))};
    const std::string name = item.substr(first + 1, second - first - 1);
    const std::string want = OutputOf(page, name);
    const testing::ProgramResult r = testing::RunProgram({item.substr(second + 1)});
    EXPECT_EQ(r.signal, 0) << r.err;
    EXPECT_NE(Steady(r.out + r.err).find(Steady(want)), std::string::npos)
        << page.path << ": the block of " << name << " says\n"
        << want << "and it prints\n"
        << r.out << r.err;
  }
}

}  // namespace
}  // namespace leash::tidy
