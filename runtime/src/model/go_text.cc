// Go's full text of goroutines.
//
//   goroutine 18 [chan receive (leaked), 2 minutes, locked to thread] {name: fetcher}:
//   Cache::Evict(Key)
//   <TAB>/src/cache.cc:88 +0x1f
//   created by Cache::Start in goroutine 1
//   <TAB>/src/cache.cc:41
//
// The shape is that of Go 1.27, to the byte, because people have readers for it; what leash knows
// beyond it stands in lines that begin with '#', in text 3 only.

#include "model/go_text.h"

#include "model/function_name.h"
#include "model/object_words.h"
#include "model/stack_view.h"
#include "model/text.h"

namespace leash::internal {
namespace {

constexpr int kElideEnd = 50;  // frames kept at each end
constexpr int64_t kNsPerMinute = 60'000'000'000;

// Go 1.27 quotes a label only where it must.
void AppendLabelWord(std::string_view word, std::string* out) {
  for (char c : word) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '.' || c == '/' || c == '_';
    if (!plain) return AppendGoQuoted(word, out);
  }
  out->append(word);
}

void AppendHeader(const Snapshot& s, const Goroutine& g, std::string* out) {
  *out += "goroutine ";
  AppendInt(g.id, out);
  *out += " [";
  out->append(s.StatusWord(g));
  if (g.tier == LeakTier::kProved) *out += " (leaked)";
  // "(durable), synctest bubble 1": what is in parentheses belongs to the reason, the rest comes
  // last.
  std::string_view annotations = s.String(g.annotations);
  while (annotations.starts_with('(')) {
    const size_t close = annotations.find(')');
    if (close == annotations.npos) break;
    *out += ' ';
    out->append(annotations.substr(0, close + 1));
    annotations.remove_prefix(close + 1);
    while (annotations.starts_with(' ') || annotations.starts_with(','))
      annotations.remove_prefix(1);
  }
  const bool timed = g.state == GoroutineState::kWaiting || g.state == GoroutineState::kSyscall ||
                     g.state == GoroutineState::kOther;
  if (timed && g.wait_ns >= kNsPerMinute) {
    *out += ", ";
    AppendInt(g.wait_ns / kNsPerMinute, out);
    *out += " minutes";
  }
  if (g.locked_to_thread || g.kind == GoroutineKind::kThread) *out += ", locked to thread";
  if (!annotations.empty()) {
    *out += ", ";
    out->append(annotations);
  }
  *out += ']';
  const LabelSet& labels = s.label_sets[g.labels];
  for (size_t i = 0; i < labels.size(); ++i) {
    *out += i == 0 ? " {" : ", ";
    AppendLabelWord(s.String(labels[i].first), out);
    *out += ": ";
    AppendLabelWord(s.String(labels[i].second), out);
  }
  if (!labels.empty()) *out += '}';
  *out += ":\n";
}

void AppendPlace(std::string_view file, int32_t line, std::string* out) {
  *out += '\t';
  out->append(file.empty() ? std::string_view("?") : file);
  *out += ':';
  AppendInt(line, out);
}

void AppendFrame(const Snapshot& s, const Location& location, const Frame& frame,
                 std::string* out) {
  if (frame.function == 0 && location.pc != 0) {
    AppendHex(location.pc, out);
    *out += "()";
  } else {
    AppendGoCall(s.String(frame.function), frame.inlined, out);
  }
  *out += '\n';
  AppendPlace(s.String(frame.file), frame.line, out);
  if (!frame.inlined && location.offset != 0) {
    *out += " +";
    AppendHex(location.offset, out);
  }
  *out += '\n';
}

void AppendElided(int32_t n, std::string* out) {
  *out += "...";
  if (n == kElidedUnknown) {
    *out += "additional";
  } else {
    AppendInt(n, out);
  }
  *out += " frames elided...\n";
}

void AppendStack(const Snapshot& s, StackId id, bool elide, std::string* out) {
  const Stack& stack = s.stacks[id];
  int32_t count = 0;
  if (elide) ForEachVisibleFrame(s, stack, [&](const Location&, const Frame&) { ++count; });
  const bool cut = elide && count > 2 * kElideEnd;
  int32_t index = 0;
  ForEachVisibleFrame(
      s, stack,
      [&](const Location& location, const Frame& frame) {
        if (!cut || index < kElideEnd || index >= count - kElideEnd) {
          AppendFrame(s, location, frame, out);
        } else if (index == kElideEnd) {
          AppendElided(count - 2 * kElideEnd, out);
        }
        ++index;
      },
      [&](int32_t n) { AppendElided(n, out); });
}

void AppendCreator(const Snapshot& s, const Goroutine& g, std::string* out) {
  const Site& site = s.sites[g.created_at];
  if (site == Site{}) return;
  *out += "created by ";
  out->append(site.function == 0 ? std::string_view("???")
                                 : FunctionWithoutParameters(s.String(site.function)));
  if (g.parent_id != 0) {
    *out += " in goroutine ";
    AppendInt(g.parent_id, out);
  }
  *out += '\n';
  AppendPlace(s.String(site.file), site.line, out);
  *out += '\n';
}

// Seconds with as many decimals as are needed to be exact.
void AppendSeconds(int64_t ns, std::string* out) {
  AppendInt(ns / 1'000'000'000, out);
  if (int64_t rest = ns % 1'000'000'000; rest != 0) {
    std::string digits = std::to_string(1'000'000'000 + rest).substr(1);
    digits.erase(digits.find_last_not_of('0') + 1);
    *out += '.';
    *out += digits;
  }
  *out += 's';
}

void AppendSite(std::string_view word, const Snapshot& s, SiteId id, uint64_t by,
                std::string* out) {
  const Site& site = s.sites[id];
  if (id == 0 && by == 0) return;
  *out += ' ';
  out->append(word);
  *out += ' ';
  AppendGoQuoted(s.String(site.file), out);
  *out += ':';
  AppendInt(site.line, out);
  if (site.function != 0) {
    *out += " in ";
    AppendGoQuoted(s.String(site.function), out);
  }
  if (by != 0) {
    *out += " by ";
    AppendInt(by, out);
  }
}

template <class T>
void AppendCount(std::string_view word, T value, std::string* out) {
  *out += ' ';
  out->append(word);
  *out += ' ';
  AppendInt(value, out);
}

void AppendWait(const Snapshot& s, const Wait& wait, std::string* out) {
  *out += "# waits: ";
  out->append(Word(wait.op));
  if (wait.object == 0) {
    *out += " nil\n";
    return;
  }
  const WaitObject& o = s.objects[wait.object];
  *out += ' ';
  out->append(Word(o.kind));
  *out += ' ';
  AppendHex(o.address, out);
  if (o.element != 0) {
    *out += " element ";
    AppendGoQuoted(s.String(o.element), out);
  }
  if (o.name != 0) {
    *out += " name ";
    AppendGoQuoted(s.String(o.name), out);
  }
  if (o.kind == ObjectKind::kChan) {
    AppendCount("cap", o.capacity, out);
    AppendCount("len", o.length, out);
    if (o.closed) *out += " closed";
    if (o.timer) *out += " timer";
  }
  if (o.counted) {
    AppendCount("send", o.send_handles, out);
    *out += '/';
    AppendInt(o.send_handles_elsewhere, out);
    AppendCount("recv", o.recv_handles, out);
    *out += '/';
    AppendInt(o.recv_handles_elsewhere, out);
    if (o.by_reference) *out += " by-reference";
  }
  if (o.holder != 0) {
    AppendCount("holder", o.holder, out);
    *out += o.holder_alive ? " alive" : " gone";
  }
  if (o.counter != 0) AppendCount("counter", o.counter, out);
  if (o.readers != 0) AppendCount("readers", o.readers, out);
  if (o.fd >= 0) AppendCount("fd", o.fd, out);
  AppendSite("made", s, o.made_at, o.made_by, out);
  AppendSite("send-dropped", s, o.last_send_dropped_at, o.last_send_dropped_by, out);
  AppendSite("recv-dropped", s, o.last_recv_dropped_at, o.last_recv_dropped_by, out);
  *out += '\n';
}

// The lines of text 3 that stand between the header and the frames.
void AppendFacts(const Snapshot& s, const Goroutine& g, std::string* out) {
  *out += "# ";
  out->append(g.kind == GoroutineKind::kThread ? "thread" : "goroutine");
  if (g.runtime_internal) *out += ", runtime's own";
  if (g.wait_ns >= 0) {
    *out += g.state == GoroutineState::kWaiting ? ", waiting " : ", so for ";
    AppendSeconds(g.wait_ns, out);
  }
  if (g.parent_id != 0) {
    *out += ", parent ";
    AppendInt(g.parent_id, out);
  }
  if (g.stack_bytes != 0) {
    *out += ", stack ";
    AppendInt(g.stack_bytes, out);
    *out += " bytes";
  }
  *out += '\n';
  auto text = [&](std::string_view key, StringId id) {
    if (id == 0) return;
    out->append(key);
    AppendGoQuoted(s.String(id), out);
    *out += '\n';
  };
  text("# test: ", g.test);
  text("# background: ", g.background);
  if (g.tier != LeakTier::kNone) {
    *out += "# leak: ";
    out->append(Word(g.tier));
    if (g.tier_reason != 0) {
      *out += ": ";
      AppendGoQuoted(s.String(g.tier_reason), out);
    }
    *out += '\n';
  }
  for (const Wait& wait : g.waits) AppendWait(s, wait, out);
  if (g.mentions_unknown) *out += "# mentions: anything\n";
  if (!g.mentions.empty()) {
    *out += "# mentions:";
    for (ObjectId id : g.mentions) {
      *out += ' ';
      AppendHex(s.objects[id].address, out);
    }
    *out += '\n';
  }
}

}  // namespace

void AppendGoroutine(const Snapshot& snapshot, const Goroutine& g, const GoTextOptions& options,
                     std::string* out) {
  AppendHeader(snapshot, g, out);
  if (options.full) AppendFacts(snapshot, g, out);
  const Stack& stack = snapshot.stacks[g.stack];
  if (stack.locations.empty() && stack.elided == 0 && g.state == GoroutineState::kRunning) {
    *out += "\tgoroutine running on other thread; stack unavailable\n";
  } else {
    AppendStack(snapshot, g.stack, options.elide, out);
  }
  AppendCreator(snapshot, g, out);
  if (options.full && !snapshot.stacks[g.spawn_stack].locations.empty()) {
    *out += "[originating from goroutine ";
    AppendInt(g.parent_id, out);
    *out += "]:\n";
    AppendStack(snapshot, g.spawn_stack, /*elide=*/false, out);
  }
}

void GoTextWriter::WriteOne(const Snapshot& snapshot, const Goroutine& g) {
  if (!first_) buffer_.text() += '\n';
  first_ = false;
  AppendGoroutine(snapshot, g, options_, &buffer_.text());
  buffer_.Drain();
}

void GoTextWriter::Write(const Snapshot& snapshot) {
  for (const Goroutine& g : snapshot.goroutines) {
    if (g.current) WriteOne(snapshot, g);
  }
  for (const Goroutine& g : snapshot.goroutines) {
    if (!g.current) WriteOne(snapshot, g);
  }
}

}  // namespace leash::internal
