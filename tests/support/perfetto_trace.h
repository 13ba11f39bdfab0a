// Perfetto traces read back: everything that a trace says, and every breach of Perfetto's published
// schema and of what its trace_processor expects of one.
//
//     const PerfettoTrace trace = ReadPerfettoTrace(bytes);
//     EXPECT_THAT(trace.errors, IsEmpty());
//     EXPECT_EQ(trace.SlicesOf("P 0").front().name, "main::lambda");

#ifndef LEASH_TESTS_SUPPORT_PERFETTO_TRACE_H_
#define LEASH_TESTS_SUPPORT_PERFETTO_TRACE_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace leash::testing {

struct PerfettoTrace {
  struct Track {
    std::string name;
    uint64_t parent = 0;
    int64_t rank = 0;
    int64_t pid = 0;
  };
  enum Type { kBegin = 1, kEnd = 2, kInstant = 3 };
  struct Event {
    uint64_t time = 0;
    Type type = kInstant;
    uint64_t track = 0;
    std::string name;
    uint64_t flow = 0;
    bool flow_ends = false;
    std::map<std::string, std::string> annotations;
  };
  struct Slice {
    std::string name;
    uint64_t begin = 0, end = 0;
    int depth = 0;
    std::map<std::string, std::string> annotations;
  };

  std::map<uint64_t, Track> tracks;
  std::vector<Event> events;  // by time, as a reader sorts them
  std::map<uint64_t, std::vector<Slice>> slices;
  std::map<uint64_t, uint64_t> clocks;  // of the snapshot: by Perfetto's number of the clock
  std::vector<std::string> errors;

  // The first track whose name contains `name`; 0: none.
  uint64_t TrackNamed(std::string_view name) const;
  // Its slices, by their beginning.
  std::vector<Slice> SlicesOf(std::string_view track_name) const;
  // Events of this name.
  std::vector<Event> Named(std::string_view name) const;
};

PerfettoTrace ReadPerfettoTrace(std::string_view bytes);
// Of a file. One that cannot be read is an error in it.
PerfettoTrace ReadPerfettoFile(const std::string& path);

}  // namespace leash::testing

#endif  // LEASH_TESTS_SUPPORT_PERFETTO_TRACE_H_
