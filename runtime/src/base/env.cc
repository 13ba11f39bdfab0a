#include "base/env.h"

#include <unistd.h>

#include <cstdlib>

#include "base/clock.h"
#include "base/lock_rank.h"
#include "base/raw_print.h"

namespace leash::rt {

constinit std::atomic<int64_t> coarse_now{0};

namespace {

constexpr uint64_t kSchedTraceMsMax = 3'600'000;

constinit Settings settings;

[[noreturn]] void Reject(std::string_view name, std::string_view value, std::string_view want) {
  {
    RawPrinter out;
    out << "leash: environment: " << name << "=" << value << ": want " << want << "\n";
  }
  _exit(2);
}

// Digits with an optional binary suffix: "64K", "1M", "2G".
bool ParseSize(std::string_view text, bool suffix, uint64_t max, uint64_t* out) {
  uint64_t value = 0;
  size_t i = 0;
  for (; i < text.size() && text[i] >= '0' && text[i] <= '9'; ++i) {
    if (value > max / 10) return false;
    value = value * 10 + static_cast<uint64_t>(text[i] - '0');
  }
  if (i == 0) return false;
  if (suffix && i < text.size()) {
    int shift = 0;
    switch (text[i++]) {
      case 'k':
      case 'K':
        shift = 10;
        break;
      case 'm':
      case 'M':
        shift = 20;
        break;
      case 'g':
      case 'G':
        shift = 30;
        break;
      default:
        return false;
    }
    if (value > max >> shift) return false;
    value <<= shift;
  }
  *out = value;
  return i == text.size() && value <= max;
}

void ReadDebugKey(std::string_view key, std::string_view value) {
  uint64_t number = 0;
  if (key == "guards") {
    if (value == "0") {
      settings.guards = Guards::kNone;
    } else if (value == "mprotect") {
      settings.guards = Guards::kMprotect;
    } else if (value == "madvise") {
      settings.guards = Guards::kMadvise;
    } else if (value == "1") {
      settings.guards = Guards::kAuto;
    } else {
      Reject("LEASH_DEBUG guards", value, "0, 1, mprotect or madvise");
    }
  } else if (key == "lockrank") {
    if (value != "0" && value != "1") Reject("LEASH_DEBUG lockrank", value, "0 or 1");
    settings.lock_rank = value == "1";
  } else if (key == "spawnstack") {
    if (!ParseSize(value, false, 8, &number)) Reject("LEASH_DEBUG spawnstack", value, "0 to 8");
    settings.spawn_stack = static_cast<int>(number);
  } else if (key == "schedtrace") {
    if (!ParseSize(value, false, kSchedTraceMsMax, &number)) {
      Reject("LEASH_DEBUG schedtrace", value, "milliseconds, 0 to 3600000");
    }
    settings.sched_trace_ms = static_cast<int64_t>(number);
  } else if (key == "scheddetail") {
    if (value != "0" && value != "1") Reject("LEASH_DEBUG scheddetail", value, "0 or 1");
    settings.sched_detail = value == "1";
  } else {
    Reject("LEASH_DEBUG key", key, "guards, lockrank, scheddetail, schedtrace or spawnstack");
  }
}

}  // namespace

const Settings& GetSettings() { return settings; }

void ReadSettings() {
  uint64_t number = 0;
  if (const char* text = getenv("LEASH_MAXPROCS"); text != nullptr && *text != '\0') {
    if (!ParseSize(text, false, 1024, &number) || number == 0) {
      Reject("LEASH_MAXPROCS", text, "a number from 1 to 1024");
    }
    settings.max_procs = static_cast<int>(number);
  }
  if (const char* text = getenv("LEASH_STACK_SIZE"); text != nullptr && *text != '\0') {
    if (!ParseSize(text, true, uint64_t{1} << 30, &number) || number < 16384) {
      Reject("LEASH_STACK_SIZE", text, "bytes from 16K to 1G, as in 256K");
    }
    settings.stack_bytes = number;
  }
  if (const char* text = getenv("LEASH_TRACEBACK"); text != nullptr && *text != '\0') {
    const std::string_view value = text;
    if (value == "none") {
      settings.traceback = Traceback::kNone;
    } else if (value == "single") {
      settings.traceback = Traceback::kSingle;
    } else if (value == "all") {
      settings.traceback = Traceback::kAll;
    } else {
      Reject("LEASH_TRACEBACK", value, "none, single or all");
    }
  }
  if (const char* text = getenv("LEASH_SIGQUIT"); text != nullptr && *text != '\0') {
    const std::string_view value = text;
    if (value == "dump") {
      settings.sigquit = SigQuit::kDump;
    } else if (value == "off") {
      settings.sigquit = SigQuit::kOff;
    } else if (value == "exit") {
      settings.sigquit = SigQuit::kExit;
    } else {
      Reject("LEASH_SIGQUIT", value, "exit, dump or off");
    }
  }
  if (const char* text = getenv("LEASH_TRACE"); text != nullptr && *text != '\0') {
    settings.trace = text;
  }
  if (const char* text = getenv("LEASH_DEBUG"); text != nullptr) {
    std::string_view rest = text;
    while (!rest.empty()) {
      const size_t comma = rest.find(',');
      const std::string_view item = rest.substr(0, comma);
      rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
      if (item.empty()) continue;
      const size_t equals = item.find('=');
      if (equals == std::string_view::npos) Reject("LEASH_DEBUG", item, "key=value");
      ReadDebugKey(item.substr(0, equals), item.substr(equals + 1));
    }
  }
  CheckLockRanks(settings.lock_rank);
}

}  // namespace leash::rt
