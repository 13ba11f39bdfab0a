// What ThreadSanitizer is told. Empty functions unless LEASH_RACE.
//
// The runtime's own objects are built without -fsanitize=thread, so that its scheduling adds no
// happens-before edge; every edge of the Go memory model is stated here, by the primitive that
// makes it, and by nothing else. `address` is only a name: any address inside the object that the
// edge belongs to and that no other edge uses.

#ifndef LEASH_BASE_RACE_H_
#define LEASH_BASE_RACE_H_

#include <cstddef>
#include <cstdint>

#if LEASH_RACE
extern "C" {
void __tsan_acquire(void* address);
void __tsan_release(void* address);
void __tsan_read_range(void* address, size_t size);
void __tsan_write_range(void* address, size_t size);
void __tsan_read1(void* address);
void __tsan_write1(void* address);
void __tsan_func_entry(void* return_address);
void __tsan_func_exit();
void AnnotateIgnoreWritesBegin(const char* file, int line);
void AnnotateIgnoreWritesEnd(const char* file, int line);
}
// A frame of its own in reports would only say that this file made the access.
#if defined(__clang__)
#define LEASH_RACE_ACCESS [[gnu::always_inline, gnu::nodebug]] inline
#else
#define LEASH_RACE_ACCESS [[gnu::always_inline, gnu::artificial]] inline
#endif
#endif

namespace leash::rt::race {

#if LEASH_RACE
inline constexpr bool kEnabled = true;
// Everything released to this name before happens before what the caller does next.
inline void Acquire(const void* address) { __tsan_acquire(const_cast<void*>(address)); }
// What the caller has done so far happens before what acquires this name later. Merges.
inline void Release(const void* address) { __tsan_release(const_cast<void*>(address)); }
// The caller reads or writes the byte at this address, as far as races go: how Go finds an
// unsynchronised close and send, or a WaitGroup::Add that runs at the same time as a Wait.
LEASH_RACE_ACCESS void Read(const void* address) { __tsan_read1(const_cast<void*>(address)); }
LEASH_RACE_ACCESS void Write(const void* address) { __tsan_write1(const_cast<void*>(address)); }
LEASH_RACE_ACCESS void ReadRange(const void* p, size_t n) {
  __tsan_read_range(const_cast<void*>(p), n);
}
LEASH_RACE_ACCESS void WriteRange(void* p, size_t n) { __tsan_write_range(p, n); }
// In an operation that users call, and that reads, writes, creates a goroutine or calls user code:
// so that its caller's line is in the report, which it would not be where all of the caller's own
// functions are inlined.
class Entry {
 public:
  [[gnu::always_inline]] Entry() { __tsan_func_entry(__builtin_return_address(0)); }
  [[gnu::always_inline]] ~Entry() { __tsan_func_exit(); }
  Entry(const Entry&) = delete;
  Entry& operator=(const Entry&) = delete;
};
// What the caller touches from IgnoreBegin to IgnoreEnd is not watched: the runtime's own data,
// whose order ThreadSanitizer does not see, where it goes through functions that are watched all
// the same (memcpy, a member of std::vector that is also compiled in a user's file). Edges still
// count, and what is allocated here is new to everybody. They nest, and belong to the goroutine.
// (ThreadSanitizer has one count for reads and writes.)
inline void IgnoreBegin() { AnnotateIgnoreWritesBegin("", 0); }
inline void IgnoreEnd() { AnnotateIgnoreWritesEnd("", 0); }
class Ignore {
 public:
  Ignore() { IgnoreBegin(); }
  ~Ignore() { IgnoreEnd(); }
  Ignore(const Ignore&) = delete;
  Ignore& operator=(const Ignore&) = delete;
};
#else
inline constexpr bool kEnabled = false;
inline void Acquire(const void*) {}
inline void Release(const void*) {}
inline void Read(const void*) {}
inline void Write(const void*) {}
inline void ReadRange(const void*, size_t) {}
inline void WriteRange(void*, size_t) {}
class [[maybe_unused]] Entry {
 public:
  Entry() = default;
};
inline void IgnoreBegin() {}
inline void IgnoreEnd() {}
class [[maybe_unused]] Ignore {
 public:
  Ignore() = default;
};
#endif

// Both, for an edge that goes each way (a slot of a channel: send -> receive -> later send).
inline void AcquireRelease(const void* address) {
  Acquire(address);
  Release(address);
}

}  // namespace leash::rt::race

#endif  // LEASH_BASE_RACE_H_
