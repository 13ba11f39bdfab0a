// Proofs of leaks: the greatest set of waiting goroutines that nothing outside of it can wake.
//
// Suspects are all goroutines that wait for channels only. A suspect is rescued as soon as one of
// its waits could be acted upon by somebody who is no suspect (any more):
//
//   wait                 could be acted upon if
//   send on c            a receive handle lives elsewhere (heap, globals, threads), or a goroutine
//                        that is no suspect mentions c while goroutines hold receive handles of
//                        it, or something that is no goroutine points to where these may lie
//   receive from c       the same with send handles, or the runtime itself sends on c (a timer)
//   either               c is closed, has room or values, somebody waits at its other side, or its
//                        handles are not known
//   nil channel          never
//
// A rescued goroutine may go on, so what it mentions may be acted upon: the set shrinks until
// nothing changes, each goroutine and each mention being looked at once. What is left is proved.
//
// For a stuck sender only receivers count. Another holder of a send handle could close the channel
// under it, but that ends in a panic and wakes nobody to go on.

#include <algorithm>
#include <string_view>
#include <vector>

#include "leash/analyzer/leak.h"

namespace leash {
namespace {

constexpr std::string_view kNilChannel = "the channel is nil";
constexpr std::string_view kNoCase = "the select has no case that can ever be ready";
constexpr std::string_view kNoReceiver = "no receiver is alive";
constexpr std::string_view kNoSender = "no sender is alive";
constexpr std::string_view kStuckReceivers =
    "its only receivers are goroutines that are stuck themselves";
constexpr std::string_view kStuckSenders =
    "its only senders are goroutines that are stuck themselves";

bool IsNilReason(std::string_view reason) {
  return reason == "chan send (nil chan)" || reason == "chan receive (nil chan)";
}

class Prover {
 public:
  explicit Prover(Snapshot& s)
      : s_(s), suspect_(s.goroutines.size(), false), objects_(s.objects.size()) {}

  size_t Prove() {
    FindSuspects();
    Rescue();
    return Claim();
  }

 private:
  struct Channel {
    std::vector<uint32_t> senders, receivers;  // goroutines that wait at it
    std::vector<uint32_t> mentioned_by;        // suspects, at the start
    bool mentioned = false;                    // by anybody at all
    bool acted_upon = false;                   // mentioned by somebody who may still run
  };

  static bool IsEndless(std::string_view reason) {
    return IsNilReason(reason) || reason == "select (no cases)";
  }

  bool IsSuspect(const Goroutine& g) const {
    if (g.kind != GoroutineKind::kGoroutine || g.state != GoroutineState::kWaiting) return false;
    const std::string_view reason = s_.String(g.reason);
    if (IsEndless(reason)) {
      // Go's main goroutine may rest in "select {}" for as long as the program runs: no leak.
      return s_.origin != "go" || g.id > 1;
    }
    if (reason != "chan send" && reason != "chan receive" && reason != "select") return false;
    // What it waits for must be known, all of it.
    return !g.waits.empty() && std::all_of(g.waits.begin(), g.waits.end(), [&](const Wait& wait) {
      if (wait.op == Wait::Op::kOther) return false;
      if (wait.object == 0) return true;
      const WaitObject& o = s_.objects[wait.object];
      return o.kind == ObjectKind::kChan && o.counted;
    });
  }

  void FindSuspects() {
    for (ObjectId id = 1; id < objects_.size(); ++id) {
      objects_[id].acted_upon = s_.objects[id].by_reference;
    }
    for (uint32_t i = 0; i < s_.goroutines.size(); ++i) {
      const Goroutine& g = s_.goroutines[i];
      suspect_[i] = IsSuspect(g);
      anybody_ = anybody_ || (!suspect_[i] && g.mentions_unknown);
      for (ObjectId id : g.mentions) {
        objects_[id].mentioned = true;
        if (suspect_[i]) {
          objects_[id].mentioned_by.push_back(i);
        } else {
          objects_[id].acted_upon = true;
        }
      }
      for (const Wait& wait : g.waits) {
        if (wait.object == 0) continue;
        if (wait.op == Wait::Op::kSend) objects_[wait.object].senders.push_back(i);
        if (wait.op == Wait::Op::kRecv) objects_[wait.object].receivers.push_back(i);
      }
    }
  }

  // Handles that goroutines hold, of those who could end this wait.
  static uint64_t HeldByGoroutines(const WaitObject& o, Wait::Op op) {
    return op == Wait::Op::kSend
               ? o.recv_handles - std::min(o.recv_handles, o.recv_handles_elsewhere)
               : o.send_handles - std::min(o.send_handles, o.send_handles_elsewhere);
  }

