// What a dump says about a channel, read from a copy of its bytes.

#ifndef LEASH_CHAN_CHAN_FACTS_H_
#define LEASH_CHAN_CHAN_FACTS_H_

#include <cstddef>
#include <cstdint>
#include <source_location>
#include <string_view>

namespace leash::rt {

// How many bytes to copy from where a channel is.
extern const size_t kChanFactsBytes;

// Pointers are those of the program that the bytes were copied from.
struct ChanFacts {
  const char* name = nullptr;  // name_bytes of it, not terminated
  size_t name_bytes = 0;
  const char* element_function_name = nullptr;  // terminated; for ElementTypeName()
  uint64_t capacity = 0;                        // 0 for a timer's
  uint64_t length = 0;
  bool closed = false;
  bool timer = false;    // the runtime itself sends on it
  bool counted = false;  // the counts of handles, and what follows, are known (LEASH_RECORD)
  uint64_t send_handles = 0, recv_handles = 0;
  uint64_t send_handles_elsewhere = 0, recv_handles_elsewhere = 0;  // not in goroutines' memory
  std::source_location made_at;
  uint64_t made_by = 0;
  // When the last handle that could send, or receive, was dropped: the return address, and by whom.
  uint64_t last_send_dropped_pc = 0, last_send_dropped_by = 0;
  uint64_t last_recv_dropped_pc = 0, last_recv_dropped_by = 0;
};

// Reads the facts from kChanFactsBytes copied from a channel, perhaps while it changed. False: this
// is no channel (it has been destroyed).
bool ReadChanFacts(const void* bytes, ChanFacts* facts);

// The element's type in the name of the function that carries it: "int" of "... [with T = int]". As
// the compiler writes it; the whole text if it has another shape.
std::string_view ElementTypeName(std::string_view function_name);

}  // namespace leash::rt

#endif  // LEASH_CHAN_CHAN_FACTS_H_
