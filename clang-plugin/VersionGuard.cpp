//===--- VersionGuard.cpp - Refuses a clang-tidy of another version -------===//
//
// A module that was built for one major version of LLVM loads into another
// without a word and then finds nothing: exit status 0, no diagnostics. So it
// ends such a process when it is loaded, before anybody believes the silence.
//
//===----------------------------------------------------------------------===//

#include "clang/Basic/Version.h"
#include "clang/Basic/Version.inc"
#include <cstdio>
#include <cstdlib>
#include <string>

// The test of this file builds a module that claims another major.
#ifndef LEASH_TIDY_MAJOR
#define LEASH_TIDY_MAJOR CLANG_VERSION_MAJOR
#endif

namespace clang::tidy::leash {
namespace {

// EX_CONFIG: nothing that clang-tidy ends with itself.
constexpr int ExitRefused = 78;

// "Debian clang version 19.1.7 (3)": 19; -1 if it says nothing of that form.
// The text is asked of the host at run time. Its macros are our own.
int hostMajor() {
  const std::string Text = getClangFullVersion();
  const std::string Word = "version ";
  const size_t At = Text.find(Word);
  if (At == std::string::npos)
    return -1;
  return std::atoi(Text.c_str() + At + Word.size());
}

struct VersionGuard {
  VersionGuard() {
    const int Host = hostMajor();
    if (Host == LEASH_TIDY_MAJOR)
      return;
    std::fprintf(
        stderr,
        "leash-tidy: built for clang-tidy %d, loaded into %s; it "
        "would find nothing. Use clang-tidy-%d, or the module for %d\n",
        LEASH_TIDY_MAJOR, getClangFullVersion().c_str(), LEASH_TIDY_MAJOR,
        Host);
    std::fflush(stderr);
    std::_Exit(ExitRefused);
  }
};

// Before any check is registered in a registry of another layout: this object
// is the first of the module to be initialised, as its file is linked first.
const VersionGuard Guard;

} // namespace
} // namespace clang::tidy::leash
