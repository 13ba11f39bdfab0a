// Who may hold the channels that others wait for: what ProveLeaks() builds on.
//
// Nothing is stopped, so what is read piece by piece must amount to one moment: T, the end of step
// 4. A goroutine is clean if it was parked from step 1 to step 5.
//
//   1  each record of the registry: seq, status
//   2  each channel that is waited for: its counts of handles, whether it is closed, its length
//   3  each clean goroutine's stack and closure; and, where a proof could come of it, whatever in
//      the program's memory points into these
//   4  the channels again; one that has changed counts as not counted
//   5  the records again; a goroutine that is not clean may hold anything, and so may one that is
//      not in the Snapshot
//
// Laws.
// (1) A handle comes only from a handle of the same right: when none is left, none will be. So a
//   count of 0 read at any time is true at T, and for ever.
// (2) A right counted elsewhere (not in the memory of goroutines) at step 2 or 4 rescues whoever
//   waits for it. Hence what is at stake are channels with none elsewhere both times.
// (3) If any goroutine is not clean, or one is unknown, all handles that goroutines hold count as
//   its own: whatever it moved from stack to heap to stack meanwhile, nothing but (1) is claimed.
//   Seen as not clean is who ran (seq), who was readied (status), who was born or ended (seq of its
//   record, also of one that was free at step 1) and whose closure was being made (embryo), from
//   before the first handle was counted in it.
// (4) If all are clean, only threads and the runtime ran. These take a handle out of a goroutine's
//   memory, or put it there, in one way: by completing an operation that the goroutine is parked
//   in, after which they ready it. Completed before step 5, that makes it not clean. Under way from
//   before step 4 until after step 5: then the handle that is taken is elsewhere at step 4, and one
//   that is put there was elsewhere at step 2 or has been found by step 3; and the thread holds a
//   handle of the channel that it operates on, elsewhere, all the time, so whom it is about to
//   ready is rescued by (2) already. One thread does one operation at a time; what it did before
//   that was completed.
// (5) There is another way to use a handle that lies in a goroutine's memory: through a pointer to
//   it (a closure that captures by reference). Who has one is taken for a holder of everything that
//   goroutine may hold: a goroutine by its own mentions, all else by WaitObject::by_reference.
//   outside_memory.h says what the search can see, and when it must be said that it was not
//   complete. It is made only if somebody waits for nothing but what clean waiting goroutines hold.
// (6) Stale words count. They hide a leak and never invent one.
//
// Rejected: counts read once, when the first waiter is captured. A handle that goes from stack to
// heap before its owner's record is read, and back after it has been looked at, was in neither.

#include <algorithm>
#include <atomic>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/safe_read.h"
#include "base/sanitizers.h"
#include "chan/chan_facts.h"
#include "debug/capture.h"
#include "debug/outside_memory.h"
#include "sched/asan_fiber.h"
#include "sched/registry.h"
#include "stack/arena.h"

namespace leash::rt {
namespace {

constexpr size_t kNobody = SIZE_MAX;
// Rounds in which those are left out who wait for what others may still do. What is left after
// these costs a search, nothing else.
constexpr int kRescueRounds = 16;

// A word of another goroutine's stack, whatever it is to that goroutine: AddressSanitizer's red
// zones are not ours to respect.
[[gnu::noinline]] LEASH_NO_ASAN uint64_t ReadForeignWord(uint64_t p) {
  return *reinterpret_cast<const volatile uint64_t*>(p);
}

// What step 1 finds in a record.
struct Record {
  uint32_t seq = 0;
  GStatus status = GStatus::kIdle;
  GKind kind = GKind::kGoroutine;
  bool embryo = false;
  bool captured = false;
};

Record ReadRecord(const G* g) {
  Record r;
  // Acquire: the counts are read after this, and step 5 after the counts.
  r.seq = g->seq.load(std::memory_order_acquire);
  r.status = g->status.load(std::memory_order_acquire);
  r.embryo = g->embryo.load(std::memory_order_acquire);
  r.kind = g->kind;
  return r;
}

bool Exists(const Record& r) { return r.status != GStatus::kIdle && r.status != GStatus::kDead; }

// Part of a goroutine's memory. As distances from the arena's begin: the search must not find our
// own notes.
struct Part {
  uint64_t begin, end;
  size_t holder;
};

}  // namespace

class MentionFinder {
 public:
  explicit MentionFinder(Capturer* capturer) : c_(*capturer), out_(*capturer->out_) {}

