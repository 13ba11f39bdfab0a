// A schema as a table, a walk over the bytes that checks them against it, and then the meaning.
//
// The table holds the fields of protos/perfetto/trace that leash may write, by number, as Perfetto
// publishes them. It is written down a second time here, apart from the writer's, so that a slip in
// one of the two shows.

#include "support/perfetto_trace.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <protozero/pbf_reader.hpp>
#include <set>
#include <utility>

namespace leash::testing {
namespace {

using protozero::pbf_reader;
using protozero::pbf_wire_type;

enum Message {
  kScalar,
  kTrace,
  kPacket,
  kSnapshot,
  kClock,
  kEvent,
  kAnnotation,
  kInterned,
  kNameEntry,
  kDescriptor,
  kProcess,
};

struct Field {
  Message in;
  uint32_t number;
  const char* name;
  pbf_wire_type wire;
  Message type = kScalar;
};

constexpr pbf_wire_type kVarint = pbf_wire_type::varint;
constexpr pbf_wire_type kFixed64 = pbf_wire_type::fixed64;
constexpr pbf_wire_type kBytes = pbf_wire_type::length_delimited;

constexpr Field kFields[] = {
    {kTrace, 1, "packet", kBytes, kPacket},
    {kPacket, 6, "clock_snapshot", kBytes, kSnapshot},
    {kPacket, 8, "timestamp", kVarint},
    {kPacket, 10, "trusted_packet_sequence_id", kVarint},
    {kPacket, 11, "track_event", kBytes, kEvent},
    {kPacket, 12, "interned_data", kBytes, kInterned},
    {kPacket, 13, "sequence_flags", kVarint},
    {kPacket, 60, "track_descriptor", kBytes, kDescriptor},
    {kPacket, 87, "first_packet_on_sequence", kVarint},
    {kSnapshot, 1, "clocks", kBytes, kClock},
    {kClock, 1, "clock_id", kVarint},
    {kClock, 2, "timestamp", kVarint},
    {kEvent, 4, "debug_annotations", kBytes, kAnnotation},
    {kEvent, 9, "type", kVarint},
    {kEvent, 10, "name_iid", kVarint},
    {kEvent, 11, "track_uuid", kVarint},
    {kEvent, 47, "flow_ids", kFixed64},
    {kEvent, 48, "terminating_flow_ids", kFixed64},
    {kAnnotation, 1, "name_iid", kVarint},
    {kAnnotation, 3, "uint_value", kVarint},
    {kAnnotation, 6, "string_value", kBytes},
    {kAnnotation, 7, "pointer_value", kVarint},
    {kInterned, 2, "event_names", kBytes, kNameEntry},
    {kInterned, 3, "debug_annotation_names", kBytes, kNameEntry},
    {kNameEntry, 1, "iid", kVarint},
    {kNameEntry, 2, "name", kBytes},
    {kDescriptor, 1, "uuid", kVarint},
    {kDescriptor, 2, "name", kBytes},
    {kDescriptor, 3, "process", kBytes, kProcess},
    {kDescriptor, 5, "parent_uuid", kVarint},
    {kDescriptor, 11, "child_ordering", kVarint},
    {kDescriptor, 12, "sibling_order_rank", kVarint},
    {kProcess, 1, "pid", kVarint},
    {kProcess, 6, "process_name", kBytes},
};

// A message, decoded: the fields by name, in order.
struct Node {
  struct Value {
    const Field* field;
    uint64_t number = 0;
    std::string text;
    std::vector<Node> message;  // one, if it is one
  };
  std::vector<Value> values;

  const Value* Find(std::string_view name) const {
    for (const Value& v : values) {
      if (v.field->name == name) return &v;
    }
    return nullptr;
  }
  uint64_t Number(std::string_view name) const {
    const Value* v = Find(name);
    return v != nullptr ? v->number : 0;
  }
  std::string Text(std::string_view name) const {
    const Value* v = Find(name);
    return v != nullptr ? v->text : std::string();
  }
  const Node* Child(std::string_view name) const {
    const Value* v = Find(name);
    return v != nullptr ? &v->message.front() : nullptr;
  }
};

class Reader {
 public:
  explicit Reader(PerfettoTrace* trace) : trace_(*trace) {}

  void Read(std::string_view bytes) {
    const Node root = Decode(bytes, kTrace);
    for (const Node::Value& packet : root.values) OnPacket(packet.message.front());
    SortByTime();
    CheckTracks();
    MakeSlices();
    CheckFlows();
  }

 private:
  struct Sequence {
    bool begun = false;
    uint64_t time = 0;
    std::map<uint64_t, std::string> event_names, annotation_names;
  };

