// The text of a race report.

#include "race/report.h"

#include <cctype>
#include <cstdio>
#include <utility>

#include "model/function_name.h"

namespace leash::race {
namespace {

using internal::RaceFrame;

constexpr std::string_view kFence = "==================\n";

std::string_view NameOf(const RaceFrame& frame) {
  std::string_view name = internal::FunctionWithoutParameters(frame.function);
  // ThreadSanitizer's own memcpy, free and so on.
  for (std::string_view prefix : {"___interceptor_", "__interceptor_"}) {
    if (name.starts_with(prefix)) name.remove_prefix(prefix.size());
  }
  return name;
}

// Of what a thread or a goroutine is created with.
bool IsCreation(const RaceFrame& frame) {
  const std::string_view name = NameOf(frame);
  return frame.file.find("/include/leash/") != frame.file.npos || name.starts_with("std::") ||
         name == "pthread_create";
}

bool IsHidden(const RaceFrame& frame) {
  return frame.runtime || frame.function.starts_with("__tsan_");
}

class TextWriter {
 public:
  TextWriter(const Report& report, const Describe& describe, std::string_view strip)
      : report_(report), describe_(describe), strip_(strip) {}

  std::string Write() {
    *this << kFence << "WARNING: " << Title() << "\n";
    bool first = true;
    for (const Access& access : report_.accesses) {
      if (!first) *this << "\n";
      *this << (first          ? access.write ? "Write" : "Read"
                : access.write ? "Previous write"
                               : "Previous read")
            << " at ";
      char address[32];
      snprintf(address, sizeof(address), "0x%012llx",
               static_cast<unsigned long long>(access.address));
      *this << address << " by " << WhoseText(access.thread) << ":\n";
      Stack(access.pcs, /*creation=*/false);
      first = false;
    }
    for (const Pcs& pcs : report_.stacks) {
      if (!first) *this << "\n";
      Stack(pcs, /*creation=*/false);
      first = false;
    }
    for (const Participant& participant : report_.participants) {
      if (participant.id == 0) continue;
      std::string who = WhoseText(participant.id);
      who[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(who[0])));
      *this << "\n"
            << who << (participant.running ? " (running)" : " (finished)") << " created at:\n";
      Stack(participant.created, /*creation=*/true);
    }
    if (const std::string_view misuse = Misuse(); !misuse.empty()) {
      *this << "\nleash: " << misuse << "\n";
    }
    *this << kFence;
    return std::move(text_);
  }

 private:
  TextWriter& operator<<(std::string_view text) {
    text_ += text;
    return *this;
  }

  std::string Title() const {
    if (report_.kind.starts_with("data-race")) return "DATA RACE";
    std::string title;
    for (char c : report_.kind) {
      title += c == '-' ? ' ' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    }
    return title;
  }

  std::string WhoseText(int id) const {
    if (id == 0) return "main goroutine";
    for (const Participant& participant : report_.participants) {
      if (participant.id != id) continue;
      if (participant.name.starts_with("goroutine ")) return participant.name;
      std::string text = "thread " + std::to_string(participant.os_id);
      if (!participant.name.empty()) text += " (" + participant.name + ")";
      return text;
    }
    return "thread";
  }

  void Stack(const Pcs& pcs, bool creation) {
    std::vector<RaceFrame> frames, shown;
    for (uint64_t pc : pcs) {
      for (RaceFrame& frame : describe_(pc)) frames.push_back(std::move(frame));
    }
    bool entered = false;
    for (const RaceFrame& frame : frames) {
      if (creation && !entered && IsCreation(frame)) continue;
      if (IsHidden(frame)) continue;
      entered = true;
      shown.push_back(frame);
    }
    for (const RaceFrame& frame : shown.empty() ? frames : shown) {
      std::string_view file = frame.file.empty() ? std::string_view("??") : frame.file;
      if (!strip_.empty() && file.starts_with(strip_)) file.remove_prefix(strip_.size());
      char offset[32];
      snprintf(offset, sizeof(offset), " +0x%llx", static_cast<unsigned long long>(frame.offset));
      *this << "  " << NameOf(frame) << "()\n      " << file << ":" << std::to_string(frame.line)
            << offset << "\n";
    }
    if (frames.empty()) *this << "  [failed to restore the stack]\n";
  }

  // The outermost function at the place of an access.
  std::string Accessor(size_t index) const {
    if (index >= report_.accesses.size() || report_.accesses[index].pcs.empty()) return {};
    const std::vector<RaceFrame> frames = describe_(report_.accesses[index].pcs[0]);
    return frames.empty() ? std::string() : std::string(NameOf(frames.back()));
  }

  // The runtime's accesses stand for operations that must be ordered: see base/race.h.
  std::string_view Misuse() const {
    std::string a = Accessor(0), b = Accessor(1);
    for (int i = 0; i < 2; ++i, std::swap(a, b)) {
      if (a == "leash::WaitGroup::Add" && b == "leash::WaitGroup::Wait") {
        return "this is WaitGroup::Add called concurrently with Wait: call Add before go";
      }
      if (a == "leash::internal::ChanClose" && b.starts_with("leash::internal::")) {
        return "this is a close that nothing orders after a send on the same channel: the send may "
               "panic; let the sender close, or wait for the senders first";
      }
    }
    return {};
  }

  const Report& report_;
  const Describe& describe_;
  const std::string_view strip_;
  std::string text_;
};

}  // namespace

std::string ReportText(const Report& report, const Describe& describe,
                       std::string_view strip_path_prefix) {
  return TextWriter(report, describe, strip_path_prefix).Write();
}

}  // namespace leash::race