  void Run() {
    ReadRecords();
    UpdateChannels();
    FindHolders();
    for (size_t i = 0; i < holders_.size(); ++i) Scan(i);
    FollowReferences();
    for (const Holder& holder : holders_) {
      if (holder.has_fake_frames) TakeForUsed(holder);
    }
    if (SearchIsOfUse()) SearchOutside();
    CheckChannels();
    CheckRecords();
  }

 private:
  struct Holder {
    size_t seen = 0;                // in c_.seen_
    std::vector<size_t> refers_to;  // other holders
    // Some of what it holds lies in AddressSanitizer's frames, where references are not looked for.
    bool has_fake_frames = false;
  };

  leash::Goroutine& EntryOf(const Holder& holder) {
    return out_.goroutines[c_.seen_[holder.seen].index];
  }

  static size_t IndexOf(const G* g) { return static_cast<size_t>(g - GAt(0)); }
  static uint64_t Offset(const void* p) {
    return static_cast<uint64_t>(static_cast<const char*>(p) - arena.begin);
  }
  static uint64_t Address(uint64_t offset) {
    return reinterpret_cast<uint64_t>(arena.begin) + offset;
  }

  // Step 1.
  void ReadRecords() {
    records_.resize(GCount());
    for (size_t i = 0; i < records_.size(); ++i) records_[i] = ReadRecord(GAt(i));
    for (const Capturer::Seen& seen : c_.seen_) records_[IndexOf(seen.g)].captured = true;
    for (const auto& [address, id] : c_.object_ids_) {
      wanted_.emplace_back(address, id);
      if (id != 0 && out_.objects[id].kind == ObjectKind::kChan) chans_.emplace_back(address, id);
    }
    std::sort(wanted_.begin(), wanted_.end());
  }

  // Step 2.
  void UpdateChannels() {
    for (const auto& [address, id] : chans_) {
      ChanFacts facts;
      if (c_.ReadChan(address, &facts)) {
        c_.SetChanState(facts, &out_.objects[id]);
      } else {
        out_.objects[id].counted = false;
      }
    }
  }

  // Step 4.
  void CheckChannels() {
    std::atomic_thread_fence(std::memory_order_seq_cst);
    for (const auto& [address, id] : chans_) {
      leash::WaitObject& o = out_.objects[id];
      ChanFacts now;
      if (!c_.ReadChan(address, &now) || now.send_handles != o.send_handles ||
          now.recv_handles != o.recv_handles ||
          now.send_handles_elsewhere != o.send_handles_elsewhere ||
          now.recv_handles_elsewhere != o.recv_handles_elsewhere || now.closed != o.closed ||
          now.length != o.length) {
        o.counted = false;
      }
    }
    std::atomic_thread_fence(std::memory_order_seq_cst);
  }

