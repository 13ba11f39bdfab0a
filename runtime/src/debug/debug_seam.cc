#include "leash/internal/debug_seam.h"

#include <memory>

#include "model/sink.h"
#include "model/writer.h"
#include "sched/runtime_threads.h"
#include "sched/scheduler.h"

namespace leash::internal {

void StartRuntime() { rt::EnsureStarted(); }
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

}  // namespace leash::internal
