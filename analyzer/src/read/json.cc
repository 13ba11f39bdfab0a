// leash's JSON; docs/reference/snapshot-json.md is the schema, runtime/src/model/json_writer.cc the
// writer.
//
// A pull parser straight into the Snapshot: a document tree of a million goroutines would need ten
// times the memory, and its errors would not know the offset. Fields that are not known are stepped
// over, so that a later minor addition stays readable; another version is an error.

#include <algorithm>

#include "model/object_words.h"
#include "model/text.h"
#include "read/scan.h"

namespace leash::internal {
namespace {

constexpr int kDepthMax = 64;
constexpr int64_t kVersion = 1;

// The tokens of a JSON text. After the first failure every call fails, and status() says where.
class Json {
 public:
  explicit Json(std::string_view text) : text_(text) {}

  const absl::Status& status() const { return status_; }
  size_t offset() const { return at_; }

  bool Fail(std::string_view want) { return FailAt(at_, want); }
  bool FailAt(size_t offset, std::string_view want) {
    if (status_.ok()) status_ = WantHave(offset, want, text_.substr(offset));
    return false;
  }

  bool Expect(char c) {
    if (TryConsume(c)) return true;
    return Fail(std::string("'") + c + "'");
  }
  bool TryConsume(char c) {
    SkipSpace();
    if (!status_.ok() || at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool AtEnd() {
    SkipSpace();
    return at_ == text_.size();
  }

  // Calls field(key) at each value of an object; it must read the value, or return false.
  template <class FieldFn>
  bool Object(FieldFn field) {
    if (!Expect('{')) return false;
    if (TryConsume('}')) return true;
    std::string key;
    do {
      if (!String(&key) || !Expect(':') || !field(std::string_view(key))) return false;
    } while (TryConsume(','));
    return Expect('}');
  }
  // Calls element() at each value of a list.
  template <class ElementFn>
  bool List(ElementFn element) {
    if (!Expect('[')) return false;
    if (TryConsume(']')) return true;
    do {
      if (!element()) return false;
    } while (TryConsume(','));
    return Expect(']');
  }

  bool String(std::string* value) {
    SkipSpace();
    if (!Expect('"')) return false;
    value->clear();
    for (;;) {
      const size_t plain = text_.find_first_of("\"\\", at_);
      if (plain == text_.npos) {
        at_ = text_.size();
        return Fail("'\"'");
      }
      value->append(text_.substr(at_, plain - at_));
      at_ = plain + 1;
      if (text_[plain] == '"') return true;
      if (!Escape(value)) return false;
    }
  }

  template <std::integral T>
  bool Int(T* value) {
    SkipSpace();
    std::string_view rest = text_.substr(std::min(at_, text_.size()));
    if (!status_.ok() || !ConsumeInt(&rest, value)) return Fail("a whole number that fits");
    at_ = text_.size() - rest.size();
    return true;
  }

  bool Bool(bool* value) {
    *value = TryWord("true");
    return *value || TryWord("false") || Fail("true or false");
  }

  // A number in a text, as "0x1f".
  bool Address(uint64_t* value) {
    SkipSpace();
    const size_t begin = at_;
    std::string text;
    if (!String(&text)) return false;
    std::string_view view = text;
    return (ConsumeHex(&view, value) && view.empty()) || FailAt(begin, "an address \"0x...\"");
  }

  bool Skip() { return Skip(0); }

 private:
  void SkipSpace() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t' || text_[at_] == '\r')) {
      ++at_;
    }
  }