  // Which parts of memory are whose.
  void FindHolders() {
    for (size_t i = 0; i < c_.seen_.size(); ++i) {
      const Capturer::Seen& seen = c_.seen_[i];
      const leash::Goroutine& entry = out_.goroutines[seen.index];
      if (entry.kind == GoroutineKind::kThread) continue;  // what it holds counts as elsewhere
      const G* g = seen.g;
      const bool parked =
          entry.state == GoroutineState::kWaiting || entry.state == GoroutineState::kRunnable;
      if (!parked || (seen.seq & 1) != 0 || records_[IndexOf(g)].seq != seen.seq) {
        out_.goroutines[seen.index].mentions_unknown = true;
        somebody_moves_ = true;
        continue;
      }
      // Read once: the two ends of a stack must be of the same one.
      const StackSlot slot = __atomic_load_n(&g->stack, __ATOMIC_RELAXED);
      const auto* sp = reinterpret_cast<const char*>(g->context.sp);
      const auto* closure = static_cast<const char*>(ClosureOf(seen.g));
      const internal::ClosureType* closure_type = g->closure_type;
      std::atomic_thread_fence(std::memory_order_acquire);
      // Else these may be of two goroutines, and a size of the one reach past what the other has.
      // What changes from here on stays mapped, and step 5 finds it.
      if (g->seq.load(std::memory_order_relaxed) != seen.seq) continue;
      const size_t holder = holders_.size();
      holders_.push_back({i, {}, false});
      if (slot != kNoStack && sp >= StackLow(slot) && sp < StackTop(slot)) {
        parts_.push_back({(Offset(sp) + 7) & ~uint64_t{7}, Offset(StackTop(slot)), holder});
      }
      if (closure != nullptr && closure_type != nullptr && InArena(closure)) {
        parts_.push_back({Offset(closure), Offset(closure) + closure_type->size, holder});
      }
    }
    std::sort(parts_.begin(), parts_.end(),
              [](const Part& a, const Part& b) { return a.begin < b.begin; });
    own_parts_.resize(holders_.size());
    for (const Part& part : parts_) own_parts_[part.holder].push_back(part);
  }

  // Whose memory a word points into.
  size_t HolderOf(uint64_t word) const {
    const uint64_t offset = word - reinterpret_cast<uint64_t>(arena.begin);
    auto it = std::upper_bound(parts_.begin(), parts_.end(), offset,
                               [](uint64_t value, const Part& part) { return value < part.begin; });
    if (it == parts_.begin()) return kNobody;
    --it;
    if (offset >= it->end) return kNobody;
    // The queues of channels point to sudogs, and these begin with their goroutine's record, which
    // nothing of the program's own does: no way to a handle.
    const uint64_t at = Address(offset & ~uint64_t{7});
    if (offset + sizeof(uint64_t) <= it->end &&
        ReadForeignWord(at) == reinterpret_cast<uint64_t>(c_.seen_[holders_[it->holder].seen].g)) {
      return kNobody;
    }
    return it->holder;
  }

  // Step 3.
  void Scan(size_t self) {
    Holder& holder = holders_[self];
    leash::Goroutine& entry = EntryOf(holder);
    for (const Part& part : own_parts_[self]) {
      const uint64_t end = Address(part.end);
      for (uint64_t p = Address(part.begin); p + sizeof(uint64_t) <= end; p += sizeof(uint64_t)) {
        const uint64_t word = ReadForeignWord(p);
        if (word - Address(part.begin) < part.end - part.begin) continue;  // most often
        Look(word, self);
      }
    }
    const G* g = c_.seen_[holder.seen].g;
    // The one register that a switch saves in the record. Whoever is built without frame pointers
    // keeps what he likes there.
    Look(g->context.fp, self);
    for (const Part& part : own_parts_[self]) {
      ForEachFakeFrame(g, reinterpret_cast<const char*>(Address(part.begin)),
                       reinterpret_cast<const char*>(Address(part.end)),
                       [&](const char* begin, const char* end) {
                         holder.has_fake_frames = true;
                         for (const char* p = begin; p + sizeof(uint64_t) <= end;
                              p += sizeof(uint64_t)) {
                           Look(ReadForeignWord(reinterpret_cast<uint64_t>(p)), self);
                         }
                       });
    }
    Unique(&entry.mentions);
    Unique(&holder.refers_to);
  }

  // A word that holder `self` has: a handle, or a way to another's.
  void Look(uint64_t word, size_t self) {
    if (!InArena(reinterpret_cast<const void*>(word))) {
      AddMention(word, &EntryOf(holders_[self]));
      return;
    }
    const size_t other = HolderOf(word);
    if (other != kNobody && other != self) holders_[self].refers_to.push_back(other);
  }

