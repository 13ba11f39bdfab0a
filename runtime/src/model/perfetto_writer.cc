// Field numbers and values are those of protos/perfetto/trace in Perfetto's sources: trace_packet,
// clock_snapshot, interned_data/interned_data, and track_event/{track_event, track_descriptor,
// process_descriptor, debug_annotation}.proto. Perfetto promises not to change them.

#include "model/perfetto_writer.h"

#include <protozero/pbf_writer.hpp>

namespace leash::internal {
namespace {

using protozero::pbf_writer;

constexpr uint32_t kTracePacket = 1;  // of Trace

enum Packet : uint32_t {
  kClockSnapshot = 6,
  kTimestamp = 8,
  kSequenceId = 10,
  kTrackEvent = 11,
  kInternedData = 12,
  kSequenceFlags = 13,
  kTrackDescriptor = 60,
  kFirstPacketOnSequence = 87,
};
enum SequenceFlag : uint32_t { kStateCleared = 1, kNeedsState = 2 };

enum Clock : uint32_t { kClocks = 1, kClockId = 1, kClockTime = 2 };
enum BuiltinClock : uint32_t { kRealtime = 1, kMonotonic = 3, kBoottime = 6 };

enum Interned : uint32_t {
  kEventNames = 2,
  kAnnotationNames = 3,
  kIid = 1,
  kInternedName = 2,
};

enum Descriptor : uint32_t {
  kUuid = 1,
  kTrackName = 2,
  kProcess = 3,
  kParentUuid = 5,
  kChildOrdering = 11,
  kSiblingOrderRank = 12,
  kPid = 1,          // of ProcessDescriptor
  kProcessName = 6,  // of ProcessDescriptor
};

enum EventField : uint32_t {
  kAnnotations = 4,
  kType = 9,
  kNameIid = 10,
  kTrackUuid = 11,
  kFlowIds = 47,
  kTerminatingFlowIds = 48,
};

enum AnnotationField : uint32_t {
  kAnnotationNameIid = 1,
  kUintValue = 3,
  kStringValue = 6,
  kPointerValue = 7,
};

}  // namespace

PerfettoWriter::Name PerfettoWriter::Intern(std::string_view text) {
  if (text.empty()) return 0;
  if (const auto it = names_.find(text); it != names_.end()) return it->second;
  const auto name = static_cast<Name>(texts_.size());
  texts_.emplace_back(text);
  names_.emplace(texts_.back(), name);
  return name;
}

void PerfettoWriter::EmitPacket() {
  pbf_writer(buffer_.text()).add_message(kTracePacket, packet_);
  buffer_.Drain();
}

void PerfettoWriter::Begin(Sequence& sequence) {
  if (sequence.begun_) return;
  sequence.begun_ = true;
  packet_.clear();
  pbf_writer packet(packet_);
  packet.add_uint32(kSequenceId, sequence.id_);
  packet.add_uint32(kSequenceFlags, kStateCleared);
  packet.add_bool(kFirstPacketOnSequence, true);
  EmitPacket();
}

void PerfettoWriter::AddClocks(Sequence& sequence, uint64_t boot, uint64_t monotonic,
                               uint64_t real) {
  Begin(sequence);
  message_.clear();
  pbf_writer snapshot(message_);
  const auto add = [&](BuiltinClock id, uint64_t time) {
    part_.clear();
    pbf_writer clock(part_);
    clock.add_uint32(kClockId, id);
    clock.add_uint64(kClockTime, time);
    snapshot.add_message(kClocks, part_);
  };
  add(kBoottime, boot);
  add(kMonotonic, monotonic);
  add(kRealtime, real);
  packet_.clear();
  pbf_writer packet(packet_);
  packet.add_uint64(kTimestamp, boot);
  packet.add_uint32(kSequenceId, sequence.id_);
  packet.add_message(kClockSnapshot, message_);
  EmitPacket();
}

void PerfettoWriter::AddTrack(Sequence& sequence, const Track& track) {
  Begin(sequence);
  message_.clear();
  pbf_writer descriptor(message_);
  descriptor.add_uint64(kUuid, track.uuid);
  if (track.parent != 0) descriptor.add_uint64(kParentUuid, track.parent);
  if (track.pid != 0) {
    part_.clear();
    pbf_writer process(part_);
    process.add_int32(kPid, track.pid);
    process.add_string(kProcessName, track.name.data(), track.name.size());
    descriptor.add_message(kProcess, part_);
  } else {
    descriptor.add_string(kTrackName, track.name.data(), track.name.size());
  }
  if (track.children != Children::kAny) {
    descriptor.add_enum(kChildOrdering, static_cast<int32_t>(track.children));
  }
  if (track.rank != 0) descriptor.add_int32(kSiblingOrderRank, track.rank);
  packet_.clear();
  pbf_writer packet(packet_);
  packet.add_uint32(kSequenceId, sequence.id_);
  packet.add_message(kTrackDescriptor, message_);
  EmitPacket();
}

void PerfettoWriter::AddName(Name name, uint32_t field, std::vector<bool>* sent) {
  if (name < sent->size() && (*sent)[name]) return;
  if (name >= sent->size()) sent->resize(name + 1);
  (*sent)[name] = true;
  std::string entry;
  pbf_writer(entry).add_uint64(kIid, name);
  pbf_writer(entry).add_string(kInternedName, texts_[name]);
  pbf_writer(interned_).add_message(field, entry);
}

void PerfettoWriter::AddEvent(Sequence& sequence, uint64_t time_ns, const Event& event) {
  Begin(sequence);
  message_.clear();
  interned_.clear();
  pbf_writer out(message_);
  out.add_enum(kType, static_cast<int32_t>(event.type));
  out.add_uint64(kTrackUuid, event.track);
  if (event.name != 0) {
    AddName(event.name, kEventNames, &sequence.event_names_);
    out.add_uint64(kNameIid, event.name);
  }
  for (const Annotation& annotation : event.annotations) {
    AddName(annotation.key, kAnnotationNames, &sequence.annotation_names_);
    part_.clear();
    pbf_writer part(part_);
    part.add_uint64(kAnnotationNameIid, annotation.key);
    switch (annotation.kind) {
      case Annotation::kNumber:
        part.add_uint64(kUintValue, annotation.number);
        break;
      case Annotation::kPointer:
        part.add_uint64(kPointerValue, annotation.number);
        break;
      case Annotation::kText:
        part.add_string(kStringValue, annotation.text.data(), annotation.text.size());
        break;
    }
    out.add_message(kAnnotations, part_);
  }
  if (event.flow != 0) {
    out.add_fixed64(event.flow_ends ? kTerminatingFlowIds : kFlowIds, event.flow);
  }
  packet_.clear();
  pbf_writer packet(packet_);
  packet.add_uint64(kTimestamp, time_ns);
  packet.add_uint32(kSequenceId, sequence.id_);
  packet.add_uint32(kSequenceFlags, kNeedsState);
  if (!interned_.empty()) packet.add_message(kInternedData, interned_);
  packet.add_message(kTrackEvent, message_);
  EmitPacket();
}

}  // namespace leash::internal