  bool TryWord(std::string_view word) {
    SkipSpace();
    if (!status_.ok() || !text_.substr(std::min(at_, text_.size())).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }

  bool Hex4(uint32_t* code) {
    std::string_view digits = text_.substr(std::min(at_, text_.size()), 4);
    if (digits.size() < 4 || !ConsumeInt(&digits, code, 16) || !digits.empty()) {
      return Fail("four hexadecimal digits");
    }
    at_ += 4;
    return true;
  }

  bool Escape(std::string* value) {
    if (at_ >= text_.size()) return Fail("an escape");
    const char c = text_[at_++];
    constexpr std::string_view kFrom = "\"\\/bfnrt", kTo = "\"\\/\b\f\n\r\t";
    if (const size_t i = kFrom.find(c); i != kFrom.npos) {
      value->push_back(kTo[i]);
      return true;
    }
    --at_;
    if (c != 'u') return Fail("an escape");
    ++at_;
    uint32_t code = 0;
    if (!Hex4(&code)) return false;
    if (code >= 0xd800 && code < 0xdc00 && text_.substr(at_).starts_with("\\u")) {
      at_ += 2;
      uint32_t low = 0;
      if (!Hex4(&low)) return false;
      code = 0x10000 + ((code & 0x3ff) << 10) + (low & 0x3ff);
    }
    if (code >= 0xdc80 && code <= 0xdcff) {
      value->push_back(static_cast<char>(code & 0xff));  // a byte that was not UTF-8
    } else {
      AppendUtf8(code, value);
    }
    return true;
  }

  bool Skip(int depth) {
    SkipSpace();
    if (depth > kDepthMax) return Fail("less than 64 levels");
    if (at_ >= text_.size()) return Fail("a value");
    const char c = text_[at_];
    if (c == '{') return Object([&](std::string_view) { return Skip(depth + 1); });
    if (c == '[') return List([&] { return Skip(depth + 1); });
    if (c == '"') {
      std::string ignored;
      return String(&ignored);
    }
    const size_t end =
        std::min(text_.find_first_not_of("+-.0123456789eEtrufalsn", at_), text_.size());
    if (end == at_) return Fail("a value");
    at_ = end;
    return true;
  }

  const std::string_view text_;
  size_t at_ = 0;
  absl::Status status_;
};

class JsonReader {
 public:
  JsonReader(std::string_view bytes, const ReadLimits& limits) : json_(bytes), limits_(limits) {}

  absl::StatusOr<Snapshot> Read() {
    bool good = json_.Object([&](std::string_view key) {
      if (key == "schema") return ReadSchema();
      if (key == "version") return ReadVersion();
      if (key == "origin") return json_.String(&s_.origin);
      if (key == "pid") return json_.Int(&s_.pid);
      if (key == "program") return json_.String(&s_.program);
      if (key == "captured_unix_ns") return json_.Int(&s_.captured_unix_ns);
      if (key == "capture_ns") return json_.Int(&s_.capture_ns);
      if (key == "notes") {
        return json_.List([&] { return json_.String(&s_.notes.emplace_back()); });
      }
      if (key == "chunks") return json_.List([&] { return ReadChunk(); });
      return json_.Skip();
    });
    if (good && !schema_) good = json_.FailAt(0, "\"schema\": \"leash-snapshot\"");
    if (good && !version_) good = json_.FailAt(0, "\"version\": 1");
    if (good && !json_.AtEnd()) good = json_.Fail("the end of the file");
    if (!good) return json_.status();
    return std::move(s_);
  }

 private:
  bool ReadSchema() {
    const size_t at = json_.offset();
    std::string schema;
    if (!json_.String(&schema)) return false;
    schema_ = schema == "leash-snapshot";
    return schema_ || json_.FailAt(at, "schema \"leash-snapshot\"");
  }
  bool ReadVersion() {
    const size_t at = json_.offset();
    int64_t version = 0;
    if (!json_.Int(&version)) return false;
    version_ = version == kVersion;
    return version_ || json_.FailAt(at, "version 1");
  }

  bool Text(StringId* id) {
    if (!json_.String(&text_)) return false;
    *id = s_.AddString(text_);
    return true;
  }
  template <class Enum, size_t n>
  bool Word(const std::array<std::string_view, n>& words, Enum* value) {
    const size_t at = json_.offset();
    if (!json_.String(&text_)) return false;
    const auto known = FromWord<Enum>(words, text_);
    if (!known.has_value()) {
      std::string want = "one of";
      for (std::string_view word : words) want.append(" \"").append(word).append("\"");
      return json_.FailAt(at, want);
    }
    *value = *known;
    return true;
  }

