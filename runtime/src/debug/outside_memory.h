// Searching the program's memory, but for that of goroutines: whether something in the heap, in a
// global or on a thread's stack points into a goroutine's stack or closure. Who finds such a word
// may use what lies there, a channel's handle among others.

#ifndef LEASH_DEBUG_OUTSIDE_MEMORY_H_
#define LEASH_DEBUG_OUTSIDE_MEMORY_H_

#include <cstdint>
#include <functional>
#include <map>
#include <vector>

namespace leash::rt {

// Laws.
// (1) Looked at is every word of every writable mapping of which a page is there, swapped out or
//   not. Left out are the arena (its goroutines' memory is looked at by mentions.cc, the rest is
//   free or the runtime's own) and what says where it begins; the frames and signal stacks of Ms
//   (what lies there is what their goroutines had in registers); the stacks of the runtime's own
//   threads, on which none of the program's code runs (what lies there are the goroutines that they
//   have looked at); what sanitizers keep their shadows in; and what is dead: below the stack
//   pointer of the calling thread, and of threads that are blocked in a system call, down to the
//   end of the stack that pthread made for them. Where that is, is known of the caller and of those
//   that have used leash; of others all is looked at, and so is all that lies around a stack of the
//   program's own making.
// (2) Other threads must not pass a word on from a place that is yet to be looked at to one that
//   has been. So no thread may run user code meanwhile: Complete() is true only if each was blocked
//   in a system call at the beginning and has not run since. Threads of the runtime's own and
//   ThreadSanitizer's do not count: an M that runs a goroutine is noticed by the goroutine's
//   record.
// (3) Not seen is a word that is in no memory at all: in a register of a blocked thread that
//   nothing has saved; and one in shared memory that the kernel has taken out of the page table.
// (4) It costs what is there, not what is reserved, and is given up after a second. Then nothing is
//   known. (9 ms with 35 MB under ThreadSanitizer.)
// (5) What looks like a pointer is taken for one. ThreadSanitizer keeps the address of each mutex
//   and atomic that it has seen: under it, one on a goroutine's stack hides that goroutine's leak.
class OutsideMemory {
 public:
  struct Range {
    uint64_t begin = 0, end = 0;
  };

  OutsideMemory();

  // Calls `found` for each word in [low, high) that lies somewhere. Of the caller's stack what is
  // below `own_sp` is left out: the frames that look. False: (4), or memory could not be listed.
  bool Search(uint64_t own_sp, uint64_t low, uint64_t high,
              const std::function<void(uint64_t word)>& found);

  // Whether what has been searched since the beginning was all there is: (2).
  bool Complete() const;

 private:
  struct ThreadState {
    uint64_t switches = 0;  // how often it has been taken off a processor
    bool blocked = false;
    bool own = false;  // the runtime's
    Range dead;        // what of its stack holds nothing of the program's
  };
  using Threads = std::map<int32_t, ThreadState>;
  static bool ReadThreads(bool with_stacks, Threads* threads);

  Threads threads_;
  bool listed_ = false;
};

}  // namespace leash::rt

#endif  // LEASH_DEBUG_OUTSIDE_MEMORY_H_
