// Go's grouped, counted text: what debug=1 prints.

#ifndef LEASH_MODEL_COUNTED_TEXT_H_
#define LEASH_MODEL_COUNTED_TEXT_H_

#include <map>
#include <string>
#include <string_view>

#include "leash/snapshot.h"
#include "model/writer.h"

namespace leash::internal {

// Groups by stack and labels, as Go does; most goroutines first.
class CountedTextWriter : public SnapshotWriter {
 public:
  CountedTextWriter(Sink* sink, std::string_view profile) : buffer_(sink), profile_(profile) {}
  void Write(const Snapshot& snapshot) override;
  void Finish() override;

 private:
  struct Group {
    uint64_t count = 0;
    std::string frames;  // the lines that begin with "#<TAB>", ready to print
  };

  Buffer buffer_;
  const std::string profile_;
  uint64_t total_ = 0;
  // By the text from '@' on: Go sorts equal counts by it.
  std::map<std::string, Group> groups_;
};

}  // namespace leash::internal

#endif  // LEASH_MODEL_COUNTED_TEXT_H_
