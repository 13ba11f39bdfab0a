// TraceRing: what one P tells the execution trace, until the trace's writer has taken it. One
// producer, one consumer, no lock, no waiting: where there is no room the event is lost, and
// counted.
//
// Laws: (1) only the producer writes tail, only the consumer head.  (2) tail - head <= kCapacity.
//   (3) a slot between head and tail is not written.  (4) an event of several records is published
//   by one store of tail: the consumer sees all of it or nothing.
// Who is the producer: the M that has the P. A P goes from M to M under sched.lock, or by a
//   futex word, which order what the one wrote before what the other writes. Whoever has no P
//   shares one ring, under a lock.
// Orders: the producer's release of tail publishes the slots before it and pairs with the
//   consumer's acquire in Published(). The consumer's release of head says that it has read its
//   slots and pairs with the producer's acquire before it writes them again.
//
// Overwriting the oldest was rejected: the writer would have to check each record after it has
// copied it, and what is left would lack beginnings instead of ends.
//
// A template over the atomic type so that tests can put an exploring one in its place.

#ifndef LEASH_SCHED_TRACE_RING_H_
#define LEASH_SCHED_TRACE_RING_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace leash::rt {

enum class TraceKind : uint8_t {
  kNone,
  kSpawn,         // id: the new one; other: its spawner; arg: the std::source_location; the text is
                  // its label "name", if any
  kRun,           // id begins to run
  kPark,          // id waits for `reason`; arg: the object
  kYield,         // id makes way
  kExit,          // id ends
  kReady,         // id can run; other: who readied it, 0 for the runtime; arg: that one's tid
  kSteal,         // id is taken from the P of index `arg`
  kSyscallBegin,  // id may block in the kernel
  kSyscallEnd,
  kRegionBegin,  // id; the text is the region's name
  kRegionEnd,
  kLog,   // id; the text is a category of `arg` bytes and a message
  kName,  // id; the text is what it calls itself
};

// As it lies in the ring. `time` is TraceNow()'s. `tid` is of an OS thread that uses leash; 0: id
// is a goroutine. A spawn has the tid of its spawner. Without initialisers, so that a new ring
// touches no page of its slots.
struct TraceRecord {
  uint64_t time;
  uint64_t id;
  uint64_t other;
  uint64_t arg;
  uint32_t tid;
  uint16_t text_bytes;  // they lie in the records that follow
  TraceKind kind;
  uint8_t reason;
};
static_assert(sizeof(TraceRecord) == 40);

inline constexpr size_t kTraceTextMax = 1024;
inline constexpr uint32_t TraceTextRecords(size_t bytes) {
  return static_cast<uint32_t>((bytes + sizeof(TraceRecord) - 1) / sizeof(TraceRecord));
}

template <template <class> class Atomic = std::atomic, uint32_t kSlots = uint32_t{1} << 15>
class TraceRing {
 public:
  static constexpr uint32_t kCapacity = kSlots;
  static_assert((kSlots & (kSlots - 1)) == 0);

  // Producer only. False: no room; counted.
  bool Push(const TraceRecord& record) {
    const uint64_t t = tail_.load(std::memory_order_relaxed);
    if (!HasRoom(t, 1)) return false;
    slots_[t % kSlots] = record;
    tail_.store(t + 1, std::memory_order_release);  // (1)
    return true;
  }

  // Producer only. `record` with `text`, of which kTraceTextMax bytes are kept.
  bool Push(TraceRecord record, std::string_view text) {
    text = text.substr(0, kTraceTextMax);
    const uint32_t more = TraceTextRecords(text.size());
    const uint64_t t = tail_.load(std::memory_order_relaxed);
    if (!HasRoom(t, 1 + more)) return false;
    record.text_bytes = static_cast<uint16_t>(text.size());
    slots_[t % kSlots] = record;
    for (uint32_t i = 1; i <= more; ++i) {
      const size_t n = text.size() < sizeof(TraceRecord) ? text.size() : sizeof(TraceRecord);
      std::memcpy(static_cast<void*>(&slots_[(t + i) % kSlots]), text.data(), n);
      text.remove_prefix(n);
    }
    tail_.store(t + 1 + more, std::memory_order_release);  // (4)
    return true;
  }

  // Consumer only: records [Taken(), Published()) are its to read until it calls Take.
  uint64_t Taken() const { return head_.load(std::memory_order_relaxed); }
  uint64_t Published() const { return tail_.load(std::memory_order_acquire); }
  const TraceRecord& At(uint64_t index) const { return slots_[index % kSlots]; }
  // The text of the record at `index`, into `out` of kTraceTextMax bytes.
  std::string_view TextAt(uint64_t index, char* out) const {
    const size_t bytes = At(index).text_bytes;
    for (size_t done = 0; done < bytes; done += sizeof(TraceRecord)) {
      const size_t n = bytes - done < sizeof(TraceRecord) ? bytes - done : sizeof(TraceRecord);
      std::memcpy(out + done, static_cast<const void*>(&At(++index)), n);
    }
    return {out, bytes};
  }
  void Take(uint64_t end) { head_.store(end, std::memory_order_release); }  // (1)

  // From any thread: events that found no room, ever.
  uint64_t Lost() const { return lost_.load(std::memory_order_relaxed); }

 private:
  bool HasRoom(uint64_t t, uint32_t n) {
    if (__builtin_expect(t + n - head_seen_ <= kSlots, 1)) return true;  // (2)
    head_seen_ = head_.load(std::memory_order_acquire);
    if (t + n - head_seen_ <= kSlots) return true;
    lost_.store(lost_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    return false;
  }

  alignas(64) Atomic<uint64_t> tail_{0};
  uint64_t head_seen_ = 0;  // producer's
  Atomic<uint64_t> lost_{0};
  alignas(64) Atomic<uint64_t> head_{0};
  alignas(4096) TraceRecord slots_[kSlots];
};

}  // namespace leash::rt

#endif  // LEASH_SCHED_TRACE_RING_H_