  // The tables of a chunk may come in any order, so references are kept as they stand in the file
  // and translated to the Snapshot's own when the chunk is complete.
  bool ReadChunk() {
    const size_t at = json_.offset();
    const size_t first_module = s_.modules.size();
    const auto first_location = static_cast<uint32_t>(s_.locations.size());
    const auto first_object = static_cast<uint32_t>(s_.objects.size());
    const size_t first_goroutine = s_.goroutines.size();
    uint32_t locations = 0, objects = 0;
    std::vector<Stack> stacks;
    std::vector<SiteId> sites;
    const bool read = json_.Object([&](std::string_view key) {
      if (key == "modules") return json_.List([&] { return ReadModule(); });
      if (key == "locations") {
        return json_.List([&] { return ++locations, ReadLocation(); });
      }
      if (key == "stacks") {
        return json_.List([&] { return ReadStack(&stacks.emplace_back()); });
      }
      if (key == "sites") {
        return json_.List([&] {
          Site site;
          if (!ReadSite(&site)) return false;
          sites.push_back(s_.AddSite(site));
          return true;
        });
      }
      if (key == "objects") {
        return json_.List([&] { return ++objects, ReadObject(); });
      }
      if (key == "goroutines") return json_.List([&] { return ReadGoroutine(); });
      return json_.Skip();
    });
    if (!read) return false;

    // Entry 0 of each table is the empty one, and so it is here.
    bool good = true;
    auto map = [&](uint32_t* id, uint32_t size, auto to) {
      if (*id == 0) return;
      if (*id >= size) {
        good = false;
        *id = 0;
      } else {
        *id = to(*id);
      }
    };
    auto location = [&](uint32_t id) { return first_location + id; };
    auto object = [&](uint32_t id) { return first_object + id; };
    auto site = [&](uint32_t id) { return sites[id]; };
    const auto site_count = static_cast<uint32_t>(sites.size());
    for (size_t i = first_location; i < s_.locations.size(); ++i) {
      int32_t& module = s_.locations[i].module;
      if (module >= 0) module += static_cast<int32_t>(first_module);
      good = good && module < static_cast<int64_t>(s_.modules.size());
    }
    std::vector<StackId> stack_ids;
    for (Stack& stack : stacks) {
      for (LocationId& id : stack.locations) map(&id, locations, location);
      stack_ids.push_back(s_.AddStack(std::move(stack)));
    }
    for (size_t i = first_object; i < s_.objects.size(); ++i) {
      WaitObject& o = s_.objects[i];
      for (SiteId* id : {&o.made_at, &o.last_send_dropped_at, &o.last_recv_dropped_at}) {
        map(id, site_count, site);
      }
    }
    auto stack = [&](uint32_t id) { return stack_ids[id]; };
    for (size_t i = first_goroutine; i < s_.goroutines.size(); ++i) {
      Goroutine& g = s_.goroutines[i];
      map(&g.created_at, site_count, site);
      map(&g.stack, static_cast<uint32_t>(stack_ids.size()), stack);
      map(&g.spawn_stack, static_cast<uint32_t>(stack_ids.size()), stack);
      for (Wait& wait : g.waits) map(&wait.object, objects, object);
      for (ObjectId& id : g.mentions) map(&id, objects, object);
      std::sort(g.mentions.begin(), g.mentions.end());
    }
    return good || json_.FailAt(at, "a chunk whose references stay in its own tables");
  }

  bool ReadModule() {
    Module& m = s_.modules.emplace_back();
    return json_.Object([&](std::string_view key) {
      if (key == "start") return json_.Address(&m.start);
      if (key == "limit") return json_.Address(&m.limit);
      if (key == "file_offset") return json_.Address(&m.file_offset);
      if (key == "path") return json_.String(&m.path);
      if (key == "build_id") return json_.String(&m.build_id);
      return json_.Skip();
    });
  }

  bool ReadLocation() {
    Location location;
    const bool read = json_.Object([&](std::string_view key) {
      if (key == "pc") return json_.Address(&location.pc);
      if (key == "offset") return json_.Int(&location.offset);
      if (key == "exact") return json_.Bool(&location.exact);
      if (key == "module") return json_.Int(&location.module);
      if (key == "frames") {
        return json_.List([&] { return ReadFrame(&location.frames.emplace_back()); });
      }
      return json_.Skip();
    });
    s_.AddLocation(std::move(location));
    return read;
  }

  bool ReadFrame(Frame* frame) {
    bool own_system_name = false;
    const bool read = json_.Object([&](std::string_view key) {
      if (key == "function") return Text(&frame->function);
      if (key == "system_name") return own_system_name = true, Text(&frame->system_name);
      if (key == "file") return Text(&frame->file);
      if (key == "line") return json_.Int(&frame->line);
      if (key == "start_line") return json_.Int(&frame->start_line);
      if (key == "inlined") return json_.Bool(&frame->inlined);
      if (key == "runtime") return json_.Bool(&frame->runtime);
      return json_.Skip();
    });
    if (!own_system_name) frame->system_name = frame->function;
    return read;
  }

  bool ReadStack(Stack* stack) {
    const bool read = json_.Object([&](std::string_view key) {
      if (key == "locations") {
        return json_.List([&] { return json_.Int(&stack->locations.emplace_back()); });
      }
      if (key == "elided") return json_.Int(&stack->elided);
      if (key == "elided_after") return json_.Int(&stack->elided_after);
      return json_.Skip();
    });
    if (stack->elided < 0) stack->elided = kElidedUnknown;
    return read;
  }

  bool ReadSite(Site* site) {
    return json_.Object([&](std::string_view key) {
      if (key == "function") return Text(&site->function);
      if (key == "file") return Text(&site->file);
      if (key == "line") return json_.Int(&site->line);
      if (key == "pc") return json_.Address(&site->pc);
      return json_.Skip();
    });
  }

