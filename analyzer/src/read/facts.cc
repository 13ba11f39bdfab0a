// The lines that begin with '#' in text 3; runtime/src/model/go_text.cc writes them.

#include "read/facts.h"

#include <algorithm>
#include <string>

#include "model/object_words.h"
#include "read/scan.h"

namespace leash::internal {
namespace {

bool ConsumeSeconds(std::string_view* text, int64_t* ns) {
  std::string_view rest = *text;
  int64_t seconds = 0;
  if (!ConsumeInt(&rest, &seconds) || seconds < 0 || seconds > INT64_MAX / 2'000'000'000) {
    return false;
  }
  int64_t fraction = 0;
  if (Consume(".", &rest)) {
    int64_t unit = 1'000'000'000;
    while (!rest.empty() && rest[0] >= '0' && rest[0] <= '9' && unit > 1) {
      unit /= 10;
      fraction += (rest[0] - '0') * unit;
      rest.remove_prefix(1);
    }
  }
  if (!Consume("s", &rest)) return false;
  *ns = seconds * 1'000'000'000 + fraction;
  *text = rest;
  return true;
}

std::string_view ConsumeWord(std::string_view* text) {
  const std::string_view word = text->substr(0, text->find(' '));
  text->remove_prefix(word.size());
  return word;
}

bool ConsumeCounts(std::string_view* text, uint64_t* all, uint64_t* elsewhere) {
  return ConsumeInt(text, all) && Consume("/", text) && ConsumeInt(text, elsewhere);
}

}  // namespace

bool FactReader::Read(std::string_view line, Goroutine* g) {
  if (line.starts_with("goroutine") || line.starts_with("thread")) return ReadKind(line, g);
  if (Consume("test: ", &line)) return ReadText(line, &g->test);
  if (Consume("background: ", &line)) return ReadText(line, &g->background);
  if (Consume("leak: ", &line)) return ReadLeak(line, g);
  if (Consume("waits: ", &line)) return ReadWait(line, g);
  if (Consume("mentions:", &line)) return ReadMentions(line, g);
  return false;
}

bool FactReader::ReadText(std::string_view line, StringId* text) {
  std::string value;
  if (!ConsumeQuoted(&line, &value) || !line.empty()) return false;
  *text = s_.AddString(value);
  return true;
}

bool FactReader::ReadKind(std::string_view line, Goroutine* g) {
  Goroutine read = *g;
  if (Consume("thread", &line)) {
    read.kind = GoroutineKind::kThread;
  } else if (!Consume("goroutine", &line)) {
    return false;
  }
  while (Consume(", ", &line)) {
    bool good = true;
    if (Consume("runtime's own", &line)) {
      read.runtime_internal = true;
    } else if (Consume("waiting ", &line) || Consume("so for ", &line)) {
      good = ConsumeSeconds(&line, &read.wait_ns);
    } else if (Consume("parent ", &line)) {
      good = ConsumeInt(&line, &read.parent_id);
    } else if (Consume("stack ", &line)) {
      good = ConsumeInt(&line, &read.stack_bytes) && Consume(" bytes", &line);
    } else {
      good = false;
    }
    if (!good) return false;
  }
  if (!line.empty()) return false;
  *g = std::move(read);
  return true;
}

bool FactReader::ReadLeak(std::string_view line, Goroutine* g) {
  const std::string_view word = line.substr(0, line.find(':'));
  const auto tier = FromWord<LeakTier>(kLeakTierWords, word);
  if (!tier.has_value()) return false;
  line.remove_prefix(word.size());
  StringId reason = 0;
  if (Consume(": ", &line) ? !ReadText(line, &reason) : !line.empty()) return false;
  g->tier = *tier;
  g->tier_reason = reason;
  return true;
}

ObjectId FactReader::Object(uint64_t address) {
  auto [it, added] = objects_.try_emplace(address, 0);
  if (added) {
    WaitObject object;
    object.address = address;
    it->second = s_.AddObject(object);
  }
  return it->second;
}

bool FactReader::ReadSite(std::string_view* line, SiteId* site, uint64_t* by) {
  std::string file, function;
  Site read;
  if (!ConsumeQuoted(line, &file) || !Consume(":", line) || !ConsumeInt(line, &read.line)) {
    return false;
  }
  if (Consume(" in ", line) && !ConsumeQuoted(line, &function)) return false;
  if (Consume(" by ", line) && !ConsumeInt(line, by)) return false;
  read.file = s_.AddString(file);
  read.function = s_.AddString(function);
  *site = s_.AddSite(read);
  return true;
}

bool FactReader::ReadWait(std::string_view line, Goroutine* g) {
  const auto op = FromWord<Wait::Op>(kWaitOpWords, ConsumeWord(&line));
  if (!op.has_value()) return false;
  if (line == " nil") {
    g->waits.push_back({0, *op});
    return true;
  }
  WaitObject o;
  if (!Consume(" ", &line)) return false;
  const auto kind = FromWord<ObjectKind>(kObjectKindWords, ConsumeWord(&line));
  if (!kind.has_value() || !Consume(" ", &line) || !ConsumeHex(&line, &o.address)) return false;
  o.kind = *kind;
  std::string text;
  while (Consume(" ", &line)) {
    const std::string_view key = ConsumeWord(&line);
    const bool flag = key == "closed" || key == "timer" || key == "by-reference";
    if (!flag && !Consume(" ", &line)) return false;
    bool good = true;
    if (key == "element" || key == "name") {
      good = ConsumeQuoted(&line, &text);
      if (good) (key == "name" ? o.name : o.element) = s_.AddString(text);
    } else if (key == "cap") {
      good = ConsumeInt(&line, &o.capacity);
    } else if (key == "len") {
      good = ConsumeInt(&line, &o.length);
    } else if (key == "closed") {
      o.closed = true;
    } else if (key == "timer") {
      o.timer = true;
    } else if (key == "send") {
      o.counted = true;
      good = ConsumeCounts(&line, &o.send_handles, &o.send_handles_elsewhere);
    } else if (key == "recv") {
      good = ConsumeCounts(&line, &o.recv_handles, &o.recv_handles_elsewhere);
    } else if (key == "by-reference") {
      o.by_reference = true;
    } else if (key == "holder") {
      good = ConsumeInt(&line, &o.holder) && Consume(" ", &line);
      const std::string_view word = ConsumeWord(&line);
      o.holder_alive = word == "alive";
      good = good && (word == "alive" || word == "gone");
    } else if (key == "counter") {
      good = ConsumeInt(&line, &o.counter);
    } else if (key == "readers") {
      good = ConsumeInt(&line, &o.readers);
    } else if (key == "fd") {
      good = ConsumeInt(&line, &o.fd);
    } else if (key == "made") {
      good = ReadSite(&line, &o.made_at, &o.made_by);
    } else if (key == "send-dropped") {
      good = ReadSite(&line, &o.last_send_dropped_at, &o.last_send_dropped_by);
    } else if (key == "recv-dropped") {
      good = ReadSite(&line, &o.last_recv_dropped_at, &o.last_recv_dropped_by);
    } else {
      return false;
    }
    if (!good) return false;
  }
  if (!line.empty()) return false;
  // Without an address there is nothing by which to know it again.
  ObjectId id;
  if (o.address == 0) {
    id = s_.AddObject(o);
  } else {
    id = Object(o.address);
    s_.objects[id] = o;
  }
  g->waits.push_back({id, *op});
  return true;
}

bool FactReader::ReadMentions(std::string_view line, Goroutine* g) {
  if (line == " anything") {
    g->mentions_unknown = true;
    return true;
  }
  std::vector<ObjectId> mentions;
  while (Consume(" ", &line)) {
    uint64_t address = 0;
    if (!ConsumeHex(&line, &address)) return false;
    if (address != 0) mentions.push_back(Object(address));
  }
  if (!line.empty()) return false;
  std::sort(mentions.begin(), mentions.end());
  g->mentions = std::move(mentions);
  return true;
}

}  // namespace leash::internal
