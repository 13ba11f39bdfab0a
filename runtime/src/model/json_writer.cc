// A Snapshot as JSON; docs/reference/snapshot-json.md is the schema.
//
// Every Write is one element of "chunks" with tables of its own, so nothing has to be kept from one
// to the next. A field that is zero, false or empty is left out; the reader puts it back. Addresses
// are texts in hexadecimal: a JSON number loses them in every reader that has only doubles.

#include <algorithm>
#include <vector>

#include "model/object_words.h"
#include "model/text.h"
#include "model/writer.h"

namespace leash::internal {
namespace {

// Writes the fields of one object or the elements of one list, with the commas between them.
class Json {
 public:
  explicit Json(std::string* out) : out_(*out) {}

  void Open(char bracket) {
    Comma();
    out_ += bracket;
    fresh_ = true;
  }
  void Close(char bracket) {
    out_ += bracket;
    fresh_ = false;
  }
  void Key(std::string_view key) {
    Comma();
    AppendJsonString(key, &out_);
    out_ += ':';
    fresh_ = true;
  }
  void List(std::string_view key) {
    Key(key);
    Open('[');
  }
  void Text(std::string_view text) {
    Comma();
    AppendJsonString(text, &out_);
  }
  template <class T>
  void Int(T value) {
    Comma();
    AppendInt(value, &out_);
  }

  // Fields, left out when they hold what their absence means.
  void Field(std::string_view key, std::string_view value) {
    if (value.empty()) return;
    Key(key);
    Text(value);
  }
  template <std::integral T>
  void Field(std::string_view key, T value, T absent = 0) {
    if (value == absent) return;
    Key(key);
    Int(value);
  }
  void Flag(std::string_view key, bool value) {
    if (!value) return;
    Key(key);
    Comma();
    out_ += "true";
  }
  void Address(std::string_view key, uint64_t value) {
    if (value == 0) return;
    Key(key);
    Comma();
    out_ += '"';
    AppendHex(value, &out_);
    out_ += '"';
  }
  void NewLine() {
    Comma();
    out_ += '\n';
    fresh_ = true;
  }

 private:
  void Comma() {
    if (!fresh_) out_ += ',';
    fresh_ = false;
  }

  std::string& out_;
  bool fresh_ = true;  // nothing stands before the next value
};

class JsonWriter : public SnapshotWriter {
 public:
  explicit JsonWriter(Sink* sink) : buffer_(sink), json_(&buffer_.text()) {}

  void Write(const Snapshot& s) override {
    Begin(s);
    for (const std::string& note : s.notes) {
      if (std::find(notes_.begin(), notes_.end(), note) == notes_.end()) notes_.push_back(note);
    }
    json_.NewLine();
    json_.Open('{');
    Table("modules", s.modules, [&](const Module& module) {
      json_.Address("start", module.start);
      json_.Address("limit", module.limit);
      json_.Address("file_offset", module.file_offset);
      json_.Field("path", module.path);
      json_.Field("build_id", module.build_id);
    });
    Table("locations", s.locations, [&](const Location& l) { LocationFields(s, l); });
    Table("stacks", s.stacks, [&](const Stack& stack) {
      Ids("locations", stack.locations);
      json_.Field("elided", stack.elided == kElidedUnknown ? -1 : stack.elided);
      json_.Field("elided_after", stack.elided_after);
    });
    Table("sites", s.sites, [&](const Site& site) {
      json_.Field("function", s.String(site.function));
      json_.Field("file", s.String(site.file));
      json_.Field("line", site.line);
      json_.Address("pc", site.pc);
    });
    Table("objects", s.objects, [&](const WaitObject& o) { ObjectFields(s, o); });
    Table("goroutines", s.goroutines, [&](const Goroutine& g) { GoroutineFields(s, g); });
    json_.Close('}');
    buffer_.Drain();
  }

  void Finish() override {
    if (!begun_) Begin(Snapshot());
    json_.Close(']');
    if (!notes_.empty()) {
      json_.List("notes");
      for (const std::string& note : notes_) json_.Text(note);
      json_.Close(']');
    }
    json_.Close('}');
    buffer_.text() += '\n';
    buffer_.Flush();
  }

 private:
  void Begin(const Snapshot& s) {
    if (begun_) return;
    begun_ = true;
    json_.Open('{');
    json_.Field("schema", "leash-snapshot");
    json_.Field("version", 1);
    json_.Field("origin", s.origin);
    json_.Field("pid", s.pid);
    json_.Field("program", s.program);
    json_.Field("captured_unix_ns", s.captured_unix_ns);
    json_.Field("capture_ns", s.capture_ns);
    json_.List("chunks");
  }

  template <class T, class Fields>
  void Table(std::string_view name, const std::vector<T>& table, Fields fields) {
    json_.NewLine();
    json_.List(name);
    for (const T& entry : table) {
      json_.NewLine();
      json_.Open('{');
      fields(entry);
      json_.Close('}');
      buffer_.Drain();
    }
    json_.Close(']');
  }

