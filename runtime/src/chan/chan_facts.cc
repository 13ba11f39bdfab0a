// Reading channels from copies of their bytes: nothing here follows a pointer.

#include "chan/chan_facts.h"

#include <cstring>
#include <type_traits>

#include "chan/chan_core.h"

namespace leash::rt {

static_assert(std::is_trivially_destructible_v<ChanCore>, "it is read from copied bytes");

const size_t kChanFactsBytes = sizeof(ChanCore);

bool ReadChanFacts(const void* bytes, ChanFacts* facts) {
  alignas(ChanCore) unsigned char copy[sizeof(ChanCore)];
  std::memcpy(copy, bytes, sizeof(copy));
  const ChanCore* chan = reinterpret_cast<const ChanCore*>(copy);
  if (chan->magic != kChanMagic) return false;
  *facts = ChanFacts{};
  facts->name = chan->name;
  facts->name_bytes = chan->name_bytes;
  facts->element_function_name = chan->element_function_name;
  facts->timer = chan->flavor == ChanFlavor::kTimer;
  if (!facts->timer) {
    facts->capacity = chan->capacity;
    facts->length = chan->Length();
  }
  facts->closed = chan->closed.load(std::memory_order_relaxed) != 0;
#if LEASH_RECORD
  const uint64_t handles = chan->handles.load(std::memory_order_relaxed);
  const uint64_t elsewhere = chan->elsewhere.load(std::memory_order_relaxed);
  facts->counted = true;
  facts->send_handles = handles >> 32;
  facts->recv_handles = handles & UINT32_MAX;
  facts->send_handles_elsewhere = elsewhere >> 32;
  facts->recv_handles_elsewhere = elsewhere & UINT32_MAX;
  facts->made_at = chan->made_at;
  facts->made_by = chan->made_by;
  // Written just before the count becomes zero, and so meaningless while it is not.
  if (facts->send_handles == 0) {
    facts->last_send_dropped_pc = chan->last_sender.pc.load(std::memory_order_relaxed);
    facts->last_send_dropped_by = chan->last_sender.by.load(std::memory_order_relaxed);
  }
  if (facts->recv_handles == 0) {
    facts->last_recv_dropped_pc = chan->last_receiver.pc.load(std::memory_order_relaxed);
    facts->last_recv_dropped_by = chan->last_receiver.by.load(std::memory_order_relaxed);
  }
#endif
  return true;
}

std::string_view ElementTypeName(std::string_view function_name) {
  // gcc: "constexpr const char* leash::internal::ElementFunctionName() [with T = int]", perhaps
  // with
  // "; std::string = ..." after it. clang: "const char *leash::...() [T = int]".
  size_t begin = function_name.find("T = ");
  if (begin == std::string_view::npos || function_name.back() != ']') return function_name;
  begin += 4;
  size_t end = begin;
  for (int depth = 0; end + 1 < function_name.size(); ++end) {
    const char c = function_name[end];
    if (c == '<' || c == '(' || c == '[' || c == '{') ++depth;
    if (c == '>' || c == ')' || c == ']' || c == '}') --depth;
    if (c == ';' && depth == 0) break;
  }
  return function_name.substr(begin, end - begin);
}

}  // namespace leash::rt
