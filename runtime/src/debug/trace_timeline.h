// From the scheduler's events to what a person looks at: a track for each P with the goroutines
// that ran on it, a track for each goroutine with its states, arrows from who spawned or readied
// it to where it runs.
//
// Laws: (1) a slice that is begun is ended, whatever was lost between: a new state ends the one
//   before.  (2) Times on a sequence and on a track do not go back.  (3) An arrow that begins ends:
//   where its goroutine runs; if that was lost, where it ends; else at the end of the trace.
//   (4) A track is described before its first event.

#ifndef LEASH_DEBUG_TRACE_TIMELINE_H_
#define LEASH_DEBUG_TRACE_TIMELINE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "absl/container/flat_hash_map.h"
#include "model/perfetto_writer.h"
#include "sched/trace_ring.h"
#include "sched/wait_reason.h"

namespace leash::rt {

class TraceTimeline {
 public:
  enum class State : uint8_t { kNone, kRunning, kRunnable, kWaiting };

  // What one ring's events go through.
  struct Source {
    Source(uint32_t sequence_id, int32_t p_index) : sequence(sequence_id), p(p_index) {}
    internal::PerfettoWriter::Sequence sequence;
    int32_t p;               // -1: events of whoever has no P
    uint64_t last_ns = 0;    // (2)
    uint64_t running = 0;    // the goroutine whose slice is open on the P's track
    bool syscall = false;    // and one of a system call in it
    bool described = false;  // (4)
    bool any = false;        // something has been shown of it
  };

  // A goroutine, or a thread that uses leash, that exists when the trace begins.
  struct Known {
    uint64_t id = 0;
    uint32_t tid = 0;
    uint64_t site = 0;  // a std::source_location
    std::string name;
    State state = State::kNone;
    WaitReason reason = WaitReason::kNone;
  };

  TraceTimeline(internal::PerfettoWriter* writer, int32_t pid, std::string_view program,
                uint64_t begin_ns);

  // What the clocks say now.
  void AddClocks(uint64_t boot, uint64_t monotonic, uint64_t real) {
    writer_.AddClocks(meta_, boot, monotonic, real);
  }
  void AddKnown(const Known& known);
  // `time_ns` is what record.time means.
  void AddEvent(Source& source, uint64_t time_ns, const TraceRecord& record, std::string_view text);
  // `n` events of this source found no room.
  void AddLost(Source& source, uint64_t time_ns, uint64_t n);
  // Ends what is open. `sources` as they were given; nothing may follow.
  template <class Sources>
  void Finish(const Sources& sources, uint64_t end_ns) {
    for (const auto& source : sources) {
      if (source == nullptr) continue;
      if (source->last_ns > end_ns) end_ns = source->last_ns;
    }
    for (const auto& source : sources) {
      if (source != nullptr) EndRun(*source, end_ns);
    }
    FinishGoroutines(end_ns);
  }

  uint64_t events() const { return events_; }
  uint64_t lost() const { return lost_; }

 private:
  using Name = internal::PerfettoWriter::Name;
  using Annotation = internal::PerfettoWriter::Annotation;

  // One goroutine or thread.
  struct Life {
    uint64_t flow = 0;     // an arrow that has not arrived
    uint64_t last_ns = 0;  // (2)
    uint32_t tid = 0;
    Name name = 0;  // its own, or its function's
    State state = State::kNone;
    WaitReason reason = WaitReason::kNone;
    bool known = false;      // it was there when the trace began, and nothing is shown of it yet
    bool open = false;       // a slice of its state is
    bool syscall = false;    // and one of a system call in it
    bool described = false;  // (4)
    bool regions_described = false;
    uint32_t regions = 0;  // open ones
  };
  struct Site {
    Name function = 0;
    std::string place;  // file.cc:12
  };

  Life& Get(uint64_t id, uint32_t tid);
  const Site& SiteOf(uint64_t site);
  void Describe(uint64_t id, Life& life);
  void DescribeSource(Source& source);
  // Shows what it did from the beginning of the trace on, if it was there.
  void ShowKnown(uint64_t id, Life& life, State before);
  void Begin(internal::PerfettoWriter::Sequence& sequence, uint64_t ns, uint64_t id, Life& life,
             State state, WaitReason reason, uint64_t object);
  void End(internal::PerfettoWriter::Sequence& sequence, uint64_t ns, uint64_t id, Life& life);
  void EndRun(Source& source, uint64_t ns);
  void CloseRegions(internal::PerfettoWriter::Sequence& sequence, uint64_t ns, uint64_t id,
                    Life& life);
  void EndFlow(internal::PerfettoWriter::Sequence& sequence, uint64_t ns, uint64_t id, Life& life,
               Name name);
  void FinishGoroutines(uint64_t end_ns);
  // The track on which the doings of `actor` are marked: the P's; for one without, its own.
  uint64_t ActorTrack(Source& source, uint64_t actor, uint32_t tid);
  void OnSpawn(Source& source, uint64_t ns, const TraceRecord& record, std::string_view text);
  void OnReady(Source& source, uint64_t ns, const TraceRecord& record);
  void OnRun(Source& source, uint64_t ns, const TraceRecord& record);
  void OnLeave(Source& source, uint64_t ns, const TraceRecord& record);
  void OnSyscall(Source& source, uint64_t ns, const TraceRecord& record);
  void OnRegion(Source& source, uint64_t ns, const TraceRecord& record, std::string_view text);

  uint64_t GoroutineTrack(uint64_t id) const { return id << 18 | salt_ << 2 | 1; }
  uint64_t RegionTrack(uint64_t id) const { return id << 18 | salt_ << 2 | 2; }
  uint64_t OtherTrack(uint64_t n) const { return n << 18 | salt_ << 2 | 3; }
  uint64_t PTrack(int32_t p) const { return OtherTrack(16 + static_cast<uint64_t>(p)); }

  internal::PerfettoWriter& writer_;
  const uint64_t begin_ns_;
  const uint64_t salt_;  // 16 bits that tell this process's tracks from another's
  // Events at the very beginning and the very end.
  internal::PerfettoWriter::Sequence meta_{1};
  absl::flat_hash_map<uint64_t, Life> lives_;
  std::unordered_map<uint64_t, Site> sites_;
  bool threads_described_ = false;
  uint64_t flows_ = 0;
  uint64_t events_ = 0;
  uint64_t lost_ = 0;
  struct {
    Name running, runnable, waiting, syscall, spawn, ready, steal, lost, log, end;
    Name goroutine, by, at, from_p, object, n, category, message;
    Name reason[static_cast<size_t>(WaitReason::kCount)];
  } names_;
};

}  // namespace leash::rt

#endif  // LEASH_DEBUG_TRACE_TIMELINE_H_