  bool ReadObject() {
    WaitObject o;
    const bool read = json_.Object([&](std::string_view key) {
      if (key == "kind") return Word(kObjectKindWords, &o.kind);
      if (key == "address") return json_.Address(&o.address);
      if (key == "name") return Text(&o.name);
      if (key == "made_at") return json_.Int(&o.made_at);
      if (key == "made_by") return json_.Int(&o.made_by);
      if (key == "element") return Text(&o.element);
      if (key == "capacity") return json_.Int(&o.capacity);
      if (key == "length") return json_.Int(&o.length);
      if (key == "closed") return json_.Bool(&o.closed);
      if (key == "counted") return json_.Bool(&o.counted);
      if (key == "send_handles") return json_.Int(&o.send_handles);
      if (key == "recv_handles") return json_.Int(&o.recv_handles);
      if (key == "send_handles_elsewhere") return json_.Int(&o.send_handles_elsewhere);
      if (key == "recv_handles_elsewhere") return json_.Int(&o.recv_handles_elsewhere);
      if (key == "by_reference") return json_.Bool(&o.by_reference);
      if (key == "last_send_dropped_at") return json_.Int(&o.last_send_dropped_at);
      if (key == "last_recv_dropped_at") return json_.Int(&o.last_recv_dropped_at);
      if (key == "last_send_dropped_by") return json_.Int(&o.last_send_dropped_by);
      if (key == "last_recv_dropped_by") return json_.Int(&o.last_recv_dropped_by);
      if (key == "timer") return json_.Bool(&o.timer);
      if (key == "holder") return json_.Int(&o.holder);
      if (key == "holder_alive") return json_.Bool(&o.holder_alive);
      if (key == "counter") return json_.Int(&o.counter);
      if (key == "readers") return json_.Int(&o.readers);
      if (key == "fd") return json_.Int(&o.fd);
      return json_.Skip();
    });
    s_.AddObject(o);
    return read;
  }

  bool ReadGoroutine() {
    if (s_.goroutines.size() >= limits_.goroutines) {
      return json_.Fail("at most " + std::to_string(limits_.goroutines) + " goroutines");
    }
    Goroutine& g = s_.goroutines.emplace_back();
    return json_.Object([&](std::string_view key) {
      if (key == "id") return json_.Int(&g.id);
      if (key == "parent_id") return json_.Int(&g.parent_id);
      if (key == "kind") return Word(kGoroutineKindWords, &g.kind);
      if (key == "state") return Word(kStateWords, &g.state);
      if (key == "reason") return Text(&g.reason);
      if (key == "wait_ns") return json_.Int(&g.wait_ns);
      if (key == "locked_to_thread") return json_.Bool(&g.locked_to_thread);
      if (key == "runtime_internal") return json_.Bool(&g.runtime_internal);
      if (key == "current") return json_.Bool(&g.current);
      if (key == "tier") return Word(kLeakTierWords, &g.tier);
      if (key == "tier_reason") return Text(&g.tier_reason);
      if (key == "labels") return ReadLabels(&g.labels);
      if (key == "test") return Text(&g.test);
      if (key == "background") return Text(&g.background);
      if (key == "created_at") return json_.Int(&g.created_at);
      if (key == "stack") return json_.Int(&g.stack);
      if (key == "spawn_stack") return json_.Int(&g.spawn_stack);
      if (key == "waits") {
        return json_.List([&] {
          Wait& wait = g.waits.emplace_back();
          return json_.Object([&](std::string_view field) {
            if (field == "object") return json_.Int(&wait.object);
            if (field == "op") return Word(kWaitOpWords, &wait.op);
            return json_.Skip();
          });
        });
      }
      if (key == "mentions") {
        return json_.List([&] { return json_.Int(&g.mentions.emplace_back()); });
      }
      if (key == "mentions_unknown") return json_.Bool(&g.mentions_unknown);
      if (key == "stack_bytes") return json_.Int(&g.stack_bytes);
      if (key == "annotations") return Text(&g.annotations);
      return json_.Skip();
    });
  }

  bool ReadLabels(LabelSetId* id) {
    std::vector<std::pair<std::string, std::string>> labels;
    const bool read = json_.Object([&](std::string_view key) {
      auto& label = labels.emplace_back(key, "");
      return json_.String(&label.second);
    });
    *id = AddLabels(&s_, std::move(labels));
    return read;
  }

  Json json_;
  const ReadLimits limits_;
  Snapshot s_;
  std::string text_;
  bool schema_ = false, version_ = false;
};

}  // namespace

absl::StatusOr<Snapshot> ReadJson(std::string_view bytes, const ReadLimits& limits) {
  return JsonReader(bytes, limits).Read();
}

}  // namespace leash::internal
