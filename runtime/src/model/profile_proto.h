// The goroutine profile as profile.proto, which `go tool pprof`, Parca and Pyroscope open.

#ifndef LEASH_MODEL_PROFILE_PROTO_H_
#define LEASH_MODEL_PROFILE_PROTO_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "leash/snapshot.h"
#include "model/gzip_sink.h"
#include "model/writer.h"

namespace leash::internal {

// One sample for each set of goroutines with equal stack and labels. Beside the goroutine's own
// labels a sample carries "state", "created_by", "test" and "wait" (a bucket, or else every
// goroutine would be a sample of its own). Compressed.
class ProfileProtoWriter : public SnapshotWriter {
 public:
  ProfileProtoWriter(Sink* sink, std::string_view profile);
  void Write(const Snapshot& snapshot) override;
  void Finish() override;

 private:
  class Chunk;
  using Labels = std::vector<std::pair<uint64_t, uint64_t>>;  // ids of strings

  uint64_t StringId(std::string_view text);
  uint64_t FunctionId(const Snapshot& s, const Frame& frame);
  uint64_t LocationId(const Snapshot& s, const Location& location, bool show_runtime);
  std::vector<uint64_t> StackIds(const Snapshot& s, const Stack& stack);
  uint64_t MappingId(const Snapshot& s, const Location& location);
  void Emit(std::string_view message);

  GzipSink gzip_;
  Buffer buffer_;
  const std::string profile_;
  int64_t time_ns_ = 0;
  std::unordered_map<std::string, uint64_t> string_ids_;
  std::vector<const std::string*> strings_;
  // By the bytes of the message without its id.
  std::unordered_map<std::string, uint64_t> function_ids_, location_ids_, mapping_ids_;
  std::map<std::pair<std::vector<uint64_t>, Labels>, int64_t> samples_;
};

}  // namespace leash::internal

#endif  // LEASH_MODEL_PROFILE_PROTO_H_
