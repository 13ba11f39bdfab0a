// Which writer serves which ?debug=N.

#include "model/writer.h"

#include "model/counted_text.h"
#include "model/go_text.h"
#include "model/profile_proto.h"

namespace leash::internal {

std::unique_ptr<SnapshotWriter> NewProfileWriter(int debug, Sink* sink, std::string_view profile) {
  if (debug <= 0) return std::make_unique<ProfileProtoWriter>(sink, profile);
  if (debug == 1) return std::make_unique<CountedTextWriter>(sink, profile);
  return std::make_unique<GoTextWriter>(sink, GoTextOptions{.full = debug >= 3});
}

}  // namespace leash::internal
