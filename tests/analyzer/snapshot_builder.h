// Snapshots by hand, for tests: one line for each goroutine and channel.

#ifndef LEASH_TESTS_ANALYZER_SNAPSHOT_BUILDER_H_
#define LEASH_TESTS_ANALYZER_SNAPSHOT_BUILDER_H_

#include <initializer_list>
#include <string_view>
#include <utility>

#include "leash/snapshot.h"

namespace leash::testing {

struct FrameSpec {
  std::string_view function, file;
  int line = 0;
  uint64_t pc = 0, offset = 0;
};

// How many handles a channel has: `all`, of which `elsewhere` are in no goroutine.
struct Handles {
  uint64_t all = 0, elsewhere = 0;
};

class SnapshotBuilder {
 public:
  SnapshotBuilder() { s.origin = "leash"; }

  SiteId Site(std::string_view function, std::string_view file, int line) {
    return s.AddSite({s.AddString(function), s.AddString(file), line, 0});
  }

  StackId Stack(std::initializer_list<FrameSpec> frames) {
    leash::Stack stack;
    for (const FrameSpec& spec : frames) {
      Location location;
      location.pc = spec.pc;
      location.offset = spec.offset;
      Frame& frame = location.frames.emplace_back();
      frame.function = frame.system_name = s.AddString(spec.function);
      frame.file = s.AddString(spec.file);
      frame.line = spec.line;
      frame.runtime = spec.function.starts_with("leash::rt::");
      stack.locations.push_back(s.AddLocation(std::move(location)));
    }
    return s.AddStack(std::move(stack));
  }

  ObjectId Chan(Handles send, Handles recv) {
    WaitObject o;
    o.kind = ObjectKind::kChan;
    o.address = 0x7f0000000000 + 0x100 * s.objects.size();
    o.element = s.AddString("int");
    o.counted = true;
    o.send_handles = send.all;
    o.send_handles_elsewhere = send.elsewhere;
    o.recv_handles = recv.all;
    o.recv_handles_elsewhere = recv.elsewhere;
    return s.AddObject(o);
  }

  // A goroutine that waits; the reference is good until the next one is added.
  Goroutine& Waiting(uint64_t id, std::string_view reason, std::initializer_list<Wait> waits = {},
                     std::initializer_list<ObjectId> mentions = {}) {
    Goroutine& g = s.goroutines.emplace_back();
    g.id = id;
    g.state = GoroutineState::kWaiting;
    g.reason = s.AddString(reason);
    g.waits = waits;
    g.mentions = mentions;
    return g;
  }
  Goroutine& Running(uint64_t id, std::initializer_list<ObjectId> mentions = {}) {
    Goroutine& g = s.goroutines.emplace_back();
    g.id = id;
    g.state = GoroutineState::kRunning;
    g.mentions = mentions;
    return g;
  }
  Goroutine& Thread(uint64_t id, std::initializer_list<ObjectId> mentions = {}) {
    Goroutine& g = Waiting(id, "sync.WaitGroup.Wait", {}, mentions);
    g.kind = GoroutineKind::kThread;
    return g;
  }

  Snapshot s;
};

inline Wait SendOn(ObjectId object) { return {object, Wait::Op::kSend}; }
inline Wait RecvFrom(ObjectId object) { return {object, Wait::Op::kRecv}; }

}  // namespace leash::testing

#endif  // LEASH_TESTS_ANALYZER_SNAPSHOT_BUILDER_H_
