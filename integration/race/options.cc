// Items of LEASH_RACE_OPTIONS.

#include "race/options.h"

namespace leash::race {
namespace {

bool ParseNumber(std::string_view text, int max, int* number) {
  int value = 0;
  for (char c : text) {
    if (c < '0' || c > '9') return false;
    value = value * 10 + (c - '0');
    if (value > max) return false;
  }
  if (text.empty()) return false;
  *number = value;
  return true;
}

// What is wanted where `value` is not it; empty if it is.
std::string_view ReadItem(std::string_view key, std::string_view value, Options* options) {
  if (key == "exitcode") {
    return ParseNumber(value, 255, &options->exitcode) ? "" : "0 to 255";
  }
  if (key == "history_size") {
    return ParseNumber(value, 7, &options->history_size) ? "" : "0 to 7";
  }
  if (key == "atexit_sleep_ms") {
    return ParseNumber(value, 3'600'000, &options->atexit_sleep_ms) ? "" : "0 to 3600000";
  }
  if (key == "halt_on_error") {
    int number = 0;
    const bool read = ParseNumber(value, 1, &number);
    options->halt_on_error = number != 0;
    return read ? "" : "0 or 1";
  }
  if (key == "log_path") {
    options->log_path = value;
    return "";
  }
  if (key == "strip_path_prefix") {
    options->strip_path_prefix = value;
    return "";
  }
  return "atexit_sleep_ms, exitcode, halt_on_error, history_size, log_path or strip_path_prefix";
}

}  // namespace

OptionsError ParseOptions(std::string_view text, Options* options) {
  while (!text.empty()) {
    const size_t space = text.find(' ');
    const std::string_view item = text.substr(0, space);
    text.remove_prefix(space == text.npos ? text.size() : space + 1);
    if (item.empty()) continue;
    const size_t equals = item.find('=');
    if (equals == item.npos) return {item, "key=value"};
    const std::string_view want =
        ReadItem(item.substr(0, equals), item.substr(equals + 1), options);
    if (!want.empty()) return {item, want};
  }
  return {};
}

}  // namespace leash::race
