// Any bytes: a Snapshot that can be grouped, proved and written, or one line of error.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "leash/analyzer/group.h"
#include "leash/analyzer/leak.h"
#include "leash/analyzer/read.h"
#include "leash/analyzer/render.h"
#include "model/writer.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using leash::ReadSnapshot;
  leash::ReadLimits limits;
  limits.goroutines = 10'000;
  limits.inflated_bytes = 1 << 20;
  absl::StatusOr<leash::Snapshot> s =
      ReadSnapshot({reinterpret_cast<const char*>(data), size}, "input", limits);
  if (!s.ok()) {
    const std::string message(s.status().message());
    if (!message.starts_with("read input: offset ") || message.find('\n') != message.npos) abort();
    return 0;
  }
  leash::ProveLeaks(*s);
  leash::RenderReport(*s, leash::GroupGoroutines(*s, leash::GroupBy::kExact));
  for (int debug = 0; debug <= 3; ++debug) {
    std::string text;
    leash::internal::StringSink sink(&text);
    const auto writer = leash::internal::NewProfileWriter(debug, &sink);
    writer->Write(*s);
    writer->Finish();
  }
  std::string json;
  leash::internal::StringSink sink(&json);
  const auto writer = leash::internal::NewJsonWriter(&sink);
  writer->Write(*s);
  writer->Finish();
  if (!ReadSnapshot(json, "own json").ok()) abort();
  return 0;
}