  void AddMention(uint64_t word, leash::Goroutine* entry) const {
    const auto it =
        std::lower_bound(wanted_.begin(), wanted_.end(), std::make_pair(word, ObjectId{0}));
    if (it != wanted_.end() && it->first == word) entry->mentions.push_back(it->second);
  }

  template <class T>
  static void Unique(std::vector<T>* values) {
    std::sort(values->begin(), values->end());
    values->erase(std::unique(values->begin(), values->end()), values->end());
  }

  // (5): who points to another's memory may use what that one holds.
  void FollowReferences() {
    std::vector<std::vector<size_t>> referred_by(holders_.size());
    std::vector<size_t> changed;
    for (size_t i = 0; i < holders_.size(); ++i) {
      for (size_t other : holders_[i].refers_to) referred_by[other].push_back(i);
    }
    for (size_t i = 0; i < holders_.size(); ++i) {
      if (!referred_by[i].empty() && !EntryOf(holders_[i]).mentions.empty()) changed.push_back(i);
    }
    while (!changed.empty()) {
      const size_t from = changed.back();
      changed.pop_back();
      const std::vector<ObjectId> mentions = EntryOf(holders_[from]).mentions;
      for (size_t i : referred_by[from]) {
        std::vector<ObjectId>& its = EntryOf(holders_[i]).mentions;
        const size_t before = its.size();
        its.insert(its.end(), mentions.begin(), mentions.end());
        Unique(&its);
        if (its.size() != before) changed.push_back(i);
      }
    }
  }

  // Who might be stuck: ProveLeaks()' suspects, and some more.
  bool MayBeStuck(const leash::Goroutine& g) const {
    if (g.kind != GoroutineKind::kGoroutine || g.state != GoroutineState::kWaiting) return false;
    const std::string_view reason = out_.String(g.reason);
    return !g.waits.empty() || reason == WaitReasonText(WaitReason::kChanSendNil) ||
           reason == WaitReasonText(WaitReason::kChanReceiveNil) ||
           reason == WaitReasonText(WaitReason::kSelectNoCases);
  }

  // Whether somebody waits for nothing but what such as wait themselves hold: a rough copy of what
  // ProveLeaks() finds out, with more of them.
  bool SearchIsOfUse() {
    if (somebody_moves_) return false;
    std::vector<bool> stuck(out_.goroutines.size(), false);
    std::vector<bool> usable(out_.objects.size(), false);
    const auto hopeless = [&](const leash::Wait& wait) {
      if (wait.op == leash::Wait::Op::kOther) return false;
      if (wait.object == 0) return true;
      const leash::WaitObject& o = out_.objects[wait.object];
      const bool send = wait.op == leash::Wait::Op::kSend;
      if (!o.counted || o.closed || o.timer) return false;
      if (send ? o.length < o.capacity : o.length > 0) return false;
      if ((send ? o.recv_handles_elsewhere : o.send_handles_elsewhere) != 0) return false;
      return (send ? o.recv_handles : o.send_handles) == 0 || !usable[wait.object];
    };
    const auto held = [&](const leash::Wait& wait) {
      if (wait.object == 0) return false;
      const leash::WaitObject& o = out_.objects[wait.object];
      return (wait.op == leash::Wait::Op::kSend ? o.recv_handles : o.send_handles) != 0;
    };
    const auto taken_for_used = [&](const leash::Wait& wait) {
      return wait.object != 0 && out_.objects[wait.object].by_reference;
    };
    const auto release = [&](const leash::Goroutine& g) {
      for (ObjectId id : g.mentions) usable[id] = true;
    };
    for (size_t i = 0; i < stuck.size(); ++i) {
      const leash::Goroutine& g = out_.goroutines[i];
      stuck[i] = MayBeStuck(g);
      if (!stuck[i]) release(g);
    }
    for (int round = 0; round < kRescueRounds; ++round) {
      bool changed = false;
      for (size_t i = 0; i < stuck.size(); ++i) {
        const leash::Goroutine& g = out_.goroutines[i];
        if (!stuck[i] || std::all_of(g.waits.begin(), g.waits.end(), hopeless)) continue;
        stuck[i] = false;
        release(g);
        changed = true;
      }
      if (!changed) break;
    }
    for (size_t i = 0; i < stuck.size(); ++i) {
      const leash::Goroutine& g = out_.goroutines[i];
      if (stuck[i] && std::any_of(g.waits.begin(), g.waits.end(), held) &&
          std::none_of(g.waits.begin(), g.waits.end(), taken_for_used)) {
        return true;
      }
    }
    return false;
  }

