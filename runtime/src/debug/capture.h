// Taking a Snapshot of this process: the parts of Capture() that WriteProfile uses piece by piece.
//
// How a goroutine is read. A parked one stays where it is: its record says since when (seq), its
// stack is walked in place, and seq is read again afterwards; if it has changed, the walk is done
// anew. Stacks of goroutines are never unmapped, so a walk of one that ran away reads nonsense,
// never a fault, and what it read is thrown away. Stacks of threads and the objects that are waited
// for may be unmapped: they are copied with SafeRead. Running ones are interrupted by a signal
// (sample.h).

#ifndef LEASH_DEBUG_CAPTURE_H_
#define LEASH_DEBUG_CAPTURE_H_

#include <cstddef>
#include <cstdint>
#include <source_location>
#include <unordered_map>
#include <vector>

#include "chan/chan_facts.h"
#include "debug/symbolize.h"
#include "leash/debug.h"
#include "leash/snapshot.h"
#include "sched/g.h"

namespace leash::rt {

inline constexpr int kFramesMax = 256;

// Captures goroutines into one Snapshot.
class Capturer {
 public:
  Capturer(const debug::CaptureOptions& options, Snapshot* out);

  // Captures the caller, if it has ever used leash.
  void CaptureSelf() {
    if (self_ != nullptr) CaptureOne(self_);
  }
  // Leaves the caller out from now on.
  void SkipSelf() { skip_self_ = true; }

  // Captures the records [begin, end) of the registry, as far as they are in use.
  void CaptureRange(size_t begin, size_t end);

  // What the caller's stack is searched from by FindMentions: all registers that a call preserves
  // have been saved above it.
  void SetCallerSp(uint64_t sp) { caller_sp_ = sp; }

  // Finds who may hold what is waited for, and marks those that moved meanwhile, or were born, as
  // holding everything: mentions.cc, with its laws. After the last CaptureRange.
  void FindMentions();

 private:
  friend class MentionFinder;

  struct Seen {
    G* g;
    uint32_t seq;
    size_t index;  // in out_->goroutines
  };

  void CaptureOne(G* g);
  StackId StackOf(G* g, bool parked);
  StackId AddStack(const uint64_t* pcs, int n, uint64_t exact_pcs);
  void AddWaits(G* g, WaitReason reason, const void* object, leash::Goroutine* entry);
  void WipeCopy();
  bool ReadChan(uint64_t address, ChanFacts* facts);
  ObjectId ChanObject(uint64_t address);
  ObjectId SyncObject(uint64_t address, WaitReason reason);
  ObjectId FdObject(uint64_t address);
  SiteId AddSite(const std::source_location& site);
  SiteId AddDropSite(uint64_t pc);
  // What may change of a channel while it is waited for.
  void SetChanState(const ChanFacts& facts, leash::WaitObject* o);

  const debug::CaptureOptions options_;
  Snapshot* const out_;
  LocationWriter locations_;
  std::vector<Seen> seen_;
  std::unordered_map<uint64_t, ObjectId> object_ids_;
  std::unordered_map<const void*, SiteId> site_ids_;
  std::unordered_map<uint64_t, std::vector<StackId>> stack_ids_;  // by hash of the pcs
  std::unordered_map<StackId, std::vector<uint64_t>> stack_pcs_;
  // Wiped after each use: in our heap what it holds would be found as if it were the program's,
  // when what it refers to is long another's.
  std::vector<char> copy_;
  int64_t coarse_ = 0;
  G* self_ = nullptr;
  bool skip_self_ = false;
  uint64_t caller_sp_ = 0;
};

// Fills in what a Snapshot says of the program itself.
void DescribeProgram(Snapshot* out);

}  // namespace leash::rt

#endif  // LEASH_DEBUG_CAPTURE_H_
