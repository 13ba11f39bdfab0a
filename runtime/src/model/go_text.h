// Go's full text of a goroutine: what debug=2, SIGQUIT and a panic print.

#ifndef LEASH_MODEL_GO_TEXT_H_
#define LEASH_MODEL_GO_TEXT_H_

#include <string>

#include "leash/snapshot.h"
#include "model/writer.h"

namespace leash::internal {

struct GoTextOptions {
  // Adds the lines of debug=3: docs/reference/dump.md has the format.
  bool full = false;
  // Keeps the 50 innermost and the 50 outermost frames of a deep stack, as Go's tracebacks of
  // panics and fatal errors do. Dumps are never cut.
  bool elide = false;
};

// Appends the record of `g`: header, frames and creator, each ended by a newline; no blank line.
void AppendGoroutine(const Snapshot& snapshot, const Goroutine& g, const GoTextOptions& options,
                     std::string* out);

// All goroutines, the current one first, a blank line between them.
class GoTextWriter : public SnapshotWriter {
 public:
  explicit GoTextWriter(Sink* sink, const GoTextOptions& options = {})
      : buffer_(sink), options_(options) {}
  void Write(const Snapshot& snapshot) override;
  void Finish() override { buffer_.Flush(); }

 private:
  void WriteOne(const Snapshot& snapshot, const Goroutine& g);

  Buffer buffer_;
  const GoTextOptions options_;
  bool first_ = true;
};

}  // namespace leash::internal

#endif  // LEASH_MODEL_GO_TEXT_H_
