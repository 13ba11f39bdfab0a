// DeferredGo: a go statement whose time has not come: the function of an AfterFunc, of time's and
// of context's. It starts a goroutine as of the place, the goroutine and the labels of the call
// that made it, from wherever the event happens: a timer's function too, which belongs to no
// goroutine.

#ifndef LEASH_TIME_DEFERRED_GO_H_
#define LEASH_TIME_DEFERRED_GO_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <source_location>

#include "sched/labels.h"
#include "sched/timer.h"

namespace leash::rt {

class DeferredGo;
struct DeferredGoRelease {
  void operator()(DeferredGo* deferred) const noexcept;
};
// A counted reference.
using DeferredGoRef = std::unique_ptr<DeferredGo, DeferredGoRelease>;

class DeferredGo {
 public:
  // What precedes this happens before `fn` runs.
  static DeferredGoRef Make(std::function<void()> fn, std::source_location site);

  DeferredGoRef Retain();

  // Starts the goroutine, which takes over the reference. Never fails: where a goroutine cannot be
  // had for want of memory it is tried again every few milliseconds. Any stack; no lock held.
  static void Start(DeferredGoRef self);

 private:
  friend struct DeferredGoRelease;
  DeferredGo(std::function<void()> fn, std::source_location site);
  ~DeferredGo();
  static void Run(DeferredGoRef self);
  static void Retry(RtTimer* timer, int64_t now_ns);

  std::atomic<uint32_t> references_{1};
  // Goroutines that could not be started yet. Each keeps a reference.
  std::atomic<uint32_t> owed_{0};
  std::function<void()> fn_;
  std::source_location site_;
  uint64_t parent_id_;
  LabelSet* labels_;
  const char* test_;
  RtTimer retry_;
};

}  // namespace leash::rt

#endif  // LEASH_TIME_DEFERRED_GO_H_
