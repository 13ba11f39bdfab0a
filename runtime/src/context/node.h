// The tree of contexts.
//
// A child holds its parent (values are looked up along the way). A node that can be cancelled also
// holds, through a list, the nodes below that end with it: a context ends its children even if
// nobody holds them but who waits on their Done channels. The cycle is broken when either ends, or
// when the upper one can no longer end:
//
// What could still end a node are its `sources`: a CancelFunc that somebody holds, a parent that
// could
//   end, a deadline that has not passed. When the last source goes it lets go of its children (who
//   lose theirs) and of the sending handle of its Done channel: whoever waits there is provably
//   stuck.
//
// Laws: (1) `error` goes from kNone to another value once, under `lock`; who makes that change, and
//   nobody else, closes `done`, runs `deferred` and ends the children.  (2) `settled` follows when
//   the whole subtree has ended; a cancel that comes second returns only then, as in Go.  (3) A
//   node is in its parent's list iff `linked`, which is under the parent's lock, unless the
//   parent's list has been given away (`closed`): then the one who took it owns the links and the
//   references.  (4) There is one reference for each of: a handle, a child, the place in the
//   parent's list, the armed timer or its function under way.  (5) Trees are walked by lists, never
//   by recursion: stacks are small and chains of contexts may be long.
// Lock order: one context's lock at a time (kContext < kChan < kTimers). Channels are closed,
// handles and
//   functions dropped and goroutines started without it.

#ifndef LEASH_CONTEXT_NODE_H_
#define LEASH_CONTEXT_NODE_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <source_location>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/lock.h"
#include "leash/chan.h"
#include "leash/context.h"
#include "sched/timer.h"
#include "time/deferred_go.h"

namespace leash::rt {

struct CancelNode;

struct ContextNode {
  enum class Kind : uint8_t { kCancel, kValue, kDetached };

  ContextNode(Kind kind, ContextNode* parent);  // counts the parent
  void Retain() { references.fetch_add(1, std::memory_order_relaxed); }
  static void Release(ContextNode* node);  // null is allowed

  // Between nodes and the handles that hide them. The makers of handles take over one reference.
  static ContextNode* Of(const Context& context) { return context.node_; }
  static Context MakeContext(ContextNode* node);
  static CancelFunc MakeCancelFunc(CancelNode* node);
  static CancelCauseFunc MakeCancelCauseFunc(CancelNode* node);
  static StopFunc MakeStopFunc(CancelNode* node);

  std::atomic<uint32_t> references{1};
  const Kind kind;
  bool has_values;  // it or something above it is a value
  ContextNode* const parent;
  CancelNode* canceller;  // the nearest that can end, from this one up; null: none
};

struct ValueNode : ContextNode {
  ValueNode(ContextNode* parent, const void* key, std::shared_ptr<const void> value);

  const void* const key;
  std::shared_ptr<const void> value;
};

// A context that can end, or a function that waits for one to end.
struct CancelNode : ContextNode {
  enum class Error : uint8_t { kNone, kCanceled, kDeadlineExceeded };
  enum Source : uint32_t { kHandle = 1, kParent = 2, kTimer = 4 };

  CancelNode(ContextNode* parent, std::source_location site);

  // Puts it below its parent, if that can end; ends it if that has ended. Once, after the fields
  // are set.
  void LinkToParent();
  // Ends it and what is below it; false if it has ended before. `may_park`: not in a timer's
  // function.
  bool Cancel(Error error, const absl::Status& cause, bool may_park);
  // Takes it out of its parent's list.
  void Unlink();
  void DropSource(Source source);
  RecvChan<Unit> Done();
  absl::Status Err() const;
  absl::Status Cause() const;
  // True: the function had not been started and will not be. Ends the node.
  bool StopDeferred();
  // Lets it end at this time, on the clock of timers. Before LinkToParent.
  void ArmTimer(int64_t when_ns);

  absl::Time deadline;  // constant; InfiniteFuture: none
  const std::source_location site;

  Lock lock{LockRank::kContext};
  std::atomic<Error> error{Error::kNone};  // (1)
  std::atomic<bool> settled{false};        // (2)
  absl::Status cause;                      // constant once `error` is set
  uint32_t sources ABSL_GUARDED_BY(lock) = 0;
  bool closed ABSL_GUARDED_BY(lock) = false;  // takes no more children
  CancelNode* children ABSL_GUARDED_BY(lock) = nullptr;
  std::atomic<bool> done_made{false};
  RecvChan<Unit> done;  // constant once done_made
  SendChan<Unit> done_sender ABSL_GUARDED_BY(lock);
  DeferredGoRef deferred ABSL_GUARDED_BY(lock);
  std::atomic<uint32_t> handles{0};  // CancelFuncs
  RtTimer timer;

  // Under the parent's lock. (3)
  bool linked = false;
  CancelNode* previous = nullptr;
  CancelNode* next = nullptr;
  // Of the one who ends it.
  CancelNode* next_ended = nullptr;
};

struct NodeRelease {
  void operator()(ContextNode* node) const { ContextNode::Release(node); }
};
// A counted reference, while a node is being made.
using CancelNodeRef = std::unique_ptr<CancelNode, NodeRelease>;

}  // namespace leash::rt

#endif  // LEASH_CONTEXT_NODE_H_