  void Error(std::string text) {
    if (trace_.errors.size() < 20) trace_.errors.push_back(std::move(text));
  }

  Node Decode(std::string_view bytes, Message type) {
    Node node;
    try {
      pbf_reader reader(bytes.data(), bytes.size());
      while (reader.next()) {
        const Field* field = nullptr;
        for (const Field& f : kFields) {
          if (f.in == type && f.number == reader.tag()) field = &f;
        }
        if (field == nullptr) {
          Error("message " + std::to_string(type) + ": no field " + std::to_string(reader.tag()));
          reader.skip();
          continue;
        }
        if (reader.wire_type() != field->wire) {
          Error(std::string(field->name) + ": wrong wire type");
          reader.skip();
          continue;
        }
        Node::Value value{.field = field, .text = {}, .message = {}};
        if (field->wire == kVarint) {
          value.number = reader.get_uint64();
        } else if (field->wire == kFixed64) {
          value.number = reader.get_fixed64();
        } else {
          const auto view = reader.get_view();
          value.text.assign(view.data(), view.size());
          if (field->type != kScalar) value.message.push_back(Decode(value.text, field->type));
        }
        node.values.push_back(std::move(value));
      }
    } catch (const protozero::exception& e) {
      Error("message " + std::to_string(type) + ": " + e.what());
    }
    return node;
  }

  void OnPacket(const Node& packet) {
    const uint64_t id = packet.Number("trusted_packet_sequence_id");
    if (id == 0) Error("a packet without a sequence");
    Sequence& sequence = sequences_[id];
    const uint64_t flags = packet.Number("sequence_flags");
    if (!sequence.begun) {
      if ((flags & 1) == 0)
        Error("sequence " + std::to_string(id) + ": state is not cleared first");
      if (packet.Number("first_packet_on_sequence") != 1)
        Error("a sequence without a first packet");
    }
    sequence.begun = true;
    if (const Node* interned = packet.Child("interned_data")) {
      if ((flags & 3) == 0) Error("names without a flag for them");
      for (const Node::Value& v : interned->values) {
        auto& names = std::string_view(v.field->name) == "event_names" ? sequence.event_names
                                                                       : sequence.annotation_names;
        const Node& entry = v.message.front();
        if (entry.Number("iid") == 0) Error("a name with iid 0");
        if (!names.emplace(entry.Number("iid"), entry.Text("name")).second) {
          Error("iid " + std::to_string(entry.Number("iid")) + " is used twice");
        }
      }
    }
    if (const Node* snapshot = packet.Child("clock_snapshot")) {
      for (const Node::Value& v : snapshot->values) {
        trace_.clocks[v.message.front().Number("clock_id")] = v.message.front().Number("timestamp");
      }
    }
    if (const Node* d = packet.Child("track_descriptor")) {
      const Node* process = d->Child("process");
      PerfettoTrace::Track track{
          .name = process != nullptr ? process->Text("process_name") : d->Text("name"),
          .parent = d->Number("parent_uuid"),
          .rank = static_cast<int64_t>(d->Number("sibling_order_rank")),
          .pid = process != nullptr ? static_cast<int64_t>(process->Number("pid")) : 0};
      if (d->Number("uuid") == 0) Error("track " + track.name + ": uuid 0");
      if (track.parent != 0 && trace_.tracks.count(track.parent) == 0) {
        Error("track " + track.name + ": its parent is not described before");
      }
      if (!trace_.tracks.emplace(d->Number("uuid"), track).second) {
        Error("track " + track.name + " is described twice");
      }
    }
    if (const Node* e = packet.Child("track_event")) OnEvent(packet, *e, &sequence);
  }

