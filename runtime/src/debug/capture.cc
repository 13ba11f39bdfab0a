#include "debug/capture.h"

#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstring>
#include <typeinfo>

#include "absl/time/clock.h"
#include "base/clock.h"
#include "base/safe_read.h"
#include "base/sanitizers.h"
#include "chan/chan_facts.h"
#include "chan/sudog.h"
#include "debug/function_name.h"
#include "debug/pretty_site.h"
#include "debug/sample.h"
#include "sched/asan_fiber.h"
#include "sched/labels.h"
#include "sched/netpoll.h"
#include "sched/park.h"
#include "sched/registry.h"
#include "sched/scheduler.h"
#include "stack/unwind.h"
#include "stack/unwind_table.h"
#include "sync/sync_facts.h"

namespace leash::rt {
namespace {

constexpr int kTries = 8;  // walks of one goroutine that keeps moving
constexpr size_t kThreadStackCopyMax = size_t{1} << 20;
constexpr uint32_t kSelectCasesMax = 4096;
constexpr size_t kNameMax = 256;  // of a channel's name, longer ones are cut

uint64_t HashPcs(const uint64_t* pcs, int n) {
  uint64_t h = 0xcbf29ce484222325u ^ static_cast<uint64_t>(n);
  for (int i = 0; i < n; ++i) h = (h ^ pcs[i]) * 0x9e3779b97f4a7c15u + (h >> 29);
  return h;
}

// What is read of a record in one go.
struct Facts {
  uint32_t seq;
  GStatus status;
  WaitReason reason;
  const void* wait_object;
  uint64_t id;
  int64_t since;
};

Facts ReadFacts(const G* g) {
  Facts f;
  // Acquire: pairs with the release in AfterSwitch; what the goroutine wrote before it parked is
  // seen.
  f.seq = g->seq.load(std::memory_order_acquire);
  // Acquire: pairs with the release in StartGoroutine.
  f.status = g->status.load(std::memory_order_acquire);
  f.reason = g->reason.load(std::memory_order_relaxed);
  f.wait_object = g->wait_object.load(std::memory_order_relaxed);
  f.id = g->id.load(std::memory_order_relaxed);
  f.since = g->since.load(std::memory_order_relaxed);
  return f;
}

// What was read of it since `seq` was read is true.
bool Unchanged(const G* g, uint32_t seq) {
  std::atomic_thread_fence(std::memory_order_acquire);
  return g->seq.load(std::memory_order_relaxed) == seq;
}

// Read once: the two ends of a stack must be of the same one, also when the record moves on.
// Between two stacks there are guard pages.
StackSlot SlotOf(const G* g) { return __atomic_load_n(&g->stack, __ATOMIC_RELAXED); }

bool Parked(const Facts& f) {
  return (f.seq & 1) == 0 && (f.status == GStatus::kWaiting || f.status == GStatus::kRunnable);
}

}  // namespace

Capturer::Capturer(const debug::CaptureOptions& options, Snapshot* out)
    : options_(options), out_(out), locations_(Symbolizer::Get(), *out), self_(CurrentGOrNull()) {
  coarse_ = MonotonicNow();
  stack_pcs_.emplace(0, std::vector<uint64_t>());
}

void Capturer::CaptureRange(size_t begin, size_t end) {
  for (size_t i = begin; i < end; ++i) {
    G* g = GAt(i);
    const GStatus status = g->status.load(std::memory_order_acquire);
    if (status == GStatus::kIdle || status == GStatus::kDead) continue;
    if (skip_self_ && g == self_) continue;
    if (g->kind == GKind::kThread && !options_.threads && g != self_) continue;
    if (!options_.background && BackgroundOf(g) != nullptr) continue;
    CaptureOne(g);
  }
}

void Capturer::CaptureOne(G* g) {
  leash::Goroutine entry;
  Facts f{};
  bool consistent = false;
  for (int attempt = 0; attempt < kTries && !consistent; ++attempt) {
    f = ReadFacts(g);
    if (f.status == GStatus::kIdle || f.status == GStatus::kDead) return;
    entry = leash::Goroutine();
    const bool parked = Parked(f);
    entry.stack = options_.stacks && g != self_ ? StackOf(g, parked) : 0;
    if (parked && f.status == GStatus::kWaiting) {
      AddWaits(g, f.reason, f.wait_object, &entry);
    }
    consistent = !parked || Unchanged(g, f.seq);
  }
  if (!consistent) {
    // It moves all the time: it runs, as far as anybody can tell.
    f.status = GStatus::kRunning;
    entry.waits.clear();
    entry.stack = 0;
  }
  entry.id = f.id;
  entry.kind = g->kind == GKind::kThread ? GoroutineKind::kThread : GoroutineKind::kGoroutine;
  entry.locked_to_thread = g->kind == GKind::kThread || g->lock_count != 0;
  entry.current = g == self_;
  switch (f.status) {
    case GStatus::kRunnable:
      entry.state = GoroutineState::kRunnable;
      break;
    case GStatus::kWaiting:
      entry.state = GoroutineState::kWaiting;
      entry.reason = out_->AddString(WaitReasonText(f.reason));
      break;
    default: {
      entry.state = GoroutineState::kRunning;
      const M* m = g->m;
      if (g != self_ && g->kind == GKind::kGoroutine && m != nullptr &&
          m->in_syscall.load(std::memory_order_relaxed) != 0) {
        entry.state = GoroutineState::kSyscall;
      }
      break;
    }
  }
  const int64_t waited = coarse_ - f.since;
  entry.wait_ns = f.since == 0 ? -1 : waited < 0 ? 0 : waited;
  entry.parent_id = g->parent_id;
  if (g->kind == GKind::kGoroutine) {
    entry.created_at = AddSite(g->site);
    if (const uint64_t* frames = SpawnFramesOf(g); frames != nullptr && options_.stacks) {
      const auto n = static_cast<int>(std::min<uint64_t>(frames[0], kSpawnFramesMax));
      entry.spawn_stack = AddStack(frames + 1, n, 0);
    }
  }
  if (const char* test = g->test) entry.test = out_->AddString(test);
  if (const char* background = BackgroundOf(g)) entry.background = out_->AddString(background);
  leash::LabelSet labels;
  for (const auto& [key, value] : CopyLabels(&g->labels)) {
    labels.emplace_back(out_->AddString(key), out_->AddString(value));
  }
  if (!labels.empty()) entry.labels = out_->AddLabelSet(std::move(labels));
  if (g == self_ && options_.stacks) {
    uint64_t pcs[kFramesMax];
    const int n = UnwindSelf(pcs, kFramesMax, 0, reinterpret_cast<uint64_t>(StackTopOf(g)));
    entry.stack = AddStack(pcs, n, 0);
  }
  if (const char* top = StackTopOf(g); top != nullptr && g->context.sp != 0) {
    const auto high = reinterpret_cast<uint64_t>(top);
    if (g->context.sp < high) entry.stack_bytes = high - g->context.sp;
  }
  seen_.push_back({g, f.seq, out_->goroutines.size()});
  out_->goroutines.push_back(std::move(entry));
}

StackId Capturer::StackOf(G* g, bool parked) {
  uint64_t pcs[kFramesMax];
  if (!parked) {
    if (!options_.running_stacks) return 0;
    const M* m = g->m;
    const int32_t tid = g->kind == GKind::kThread ? g->tid
                        : m != nullptr            ? m->tid.load(std::memory_order_relaxed)
                                                  : 0;
    Sample sample;
    if (tid == 0 || !SampleThread(tid, &sample) || sample.g != g) return 0;
    return AddStack(sample.pcs, sample.count, sample.exact_pcs);
  }
  const Context context = g->context;
  uint64_t low = 0;
  uint64_t high = 0;
  if (g->kind == GKind::kThread) {
    high = reinterpret_cast<uint64_t>(RareOf(g)->thread_stack_top);
  } else {
    const StackSlot slot = SlotOf(g);
    if (slot == kNoStack) return 0;
    low = reinterpret_cast<uint64_t>(StackLow(slot));
    high = reinterpret_cast<uint64_t>(StackTop(slot));
  }
  if (context.sp == 0 || high == 0 || context.sp >= high) return 0;  // has not run yet
  UnwindResult result;
  int n;
  if (g->kind == GKind::kThread) {
    size_t bytes = high - context.sp;
    if (bytes > kThreadStackCopyMax) bytes = kThreadStackCopyMax;
    copy_.resize(bytes);
    if (!SafeRead(context.sp, copy_.data(), bytes)) {
      WipeCopy();
      return 0;
    }
    const MemoryView view{context.sp, bytes, copy_.data()};
    n = Unwind(*CurrentUnwindTable(), UnwindRegs::At(context.pc, context.sp, context.fp),
               /*exact_pc=*/true, view, pcs, kFramesMax, nullptr, &result);
    WipeCopy();
  } else {
    // Within its slot: a record that moves on may name another stack by now, mapped all the same.
    if (context.sp < low) return 0;
    n = Unwind(*CurrentUnwindTable(), UnwindRegs::At(context.pc, context.sp, context.fp),
               /*exact_pc=*/true, MemoryView::Live(context.sp, high), pcs, kFramesMax, nullptr,
               &result);
  }
  return AddStack(pcs, n, result.exact_pcs | 1);
}

StackId Capturer::AddStack(const uint64_t* pcs, int n, uint64_t exact_pcs) {
  if (n <= 0) return 0;
  // By raw pcs: equal stacks are symbolised once.
  auto& same_hash = stack_ids_[HashPcs(pcs, n) ^ exact_pcs];
  for (StackId id : same_hash) {
    const std::vector<uint64_t>& known = stack_pcs_[id];
    if (known.size() == static_cast<size_t>(n) && std::equal(known.begin(), known.end(), pcs)) {
      return id;
    }
  }
  leash::Stack stack;
  stack.locations.reserve(static_cast<size_t>(n));
  for (int i = 0; i < n; ++i) {
    const bool exact = i < 64 && (exact_pcs >> i & 1) != 0;
    stack.locations.push_back(locations_.Add(pcs[i], exact));
  }
  const StackId id = out_->AddStack(std::move(stack));
  same_hash.push_back(id);
  stack_pcs_[id].assign(pcs, pcs + n);
  return id;
}

void Capturer::AddWaits(G* g, WaitReason reason, const void* object, leash::Goroutine* entry) {
  const auto address = reinterpret_cast<uint64_t>(object);
  if (address == 0) return;
  switch (reason) {
    case WaitReason::kChanSend:
      entry->waits.push_back({ChanObject(address), leash::Wait::Op::kSend});
      return;
    case WaitReason::kChanReceive:
      entry->waits.push_back({ChanObject(address), leash::Wait::Op::kRecv});
      return;
    case WaitReason::kSelect: {
      // One sudog a case, in one array on the waiter's stack. The copies point into that stack:
      // they are wiped, so that nobody takes what is left of them for a reference.
      alignas(Sudog) char first[sizeof(Sudog)];
      if (!SafeRead(address, first, sizeof(first))) return;
      const uint32_t count = reinterpret_cast<const Sudog*>(first)->count;
      if (count == 0 || count > kSelectCasesMax) return;
      std::vector<char> bytes(count * sizeof(Sudog));
      if (!SafeRead(address, bytes.data(), bytes.size())) return;
      for (uint32_t i = 0; i < count; ++i) {
        alignas(Sudog) char one[sizeof(Sudog)];
        std::memcpy(one, bytes.data() + i * sizeof(Sudog), sizeof(one));
        const auto* sudog = reinterpret_cast<const Sudog*>(one);
        if (sudog->op == CaseOp::kTimeout) {
          leash::WaitObject timer;
          timer.kind = ObjectKind::kTimer;
          timer.address = address + i * sizeof(Sudog);
          timer.timer = true;
          entry->waits.push_back({out_->AddObject(timer), leash::Wait::Op::kOther});
        } else {
          // On the nil channel: no object.
          const ObjectId chan =
              sudog->chan == nullptr ? 0 : ChanObject(reinterpret_cast<uint64_t>(sudog->chan));
          entry->waits.push_back(
              {chan, sudog->op == CaseOp::kSend ? leash::Wait::Op::kSend : leash::Wait::Op::kRecv});
        }
      }
      explicit_bzero(bytes.data(), bytes.size());
      return;
    }
    case WaitReason::kIOWait:
      entry->waits.push_back({FdObject(address), leash::Wait::Op::kOther});
      return;
    default:
      if (WaitsForSyncObject(reason)) {
        entry->waits.push_back({SyncObject(address, reason), leash::Wait::Op::kOther});
      }
      (void)g;
      return;
  }
}

void Capturer::WipeCopy() { explicit_bzero(copy_.data(), copy_.size()); }

bool Capturer::ReadChan(uint64_t address, ChanFacts* facts) {
  copy_.resize(kChanFactsBytes);
  const bool good =
      SafeRead(address, copy_.data(), copy_.size()) && ReadChanFacts(copy_.data(), facts);
  WipeCopy();
  return good;
}

ObjectId Capturer::ChanObject(uint64_t address) {
  auto [it, added] = object_ids_.try_emplace(address, 0);
  if (!added) return it->second;
  leash::WaitObject o;
  o.kind = ObjectKind::kChan;
  o.address = address;
  ChanFacts facts;
  if (ReadChan(address, &facts)) {
    char name[kNameMax];
    const size_t n = std::min(facts.name_bytes, sizeof(name));
    if (n > 0 && SafeRead(reinterpret_cast<uint64_t>(facts.name), name, n)) {
      o.name = out_->AddString({name, n});
    }
    if (facts.element_function_name != nullptr) {
      o.element = out_->AddString(ReadableType(ElementTypeName(facts.element_function_name)));
    }
    o.made_at = AddSite(facts.made_at);
    o.made_by = facts.made_by;
    SetChanState(facts, &o);
    o.timer = facts.timer;
  }
  const ObjectId id = out_->AddObject(o);
  object_ids_[address] = id;
  return id;
}

void Capturer::SetChanState(const ChanFacts& facts, leash::WaitObject* o) {
  o->capacity = facts.capacity;
  o->length = facts.length;
  o->closed = facts.closed;
  o->counted = facts.counted;
  o->send_handles = facts.send_handles;
  o->recv_handles = facts.recv_handles;
  o->send_handles_elsewhere = facts.send_handles_elsewhere;
  o->recv_handles_elsewhere = facts.recv_handles_elsewhere;
  o->last_send_dropped_at = AddDropSite(facts.last_send_dropped_pc);
  o->last_recv_dropped_at = AddDropSite(facts.last_recv_dropped_pc);
  o->last_send_dropped_by = facts.last_send_dropped_by;
  o->last_recv_dropped_by = facts.last_recv_dropped_by;
}

ObjectId Capturer::SyncObject(uint64_t address, WaitReason reason) {
  auto [it, added] = object_ids_.try_emplace(address, 0);
  if (!added) return it->second;
  leash::WaitObject o;
  o.address = address;
  switch (reason) {
    case WaitReason::kMutexLock:
      o.kind = ObjectKind::kMutex;
      break;
    case WaitReason::kRWMutexLock:
    case WaitReason::kRWMutexRLock:
      o.kind = ObjectKind::kRWMutex;
      break;
    case WaitReason::kWaitGroupWait:
      o.kind = ObjectKind::kWaitGroup;
      break;
    case WaitReason::kCondWait:
      o.kind = ObjectKind::kCond;
      break;
    default:
      o.kind = ObjectKind::kSemaphore;
      break;
  }
  char bytes[kSyncObjectBytesMax];
  if (SafeRead(address, bytes, 4)) {
    const size_t size = SyncObjectBytes(bytes);
    if (size != 0 && size <= sizeof(bytes) && SafeRead(address, bytes, size)) {
      if (const auto facts = DecodeSyncObject(bytes, size)) {
        o.kind = facts->kind;
        o.holder = facts->holder;
        o.readers = facts->readers;
        o.counter = facts->counter;
      }
    }
  }
  const ObjectId id = out_->AddObject(o);
  object_ids_[address] = id;
  return id;
}

ObjectId Capturer::FdObject(uint64_t address) {
  auto [it, added] = object_ids_.try_emplace(address, 0);
  if (!added) return it->second;
  leash::WaitObject o;
  o.kind = ObjectKind::kFd;
  o.address = address;
  // Records of descriptors are never unmapped.
  o.fd = PollFd(reinterpret_cast<const PollDesc*>(address));
  const ObjectId id = out_->AddObject(o);
  object_ids_[address] = id;
  return id;
}

SiteId Capturer::AddSite(const std::source_location& site) {
  if (site.line() == 0) return 0;
  // The texts are static: their address and the line name the place.
  const char* file = site.file_name();
  auto [it, added] = site_ids_.try_emplace(file + site.line(), 0);
  if (!added) {
    const leash::Site& known = out_->sites[it->second];
    if (known.line == static_cast<int32_t>(site.line()) && out_->String(known.file) == file) {
      return it->second;
    }
  }
  leash::Site s;
  s.file = out_->AddString(file);
  s.line = static_cast<int32_t>(site.line());
  s.function = out_->AddString(PrettySiteFunction(site.function_name()));
  const SiteId id = out_->AddSite(s);
  it->second = id;
  return id;
}

SiteId Capturer::AddDropSite(uint64_t pc) {
  // Names and lines are dear: without stacks nobody asks for them.
  if (pc == 0 || !options_.stacks) return 0;
  leash::Site s;
  s.pc = pc;
  for (const SymbolFrame& frame : Symbolizer::Get().Describe(pc, /*exact=*/false)) {
    // The handle's own destructor is inlined into whoever let it go.
    if (frame.runtime || frame.function.starts_with("leash::")) continue;
    s.function = out_->AddString(frame.function);
    s.file = out_->AddString(frame.file);
    s.line = frame.line;
    break;
  }
  return s.line == 0 ? 0 : out_->AddSite(s);
}

void DescribeProgram(Snapshot* out) {
  out->pid = getpid();
  out->origin = "leash";
  out->captured_unix_ns = absl::ToUnixNanos(absl::Now());
  char path[PATH_MAX];
  const ssize_t n = readlink("/proc/self/exe", path, sizeof(path));
  if (n > 0) out->program.assign(path, static_cast<size_t>(n));
}

}  // namespace leash::rt
