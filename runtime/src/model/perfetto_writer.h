// Perfetto's trace format: what ui.perfetto.dev and trace_processor open.
//
// A trace is a stream of TracePackets, which readers sort by time. Packets belong to sequences;
// each has its own table of names, sent along with the first packet that uses one. Whole packets
// only reach the sink, so what is written so far can be read whenever the writing ends.

#ifndef LEASH_MODEL_PERFETTO_WRITER_H_
#define LEASH_MODEL_PERFETTO_WRITER_H_

#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "model/sink.h"

namespace leash::internal {

class PerfettoWriter {
 public:
  // An index into the writer's table of texts; 0: none.
  using Name = uint32_t;

  // A stream of packets with times that do not go back. Begins with its first packet.
  class Sequence {
   public:
    explicit Sequence(uint32_t id) : id_(id) {}

   private:
    friend class PerfettoWriter;
    uint32_t id_;  // not 0
    bool begun_ = false;
    // By Name: sent on this sequence already.
    std::vector<bool> event_names_;
    std::vector<bool> annotation_names_;
  };

  // How a reader shows the tracks below one.
  enum class Children : uint8_t { kAny = 0, kByTime = 2, kByRank = 3 };

  struct Track {
    uint64_t uuid = 0;
    uint64_t parent = 0;
    std::string_view name;
    Children children = Children::kAny;
    int32_t rank = 0;
    int32_t pid = 0;  // the process's own track
  };

  enum class Type : uint8_t { kBegin = 1, kEnd = 2, kInstant = 3 };

  struct Annotation {
    enum Kind : uint8_t { kNumber, kPointer, kText };
    Name key = 0;
    Kind kind = kNumber;
    uint64_t number = 0;
    std::string_view text;
  };

  struct Event {
    Type type = Type::kInstant;
    uint64_t track = 0;
    Name name = 0;
    uint64_t flow = 0;  // an arrow begins or passes here; 0: none
    bool flow_ends = false;
    std::span<const Annotation> annotations;
  };

  explicit PerfettoWriter(Sink* sink) : buffer_(sink) {}

  // The same text gives the same Name.
  Name Intern(std::string_view text);
  std::string_view Text(Name name) const { return texts_[name]; }

  // What the clocks said at one moment, in nanoseconds. Times of events are of the first.
  void AddClocks(Sequence& sequence, uint64_t boot, uint64_t monotonic, uint64_t real);
  void AddTrack(Sequence& sequence, const Track& track);
  void AddEvent(Sequence& sequence, uint64_t time_ns, const Event& event);
  void Flush() { buffer_.Flush(); }

 private:
  void Begin(Sequence& sequence);
  void AddName(Name name, uint32_t field, std::vector<bool>* sent);
  void EmitPacket();

  Buffer buffer_;
  std::deque<std::string> texts_{std::string()};  // by Name; addresses stay
  std::unordered_map<std::string_view, Name> names_;
  // Kept between packets for their memory.
  std::string packet_, message_, part_, interned_;
};

}  // namespace leash::internal

#endif  // LEASH_MODEL_PERFETTO_WRITER_H_
