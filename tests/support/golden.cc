// Goldens: read, compared by GoogleTest's own line difference, rewritten on demand.

#include "support/golden.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <optional>
#include <regex>
#include <sstream>

namespace leash::testing {
namespace {

std::string Resolve(std::string_view path) {
  if (!path.empty() && path.front() == '/') return std::string(path);
  return std::string(LEASH_SOURCE_DIR) + "/" + std::string(path);
}

std::optional<std::string> Read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  std::ostringstream text;
  text << file.rdbuf();
  return std::move(text).str();
}

}  // namespace

void ExpectGolden(std::string_view path, std::string_view text, std::source_location site) {
  const std::string file = Resolve(path);
  const char* update = std::getenv("LEASH_UPDATE_GOLDENS");
  if (update != nullptr && std::string_view(update) == "1") {
    std::ofstream out(file, std::ios::binary | std::ios::trunc);
    out << text;
    out.close();
    if (!out) ADD_FAILURE_AT(site.file_name(), site.line()) << "write " << file << " failed";
    return;
  }
  const std::optional<std::string> golden = Read(file);
  if (!golden) {
    ADD_FAILURE_AT(site.file_name(), site.line())
        << "no golden " << path << "; LEASH_UPDATE_GOLDENS=1 writes it with this text:\n"
        << text;
    return;
  }
  const auto equal = [&](const std::string& golden_text, const std::string& this_text) {
    EXPECT_EQ(golden_text, this_text)
        << "golden: " << path << " (LEASH_UPDATE_GOLDENS=1 rewrites it)";
  };
  if (*golden != text) {
    ::testing::ScopedTrace trace(site.file_name(), static_cast<int>(site.line()), "ExpectGolden");
    equal(*golden, std::string(text));
  }
}

std::string ReadTestFile(std::string_view path, std::source_location site) {
  std::optional<std::string> text = Read(Resolve(path));
  if (!text) ADD_FAILURE_AT(site.file_name(), site.line()) << "read " << path << " failed";
  return std::move(text).value_or("");
}

std::string Scrub(std::string text, std::string_view regex, std::string_view replacement) {
  return std::regex_replace(text, std::regex(std::string(regex)), std::string(replacement));
}

}  // namespace leash::testing
