#include "leash/internal/debug_seam.h"

#include <memory>

#include "model/sink.h"
#include "model/writer.h"
#include "sched/netpoll_poll.h"
#include "sched/scheduler.h"
#include "sched/timer_heap.h"
#include "stack/stack.h"

namespace leash::internal {

void EnterRuntimeThread() { rt::RegisterRuntimeThread(); }
void LeaveRuntimeThread() { rt::UnregisterRuntimeThread(); }

void WriteSnapshotProfile(const Snapshot& snapshot, int debug, std::string_view profile,
                          std::ostream& out) {
  StreamSink sink(&out);
  const std::unique_ptr<SnapshotWriter> writer = NewProfileWriter(debug, &sink, profile);
  writer->Write(snapshot);
  writer->Finish();
}

void WriteSnapshotJson(const Snapshot& snapshot, std::ostream& out) {
  StreamSink sink(&out);
  const std::unique_ptr<SnapshotWriter> writer = NewJsonWriter(&sink);
  writer->Write(snapshot);
  writer->Finish();
}

RuntimeFigures ReadRuntimeFigures() {
  using rt::sched;
  rt::EnsureStarted();
  RuntimeFigures f;
  f.goroutines = rt::CountGoroutines();
  f.goroutines_started = sched.outside_started.load(std::memory_order_relaxed);
  const int32_t n = sched.p_count.load(std::memory_order_acquire);
  for (int32_t i = 0; i < n; ++i) {
    f.goroutines_started +=
        sched.all_ps[i].load(std::memory_order_acquire)->started.load(std::memory_order_relaxed);
  }
  {
    rt::LockHolder hold(sched.lock);
    f.gomaxprocs = sched.gomaxprocs;
    f.threads = sched.m_count;
  }
  f.idle_ps = sched.idle_p_count.load(std::memory_order_relaxed);
  f.detached_ps = sched.detached_count.load(std::memory_order_relaxed);
  f.spinning = sched.spinning_ms.load(std::memory_order_relaxed);
  f.timers = rt::TimerCount();
  f.descriptors = rt::NetPollDescriptors();
  const rt::StackStats stacks = rt::GetStackStats();
  f.stacks = stacks.committed;
  f.stacks_free = stacks.free_slots;
  f.stacks_unguarded = stacks.unguarded;
  return f;
}

}  // namespace leash::internal
