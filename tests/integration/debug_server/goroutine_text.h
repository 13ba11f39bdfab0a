// Go's two texts of a goroutine profile, read strictly: what is not as Go's runtime/pprof and
// runtime.Stack write it is an error here.
//
//     goroutine profile: total 4                goroutine 18 [chan receive]:
//     4 @ 0x4851aa 0x414c9c                     Drain(Chan<int>)
//     #<TAB>0x4851a9<TAB>Drain()+0x9<TAB>drain.cc:8       <TAB>drain.cc:8 +0xa

#ifndef LEASH_TESTS_INTEGRATION_DEBUG_SERVER_GOROUTINE_TEXT_H_
#define LEASH_TESTS_INTEGRATION_DEBUG_SERVER_GOROUTINE_TEXT_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace leash::testing {

// debug=1.
struct CountedText {
  struct Group {
    int64_t count = 0;
    std::string labels;               // what stands in braces
    std::vector<std::string> frames;  // "Drain() at drain.cc:8": the file without its folder
  };
  int64_t total = 0;
  std::vector<Group> groups;
  std::vector<std::string> errors;  // "line 3: ...", one for each breach
};

// ReadCountedText()
//
// Errors, beside lines of another shape: groups that do not get smaller, a total that is not their
// sum.
CountedText ReadCountedText(std::string_view text);

// debug=2, and debug=3.
struct FullText {
  struct Record {
    uint64_t id = 0;
    std::string status;               // "chan receive"
    std::string annotations;          // "2 minutes, locked to thread"
    std::string labels;               // what stands in braces
    std::vector<std::string> facts;   // the lines that begin with '#', of debug=3
    std::vector<std::string> frames;  // "Drain(Chan<int>) at drain.cc:8"
    bool stack_unavailable = false;   // it was running, and said so instead
    std::string created_by;           // "Start in goroutine 1 at drain.cc:20"; "": does not say
  };
  std::vector<Record> records;
  std::vector<std::string> errors;

  // The record of this goroutine; null: there is none.
  const Record* Find(uint64_t id) const;
};

// ReadFullText()
//
// Errors, beside lines of another shape: a goroutine met twice.
FullText ReadFullText(std::string_view text);

}  // namespace leash::testing

#endif  // LEASH_TESTS_INTEGRATION_DEBUG_SERVER_GOROUTINE_TEXT_H_