  void Ids(std::string_view key, const std::vector<uint32_t>& ids) {
    if (ids.empty()) return;
    json_.List(key);
    for (uint32_t id : ids) json_.Int(id);
    json_.Close(']');
  }

  void LocationFields(const Snapshot& s, const Location& location) {
    json_.Address("pc", location.pc);
    json_.Field("offset", location.offset);
    json_.Flag("exact", location.exact);
    json_.Field("module", location.module, -1);
    if (location.frames.empty()) return;
    json_.List("frames");
    for (const Frame& frame : location.frames) {
      json_.Open('{');
      json_.Field("function", s.String(frame.function));
      if (frame.system_name != frame.function) {
        json_.Key("system_name");
        json_.Text(s.String(frame.system_name));
      }
      json_.Field("file", s.String(frame.file));
      json_.Field("line", frame.line);
      json_.Field("start_line", frame.start_line);
      json_.Flag("inlined", frame.inlined);
      json_.Flag("runtime", frame.runtime);
      json_.Close('}');
    }
    json_.Close(']');
  }

  void ObjectFields(const Snapshot& s, const WaitObject& o) {
    if (o.kind != ObjectKind::kUnknown) json_.Field("kind", Word(o.kind));
    json_.Address("address", o.address);
    json_.Field("name", s.String(o.name));
    json_.Field("made_at", o.made_at);
    json_.Field("made_by", o.made_by);
    json_.Field("element", s.String(o.element));
    json_.Field("capacity", o.capacity);
    json_.Field("length", o.length);
    json_.Flag("closed", o.closed);
    json_.Flag("counted", o.counted);
    json_.Field("send_handles", o.send_handles);
    json_.Field("recv_handles", o.recv_handles);
    json_.Field("send_handles_elsewhere", o.send_handles_elsewhere);
    json_.Field("recv_handles_elsewhere", o.recv_handles_elsewhere);
    json_.Flag("by_reference", o.by_reference);
    json_.Field("last_send_dropped_at", o.last_send_dropped_at);
    json_.Field("last_recv_dropped_at", o.last_recv_dropped_at);
    json_.Field("last_send_dropped_by", o.last_send_dropped_by);
    json_.Field("last_recv_dropped_by", o.last_recv_dropped_by);
    json_.Flag("timer", o.timer);
    json_.Field("holder", o.holder);
    json_.Flag("holder_alive", o.holder_alive);
    json_.Field("counter", o.counter);
    json_.Field("readers", o.readers);
    json_.Field("fd", o.fd, -1);
  }

  void GoroutineFields(const Snapshot& s, const Goroutine& g) {
    json_.Field("id", g.id);
    json_.Field("parent_id", g.parent_id);
    if (g.kind == GoroutineKind::kThread) json_.Field("kind", "thread");
    json_.Field("state", StateWord(g.state));
    json_.Field("reason", s.String(g.reason));
    json_.Field("wait_ns", g.wait_ns, int64_t{-1});
    json_.Flag("locked_to_thread", g.locked_to_thread);
    json_.Flag("runtime_internal", g.runtime_internal);
    json_.Flag("current", g.current);
    if (g.tier != LeakTier::kNone) json_.Field("tier", Word(g.tier));
    json_.Field("tier_reason", s.String(g.tier_reason));
    if (const LabelSet& labels = s.label_sets[g.labels]; !labels.empty()) {
      json_.Key("labels");
      json_.Open('{');
      for (const auto& [key, value] : labels) {
        json_.Key(s.String(key));
        json_.Text(s.String(value));
      }
      json_.Close('}');
    }
    json_.Field("test", s.String(g.test));
    json_.Field("background", s.String(g.background));
    json_.Field("created_at", g.created_at);
    json_.Field("stack", g.stack);
    json_.Field("spawn_stack", g.spawn_stack);
    if (!g.waits.empty()) {
      json_.List("waits");
      for (const Wait& wait : g.waits) {
        json_.Open('{');
        json_.Field("object", wait.object);
        if (wait.op != Wait::Op::kOther) json_.Field("op", Word(wait.op));
        json_.Close('}');
      }
      json_.Close(']');
    }
    Ids("mentions", g.mentions);
    json_.Flag("mentions_unknown", g.mentions_unknown);
    json_.Field("stack_bytes", g.stack_bytes);
    json_.Field("annotations", s.String(g.annotations));
  }

  Buffer buffer_;
  Json json_;
  bool begun_ = false;
  std::vector<std::string> notes_;
};

}  // namespace

std::unique_ptr<SnapshotWriter> NewJsonWriter(Sink* sink) {
  return std::make_unique<JsonWriter>(sink);
}

}  // namespace leash::internal
