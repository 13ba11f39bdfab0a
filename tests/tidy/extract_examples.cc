// extract_examples PAGE.md OUT.cc [PROGRAM.cc]
//
// Writes the examples of a page as a translation unit, or one of its programs as it stands. PAGE is
// relative to the root of the tree. Run by the build.

#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>

#include "tidy/markdown.h"

int main(int argc, char** argv) {
  if (argc != 3 && argc != 4) {
    std::fprintf(stderr, "usage: extract_examples PAGE.md OUT.cc [PROGRAM.cc]\n");
    return 2;
  }
  const std::string path = std::string(LEASH_SOURCE_DIR) + "/" + argv[1];
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) {
    std::fprintf(stderr, "extract_examples: read %s failed\n", path.c_str());
    return 2;
  }
  const leash::tidy::SourceFile page = {argv[1], std::move(text).str()};
  std::string code;
  if (argc == 4) {
    code = leash::tidy::ProgramOf(page, argv[3]);
    if (code.empty()) {
      std::fprintf(stderr, "extract_examples: %s has no block ```cpp program=%s\n", argv[1],
                   argv[3]);
      return 2;
    }
    // Reports then name the file as the page does.
    code = "#line 1 \"" + std::string(argv[3]) + "\"\n" + code;
  } else {
    code = leash::tidy::ExamplesOf(page);
  }
  std::ofstream out(argv[2], std::ios::binary | std::ios::trunc);
  out << code;
  out.close();
  if (!out) {
    std::fprintf(stderr, "extract_examples: write %s failed\n", argv[2]);
    return 2;
  }
  return 0;
}
