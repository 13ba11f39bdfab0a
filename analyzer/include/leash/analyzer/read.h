// Readers: a dump file to a Snapshot.
//
// What is read, told apart by its content: leash's own JSON and text, Go's debug=1 and debug=2
// text, its crash reports and SIGQUIT dumps with whatever stands before and after the goroutines,
// and profile.proto of goroutines, each plain or gzipped.
//
//     absl::StatusOr<Snapshot> snapshot = ReadSnapshotFile("app.dump");
//
// Errors are one line, "read app.dump: offset 4096: want "goroutine N [", have "gorou"": not found
// (kNotFound), not readable (kUnavailable), not a dump (kInvalidArgument), more than a limit
// (kResourceExhausted). A dump whose last record is cut is no error: Snapshot::notes says so.

#ifndef LEASH_ANALYZER_READ_H_
#define LEASH_ANALYZER_READ_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "leash/snapshot.h"

namespace leash {

// What a file may hold; time and memory are linear in these, whatever the bytes are.
struct ReadLimits {
  size_t file_bytes = size_t{8} << 30;
  size_t inflated_bytes = size_t{4} << 30;  // of a compressed file, when inflated
  size_t line_bytes = size_t{1} << 20;
  size_t goroutines = 50'000'000;  // a counted format can ask for any number in a few bytes
};

absl::StatusOr<Snapshot> ReadSnapshotFile(const std::string& path, const ReadLimits& limits = {});

// `name` is what error messages call it.
absl::StatusOr<Snapshot> ReadSnapshot(std::string_view bytes, std::string_view name,
                                      const ReadLimits& limits = {});

}  // namespace leash

#endif  // LEASH_ANALYZER_READ_H_