  bool CouldBeActedUpon(uint32_t self, const Wait& wait) const {
    if (wait.object == 0) return false;
    const WaitObject& o = s_.objects[wait.object];
    const Channel& c = objects_[wait.object];
    const bool send = wait.op == Wait::Op::kSend;
    if (o.closed) return true;
    if (send ? o.length < o.capacity : o.length > 0) return true;
    if (!send && o.timer) return true;
    if ((send ? o.recv_handles_elsewhere : o.send_handles_elsewhere) > 0) return true;
    // Two that wait for each other are about to meet: the snapshot caught them in between.
    const std::vector<uint32_t>& others = send ? c.receivers : c.senders;
    if (std::any_of(others.begin(), others.end(), [&](uint32_t i) { return i != self; }))
      return true;
    if (HeldByGoroutines(o, wait.op) == 0) return false;
    return anybody_ || c.acted_upon || !c.mentioned;
  }

  void Rescue() {
    std::vector<uint32_t> rescued;
    auto rescue = [&](uint32_t i) {
      if (!suspect_[i]) return;
      suspect_[i] = false;
      rescued.push_back(i);
    };
    for (uint32_t i = 0; i < s_.goroutines.size(); ++i) {
      if (!suspect_[i]) continue;
      for (const Wait& wait : s_.goroutines[i].waits) {
        if (CouldBeActedUpon(i, wait)) rescue(i);
      }
    }
    while (!rescued.empty()) {
      const Goroutine& g = s_.goroutines[rescued.back()];
      rescued.pop_back();
      if (g.mentions_unknown && !anybody_) {
        // It may hold a handle of any channel that has some with goroutines. Once is enough.
        anybody_ = true;
        for (ObjectId id = 1; id < objects_.size(); ++id) ActedUpon(id, rescue);
      }
      for (ObjectId id : g.mentions) ActedUpon(id, rescue);
    }
  }

  template <class RescueFn>
  void ActedUpon(ObjectId id, RescueFn rescue) {
    Channel& c = objects_[id];
    if (c.acted_upon) return;
    c.acted_upon = true;
    if (HeldByGoroutines(s_.objects[id], Wait::Op::kSend) > 0) {
      for (uint32_t i : c.senders) rescue(i);
    }
    if (HeldByGoroutines(s_.objects[id], Wait::Op::kRecv) > 0) {
      for (uint32_t i : c.receivers) rescue(i);
    }
  }

  std::string_view Reason(const Goroutine& g) const {
    const std::string_view reason = s_.String(g.reason);
    if (IsNilReason(reason)) return kNilChannel;
    if (g.waits.size() != 1 || reason.starts_with("select")) return kNoCase;
    const Wait& wait = g.waits[0];
    if (wait.object == 0) return kNilChannel;
    const bool send = wait.op == Wait::Op::kSend;
    // Somebody stuck in another wait would be a receiver (sender), were it not stuck; those in this
    // same wait hold handles too, and are none.
    const Channel& c = objects_[wait.object];
    const bool others =
        HeldByGoroutines(s_.objects[wait.object], wait.op) > 0 &&
        std::any_of(c.mentioned_by.begin(), c.mentioned_by.end(), [&](uint32_t i) {
          const Goroutine& other = s_.goroutines[i];
          return std::none_of(other.waits.begin(), other.waits.end(), [&](const Wait& its) {
            return its.object == wait.object && its.op == wait.op;
          });
        });
    if (others) return send ? kStuckReceivers : kStuckSenders;
    return send ? kNoReceiver : kNoSender;
  }

  size_t Claim() {
    size_t proved = 0;
    for (uint32_t i = 0; i < s_.goroutines.size(); ++i) {
      Goroutine& g = s_.goroutines[i];
      if (suspect_[i]) {
        g.tier_reason = s_.AddString(Reason(g));
        g.tier = LeakTier::kProved;
      }
      if (g.tier == LeakTier::kProved) ++proved;
    }
    return proved;
  }

  Snapshot& s_;
  std::vector<bool> suspect_;
  std::vector<Channel> objects_;
  bool anybody_ = false;  // somebody who may run may hold anything
};

}  // namespace

size_t ProveLeaks(Snapshot& snapshot) { return Prover(snapshot).Prove(); }

bool IsProvedLeak(const Goroutine& g) {
  return g.tier == LeakTier::kProved && g.background == 0 && !g.runtime_internal &&
         g.kind == GoroutineKind::kGoroutine;
}

}  // namespace leash