  void OnEvent(const Node& packet, const Node& e, Sequence* sequence) {
    PerfettoTrace::Event event;
    event.time = packet.Number("timestamp");
    if (event.time < sequence->time) {
      Error("time goes back by " + std::to_string(sequence->time - event.time) + " on sequence " +
            std::to_string(packet.Number("trusted_packet_sequence_id")));
    }
    sequence->time = event.time;
    const uint64_t type = e.Number("type");
    if (type < 1 || type > 3) Error("an event of type " + std::to_string(type));
    event.type = static_cast<PerfettoTrace::Type>(type);
    event.track = e.Number("track_uuid");
    if (trace_.tracks.count(event.track) == 0) Error("an event on a track not described before");
    const bool uses_names = e.Find("name_iid") != nullptr || e.Find("debug_annotations") != nullptr;
    if (uses_names && (packet.Number("sequence_flags") & 2) == 0) Error("names without state");
    if (const uint64_t iid = e.Number("name_iid"); iid != 0) {
      const auto it = sequence->event_names.find(iid);
      if (it == sequence->event_names.end()) {
        Error("event name " + std::to_string(iid) + " is not defined");
      } else {
        event.name = it->second;
      }
    } else if (event.type != PerfettoTrace::kEnd) {
      Error("an event without a name");
    }
    for (const Node::Value& v : e.values) {
      const std::string_view field = v.field->name;
      if (field == "debug_annotations") {
        const Node& a = v.message.front();
        const auto it = sequence->annotation_names.find(a.Number("name_iid"));
        if (it == sequence->annotation_names.end()) {
          Error("an annotation's name is not defined");
          continue;
        }
        event.annotations[it->second] = a.Find("string_value") != nullptr ? a.Text("string_value")
                                        : a.Find("pointer_value") != nullptr
                                            ? std::to_string(a.Number("pointer_value"))
                                            : std::to_string(a.Number("uint_value"));
      } else if (field == "flow_ids" || field == "terminating_flow_ids") {
        event.flow = v.number;
        event.flow_ends = field == "terminating_flow_ids";
      }
    }
    trace_.events.push_back(std::move(event));
  }

  // Those of the same time stay as they lie in the file. (std::stable_sort: clang calls what it
  // uses deprecated.)
  void SortByTime() {
    std::multimap<uint64_t, PerfettoTrace::Event> sorted;
    for (auto& event : trace_.events) sorted.emplace(event.time, std::move(event));
    trace_.events.clear();
    for (auto& [time, event] : sorted) trace_.events.push_back(std::move(event));
  }

  void CheckTracks() {
    int processes = 0;
    for (const auto& [uuid, track] : trace_.tracks) {
      processes += track.pid != 0;
      if (track.pid == 0 && track.parent == 0) Error("track " + track.name + " has no parent");
    }
    if (processes != 1) Error(std::to_string(processes) + " processes are described");
  }

  void MakeSlices() {
    std::map<uint64_t, std::vector<size_t>> open;
    for (const PerfettoTrace::Event& event : trace_.events) {
      std::vector<size_t>& stack = open[event.track];
      auto& slices = trace_.slices[event.track];
      if (event.type == PerfettoTrace::kBegin) {
        stack.push_back(slices.size());
        slices.push_back(
            {event.name, event.time, 0, static_cast<int>(stack.size()) - 1, event.annotations});
      } else if (event.type == PerfettoTrace::kEnd) {
        if (stack.empty()) {
          Error("track " + trace_.tracks[event.track].name + ": an end without a beginning");
          continue;
        }
        slices[stack.back()].end = event.time;
        stack.pop_back();
      }
    }
    for (const auto& [track, stack] : open) {
      if (!stack.empty()) {
        Error("track " + trace_.tracks[track].name + ": " +
              trace_.slices[track][stack.back()].name + " has no end");
      }
    }
  }

  void CheckFlows() {
    std::map<uint64_t, std::vector<bool>> flows;
    for (const PerfettoTrace::Event& event : trace_.events) {
      if (event.flow != 0) flows[event.flow].push_back(event.flow_ends);
    }
    for (const auto& [flow, ends] : flows) {
      if (ends.size() < 2) Error("a flow with one end");
      if (std::count(ends.begin(), ends.end(), true) != 1 || !ends.back()) {
        Error("a flow that does not end where it ends");
      }
    }
  }

  PerfettoTrace& trace_;
  std::map<uint64_t, Sequence> sequences_;
};

}  // namespace

uint64_t PerfettoTrace::TrackNamed(std::string_view name) const {
  for (const auto& [uuid, track] : tracks) {
    if (track.name.find(name) != std::string::npos) return uuid;
  }
  return 0;
}

std::vector<PerfettoTrace::Slice> PerfettoTrace::SlicesOf(std::string_view track_name) const {
  const auto it = slices.find(TrackNamed(track_name));
  return it != slices.end() ? it->second : std::vector<Slice>();
}

std::vector<PerfettoTrace::Event> PerfettoTrace::Named(std::string_view name) const {
  std::vector<Event> found;
  std::copy_if(events.begin(), events.end(), std::back_inserter(found),
               [&](const Event& e) { return e.name == name; });
  return found;
}

PerfettoTrace ReadPerfettoTrace(std::string_view bytes) {
  PerfettoTrace trace;
  Reader(&trace).Read(bytes);
  return trace;
}

PerfettoTrace ReadPerfettoFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    PerfettoTrace trace;
    trace.errors.push_back("cannot open " + path);
    return trace;
  }
  return ReadPerfettoTrace(std::string(std::istreambuf_iterator<char>(file), {}));
}

}  // namespace leash::testing