  void SearchOutside() {
    OutsideMemory outside;
    std::vector<bool> referred(holders_.size(), false);
    const auto found = [&](uint64_t word) {
      const size_t holder = HolderOf(word);
      if (holder != kNobody) referred[holder] = true;
    };
    const bool complete = outside.Search(c_.caller_sp_, reinterpret_cast<uint64_t>(arena.begin),
                                         reinterpret_cast<uint64_t>(arena.end), found) &&
                          outside.Complete();
    for (size_t i = 0; i < holders_.size(); ++i) {
      if (!complete || referred[i]) TakeForUsed(holders_[i]);
    }
  }

  // Somebody outside of goroutines may use what this one holds.
  void TakeForUsed(const Holder& holder) {
    for (ObjectId id : EntryOf(holder).mentions) {
      if (out_.objects[id].kind == ObjectKind::kChan) out_.objects[id].by_reference = true;
    }
  }

  // Step 5.
  void CheckRecords() {
    for (const Capturer::Seen& seen : c_.seen_) {
      leash::Goroutine& entry = out_.goroutines[seen.index];
      if (entry.kind == GoroutineKind::kThread || entry.current) continue;
      const Record now = ReadRecord(seen.g);
      const bool readied =
          entry.state == GoroutineState::kWaiting && now.status != GStatus::kWaiting;
      if (readied || now.seq != seen.seq) {
        entry.mentions.clear();
        entry.mentions_unknown = true;
        entry.state = GoroutineState::kRunning;
        entry.waits.clear();
      }
    }
    bool unknown = false;
    const size_t n = GCount();
    for (size_t i = 0; i < n; ++i) {
      const Record before = i < records_.size() ? records_[i] : Record{};
      const G* g = GAt(i);
      const Record now = ReadRecord(g);
      if (now.embryo || before.embryo) {
        unknown = true;
        continue;
      }
      if (before.captured || now.kind != GKind::kGoroutine) continue;
      if (!Exists(now)) {
        // Also one that was born, ran and ended meanwhile. Who was about to end has done so.
        const bool ended = before.status == GStatus::kDead && now.seq - before.seq <= 1;
        if (!ended && now.seq != before.seq) unknown = true;
        continue;
      }
      if (!c_.options_.background && BackgroundOf(g) != nullptr) {
        unknown = true;  // it may hold what it likes
        continue;
      }
      AddBorn(g);
    }
    if (!unknown) return;
    for (const auto& [address, id] : chans_) {
      leash::WaitObject& o = out_.objects[id];
      if (o.send_handles != 0 || o.recv_handles != 0) o.by_reference = true;
    }
  }

  void AddBorn(const G* g) {
    leash::Goroutine born;
    born.id = g->id.load(std::memory_order_relaxed);
    born.state = GoroutineState::kRunning;
    born.parent_id = g->parent_id;
    born.created_at = c_.AddSite(g->site);
    born.mentions_unknown = true;
    out_.goroutines.push_back(std::move(born));
  }

  Capturer& c_;
  Snapshot& out_;
  std::vector<Record> records_;
  std::vector<std::pair<uint64_t, ObjectId>> wanted_, chans_;  // by address
  std::vector<Holder> holders_;
  std::vector<Part> parts_;                   // by begin
  std::vector<std::vector<Part>> own_parts_;  // by holder
  bool somebody_moves_ = false;
};

void Capturer::FindMentions() { MentionFinder(this).Run(); }

}  // namespace leash::rt
