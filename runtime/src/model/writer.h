// Writers: a Snapshot to bytes.
//
// One writer takes any number of Snapshots of the same program, each with some of its goroutines,
// and writes one dump: a caller that captures a few thousand goroutines at a time dumps millions in
// constant memory. Where the format groups equal stacks (text 1, the profile) memory grows with the
// number of distinct stacks and never with the number of goroutines.
//
//     StreamSink sink(&out);
//     std::unique_ptr<SnapshotWriter> writer = NewProfileWriter(/*debug=*/2, &sink);
//     while (NextChunk(&snapshot)) writer->Write(snapshot);
//     writer->Finish();

#ifndef LEASH_MODEL_WRITER_H_
#define LEASH_MODEL_WRITER_H_

#include <memory>
#include <string_view>

#include "leash/snapshot.h"
#include "model/sink.h"

namespace leash::internal {

class SnapshotWriter {
 public:
  virtual ~SnapshotWriter() = default;
  // Writes the goroutines of `snapshot`, the current one first where the format has an order.
  virtual void Write(const Snapshot& snapshot) = 0;
  // Ends the dump. Must be called, once, after the last Write.
  virtual void Finish() = 0;
};

// What net/http/pprof serves for ?debug=N: 0 gzipped profile.proto, 1 counted text, 2 Go's full
// text, 3 the same with all that leash knows. `profile` is the name in the output: "goroutine" or
// "goroutineleak". `sink` must outlive the writer. Any other N is taken as the nearest of these.
std::unique_ptr<SnapshotWriter> NewProfileWriter(int debug, Sink* sink,
                                                 std::string_view profile = "goroutine");

// JSON, schema "leash-snapshot": everything, read back losslessly.
std::unique_ptr<SnapshotWriter> NewJsonWriter(Sink* sink);

}  // namespace leash::internal

#endif  // LEASH_MODEL_WRITER_H_
