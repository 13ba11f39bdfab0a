#include "debug/trace_timeline.h"

#include <bit>
#include <source_location>
#include <vector>

#include "debug/pretty_site.h"

namespace leash::rt {
namespace {

using internal::PerfettoWriter;
using Type = PerfettoWriter::Type;

constexpr uint64_t kProcess = 1, kGoroutines = 2, kThreads = 3, kRuntime = 4;  // OtherTrack()
constexpr int32_t kAfterPs = 1 << 20;  // ranks: Ps first, by number

uint64_t Mixed(uint64_t x) { return (x * 0x9e3779b97f4a7c15) >> 48; }

std::string_view BaseName(std::string_view path) { return path.substr(path.rfind('/') + 1); }

}  // namespace

TraceTimeline::TraceTimeline(PerfettoWriter* writer, int32_t pid, std::string_view program,
                             uint64_t begin_ns)
    : writer_(*writer), begin_ns_(begin_ns), salt_(Mixed(static_cast<uint64_t>(pid) ^ begin_ns)) {
  const auto name = [&](std::string_view text) { return writer_.Intern(text); };
  names_ = {.running = name("running"),
            .runnable = name("runnable"),
            .waiting = name("waiting"),
            .syscall = name("syscall"),
            .spawn = name("spawn"),
            .ready = name("ready"),
            .steal = name("steal"),
            .lost = name("events lost"),
            .log = name("log"),
            .end = name("end of the trace"),
            .goroutine = name("goroutine"),
            .by = name("by goroutine"),
            .at = name("at"),
            .from_p = name("from P"),
            .object = name("object"),
            .n = name("count"),
            .category = name("category"),
            .message = name("message"),
            .reason = {}};
  for (size_t i = 1; i < static_cast<size_t>(WaitReason::kCount); ++i) {
    names_.reason[i] = name(WaitReasonText(static_cast<WaitReason>(i)));
  }
  writer_.AddTrack(meta_, {.uuid = OtherTrack(kProcess),
                           .name = program,
                           .children = PerfettoWriter::Children::kByRank,
                           .pid = pid});
  writer_.AddTrack(meta_, {.uuid = OtherTrack(kGoroutines),
                           .parent = OtherTrack(kProcess),
                           .name = "goroutines",
                           .children = PerfettoWriter::Children::kByTime,
                           .rank = kAfterPs});
}

TraceTimeline::Life& TraceTimeline::Get(uint64_t id, uint32_t tid) {
  Life& life = lives_[id];
  if (tid != 0) life.tid = tid;
  return life;
}

const TraceTimeline::Site& TraceTimeline::SiteOf(uint64_t bits) {
  const auto [it, added] = sites_.try_emplace(bits);
  if (added && bits != 0) {
    const auto site = std::bit_cast<std::source_location>(bits);
    it->second.function = writer_.Intern(PrettySiteFunction(site.function_name()));
    it->second.place = BaseName(site.file_name());
    it->second.place += ":" + std::to_string(site.line());
  }
  return it->second;
}

void TraceTimeline::AddKnown(const Known& known) {
  Life& life = Get(known.id, known.tid);
  if (life.state != State::kNone) return;
  life.name = known.name.empty() ? SiteOf(known.site).function : writer_.Intern(known.name);
  life.state = known.state;
  life.reason = known.reason;
  life.known = true;
}

// (4)
void TraceTimeline::Describe(uint64_t id, Life& life) {
  if (life.described) return;
  life.described = true;
  std::string text;
  uint64_t parent = OtherTrack(kGoroutines);
  if (life.tid != 0) {
    text = "thread " + std::to_string(life.tid) + " (goroutine " + std::to_string(id) + ")";
    parent = OtherTrack(kThreads);
    if (!threads_described_) {
      threads_described_ = true;
      writer_.AddTrack(meta_, {.uuid = parent,
                               .parent = OtherTrack(kProcess),
                               .name = "threads",
                               .children = PerfettoWriter::Children::kByTime,
                               .rank = kAfterPs + 1});
    }
  } else {
    text = "goroutine " + std::to_string(id);
    if (life.name != 0) text += " " + std::string(writer_.Text(life.name));
  }
  writer_.AddTrack(meta_, {.uuid = GoroutineTrack(id), .parent = parent, .name = text});
}

void TraceTimeline::DescribeSource(Source& source) {
  if (source.described) return;
  source.described = true;
  const bool p = source.p >= 0;
  const std::string name = p ? "P " + std::to_string(source.p) : "runtime";
  writer_.AddTrack(meta_, {.uuid = p ? PTrack(source.p) : OtherTrack(kRuntime),
                           .parent = OtherTrack(kProcess),
                           .name = name,
                           .rank = p ? source.p + 1 : kAfterPs + 2});
}

void TraceTimeline::Begin(PerfettoWriter::Sequence& sequence, uint64_t ns, uint64_t id, Life& life,
                          State state, WaitReason reason, uint64_t object) {
  Describe(id, life);
  const Name name = state == State::kRunning    ? names_.running
                    : state == State::kRunnable ? names_.runnable
                    : reason < WaitReason::kCount && reason != WaitReason::kNone
                        ? names_.reason[static_cast<size_t>(reason)]
                        : names_.waiting;
  const Annotation annotations[] = {{names_.object, Annotation::kPointer, object, {}}};
  writer_.AddEvent(sequence, ns,
                   {.type = Type::kBegin,
                    .track = GoroutineTrack(id),
                    .name = name,
                    .annotations = std::span(annotations, object != 0 ? 1 : 0)});
  life.state = state;
  life.open = true;
  life.known = false;
  life.last_ns = ns;
}

void TraceTimeline::End(PerfettoWriter::Sequence& sequence, uint64_t ns, uint64_t id, Life& life) {
  if (life.syscall) {
    writer_.AddEvent(sequence, ns, {.type = Type::kEnd, .track = GoroutineTrack(id)});
  }
  if (life.open) {
    writer_.AddEvent(sequence, ns, {.type = Type::kEnd, .track = GoroutineTrack(id)});
  }
  life.syscall = false;
  life.open = false;
  life.last_ns = ns;
}

void TraceTimeline::EndRun(Source& source, uint64_t ns) {
  if (source.syscall) {
    writer_.AddEvent(source.sequence, ns, {.type = Type::kEnd, .track = PTrack(source.p)});
  }
  if (source.running != 0) {
    writer_.AddEvent(source.sequence, ns, {.type = Type::kEnd, .track = PTrack(source.p)});
  }
  source.syscall = false;
  source.running = 0;
}

void TraceTimeline::CloseRegions(PerfettoWriter::Sequence& sequence, uint64_t ns, uint64_t id,
                                 Life& life) {
  for (; life.regions > 0; --life.regions) {
    writer_.AddEvent(sequence, ns, {.type = Type::kEnd, .track = RegionTrack(id)});
  }
}

// (3)
void TraceTimeline::EndFlow(PerfettoWriter::Sequence& sequence, uint64_t ns, uint64_t id,
                            Life& life, Name name) {
  if (life.flow == 0) return;
  Describe(id, life);
  writer_.AddEvent(sequence, ns,
                   {.type = Type::kInstant,
                    .track = GoroutineTrack(id),
                    .name = name,
                    .flow = life.flow,
                    .flow_ends = true});
  life.flow = 0;
}

void TraceTimeline::ShowKnown(uint64_t id, Life& life, State before) {
  if (!life.known) return;
  // What was read of it may be younger than its first event.
  const WaitReason reason =
      before == State::kWaiting && life.state == State::kWaiting ? life.reason : WaitReason::kNone;
  Begin(meta_, begin_ns_, id, life, before, reason, 0);
}

uint64_t TraceTimeline::ActorTrack(Source& source, uint64_t actor, uint32_t tid) {
  if (source.p < 0 && actor != 0) {
    Life& life = Get(actor, tid);
    Describe(actor, life);
    return GoroutineTrack(actor);
  }
  DescribeSource(source);
  return source.p >= 0 ? PTrack(source.p) : OtherTrack(kRuntime);
}

void TraceTimeline::OnSpawn(Source& source, uint64_t ns, const TraceRecord& record,
                            std::string_view text) {
  const uint64_t track = ActorTrack(source, record.other, record.tid);
  Life& life = Get(record.id, 0);
  life = Life();  // it may have been read before this, as one that was there
  const Site& site = SiteOf(record.arg);
  life.name = text.empty() ? site.function : writer_.Intern(text);
  life.flow = ++flows_ << 16 | salt_;
  const Annotation annotations[] = {{names_.goroutine, Annotation::kNumber, record.id, {}},
                                    {names_.by, Annotation::kNumber, record.other, {}},
                                    {names_.at, Annotation::kText, 0, site.place}};
  writer_.AddEvent(source.sequence, ns,
                   {.type = Type::kInstant,
                    .track = track,
                    .name = names_.spawn,
                    .flow = life.flow,
                    .annotations = annotations});
  Begin(source.sequence, ns, record.id, life, State::kRunnable, WaitReason::kNone, 0);
}

void TraceTimeline::OnReady(Source& source, uint64_t ns, const TraceRecord& record) {
  const uint64_t track = ActorTrack(source, record.other, static_cast<uint32_t>(record.arg));
  Life& life = Get(record.id, record.tid);
  ShowKnown(record.id, life, State::kWaiting);
  if (life.flow == 0) life.flow = ++flows_ << 16 | salt_;
  const Annotation annotations[] = {{names_.goroutine, Annotation::kNumber, record.id, {}},
                                    {names_.by, Annotation::kNumber, record.other, {}}};
  writer_.AddEvent(source.sequence, ns,
                   {.type = Type::kInstant,
                    .track = track,
                    .name = names_.ready,
                    .flow = life.flow,
                    .annotations = std::span(annotations, record.other != 0 ? 2 : 1)});
  End(source.sequence, ns, record.id, life);
  Begin(source.sequence, ns, record.id, life, State::kRunnable, WaitReason::kNone, 0);
}

void TraceTimeline::OnRun(Source& source, uint64_t ns, const TraceRecord& record) {
  Life& life = Get(record.id, record.tid);
  ShowKnown(record.id, life, State::kRunnable);
  End(source.sequence, ns, record.id, life);
  Begin(source.sequence, ns, record.id, life, State::kRunning, WaitReason::kNone, 0);
  if (source.p < 0) {
    // A thread, or a goroutine on a P whose ring is not made yet: the arrow ends at its own track.
    EndFlow(source.sequence, ns, record.id, life, names_.running);
    return;
  }
  const Annotation annotations[] = {{names_.goroutine, Annotation::kNumber, record.id, {}}};
  DescribeSource(source);
  EndRun(source, ns);  // (1)
  writer_.AddEvent(source.sequence, ns,
                   {.type = Type::kBegin,
                    .track = PTrack(source.p),
                    .name = life.name != 0 ? life.name : names_.goroutine,
                    .flow = life.flow,
                    .flow_ends = true,
                    .annotations = annotations});
  life.flow = 0;
  source.running = record.id;
}

void TraceTimeline::OnLeave(Source& source, uint64_t ns, const TraceRecord& record) {
  Life& life = Get(record.id, record.tid);
  ShowKnown(record.id, life, State::kRunning);
  if (source.p >= 0) {
    if (source.running == 0 && !source.any) {
      // It has run here since the trace began.
      DescribeSource(source);
      const Annotation annotations[] = {{names_.goroutine, Annotation::kNumber, record.id, {}}};
      writer_.AddEvent(source.sequence, begin_ns_,
                       {.type = Type::kBegin,
                        .track = PTrack(source.p),
                        .name = life.name != 0 ? life.name : names_.goroutine,
                        .annotations = annotations});
      source.running = record.id;
    }
    EndRun(source, ns);
  }
  End(source.sequence, ns, record.id, life);
  switch (record.kind) {
    case TraceKind::kPark:
      Begin(source.sequence, ns, record.id, life, State::kWaiting,
            static_cast<WaitReason>(record.reason), record.arg);
      break;
    case TraceKind::kYield:
      Begin(source.sequence, ns, record.id, life, State::kRunnable, WaitReason::kNone, 0);
      break;
    default:
      EndFlow(source.sequence, ns, record.id, life, names_.lost);  // where it ran was lost
      CloseRegions(source.sequence, ns, record.id, life);
      lives_.erase(record.id);
  }
}

void TraceTimeline::OnSyscall(Source& source, uint64_t ns, const TraceRecord& record) {
  Life& life = Get(record.id, record.tid);
  ShowKnown(record.id, life, State::kRunning);
  const bool begins = record.kind == TraceKind::kSyscallBegin;
  const Type type = begins ? Type::kBegin : Type::kEnd;
  const Name name = begins ? names_.syscall : 0;
  if (life.open && life.syscall != begins) {
    life.syscall = begins;
    writer_.AddEvent(source.sequence, ns,
                     {.type = type, .track = GoroutineTrack(record.id), .name = name});
  }
  if (source.running == record.id && source.syscall != begins) {
    source.syscall = begins;
    writer_.AddEvent(source.sequence, ns, {.type = type, .track = PTrack(source.p), .name = name});
  }
  life.last_ns = ns;
}

void TraceTimeline::OnRegion(Source& source, uint64_t ns, const TraceRecord& record,
                             std::string_view text) {
  Life& life = Get(record.id, record.tid);
  ShowKnown(record.id, life, State::kRunning);
  Describe(record.id, life);
  const uint64_t track = RegionTrack(record.id);
  life.last_ns = ns;
  if (record.kind == TraceKind::kRegionEnd) {
    if (life.regions == 0) return;  // its beginning was lost
    --life.regions;
    writer_.AddEvent(source.sequence, ns, {.type = Type::kEnd, .track = track});
    return;
  }
  if (!life.regions_described) {
    life.regions_described = true;
    writer_.AddTrack(meta_,
                     {.uuid = track, .parent = GoroutineTrack(record.id), .name = "regions"});
  }
  if (record.kind == TraceKind::kRegionBegin) {
    ++life.regions;
    writer_.AddEvent(source.sequence, ns,
                     {.type = Type::kBegin, .track = track, .name = writer_.Intern(text)});
    return;
  }
  const size_t category = record.arg < text.size() ? record.arg : text.size();
  const Annotation annotations[] = {
      {names_.category, Annotation::kText, 0, text.substr(0, category)},
      {names_.message, Annotation::kText, 0, text.substr(category)}};
  writer_.AddEvent(
      source.sequence, ns,
      {.type = Type::kInstant, .track = track, .name = names_.log, .annotations = annotations});
}

void TraceTimeline::AddEvent(Source& source, uint64_t ns, const TraceRecord& record,
                             std::string_view text) {
  if (record.id == 0) return;  // of an M's own stack
  // (2)
  if (ns < source.last_ns) ns = source.last_ns;
  if (ns < begin_ns_) ns = begin_ns_;
  if (const auto it = lives_.find(record.id); it != lives_.end() && it->second.last_ns > ns) {
    ns = it->second.last_ns;
  }
  source.last_ns = ns;
  ++events_;
  switch (record.kind) {
    case TraceKind::kNone:
      break;
    case TraceKind::kSpawn:
      OnSpawn(source, ns, record, text);
      break;
    case TraceKind::kRun:
      OnRun(source, ns, record);
      break;
    case TraceKind::kPark:
    case TraceKind::kYield:
    case TraceKind::kExit:
      OnLeave(source, ns, record);
      break;
    case TraceKind::kReady:
      OnReady(source, ns, record);
      break;
    case TraceKind::kSteal: {
      DescribeSource(source);
      const Annotation annotations[] = {{names_.goroutine, Annotation::kNumber, record.id, {}},
                                        {names_.from_p, Annotation::kNumber, record.arg, {}}};
      writer_.AddEvent(source.sequence, ns,
                       {.type = Type::kInstant,
                        .track = source.p >= 0 ? PTrack(source.p) : OtherTrack(kRuntime),
                        .name = names_.steal,
                        .annotations = annotations});
      break;
    }
    case TraceKind::kSyscallBegin:
    case TraceKind::kSyscallEnd:
      OnSyscall(source, ns, record);
      break;
    case TraceKind::kRegionBegin:
    case TraceKind::kRegionEnd:
    case TraceKind::kLog:
      OnRegion(source, ns, record, text);
      break;
    case TraceKind::kName: {
      Life& life = Get(record.id, record.tid);
      ShowKnown(record.id, life, State::kRunning);
      // A reader keeps a track's first name; what runs on the P's track has the new one.
      life.name = writer_.Intern(text);
      break;
    }
  }
  source.any = true;
}

void TraceTimeline::AddLost(Source& source, uint64_t ns, uint64_t n) {
  if (ns < source.last_ns) ns = source.last_ns;
  source.last_ns = ns;
  source.any = true;
  lost_ += n;
  DescribeSource(source);
  const Annotation annotations[] = {{names_.n, Annotation::kNumber, n, {}}};
  writer_.AddEvent(source.sequence, ns,
                   {.type = Type::kInstant,
                    .track = source.p >= 0 ? PTrack(source.p) : OtherTrack(kRuntime),
                    .name = names_.lost,
                    .annotations = annotations});
}

void TraceTimeline::FinishGoroutines(uint64_t end_ns) {
  std::vector<uint64_t> ids;
  for (const auto& [id, life] : lives_) ids.push_back(id);
  for (const uint64_t id : ids) {
    Life& life = lives_[id];
    if (life.last_ns > end_ns) end_ns = life.last_ns;
    if (life.known) ShowKnown(id, life, life.state);
  }
  for (const uint64_t id : ids) {
    Life& life = lives_[id];
    EndFlow(meta_, end_ns, id, life, names_.end);
    CloseRegions(meta_, end_ns, id, life);
    End(meta_, end_ns, id, life);
  }
  const Annotation annotations[] = {{names_.n, Annotation::kNumber, events_, {}},
                                    {names_.lost, Annotation::kNumber, lost_, {}}};
  writer_.AddEvent(meta_, end_ns,
                   {.type = Type::kInstant,
                    .track = OtherTrack(kProcess),
                    .name = names_.end,
                    .annotations = annotations});
  writer_.Flush();
}

}  // namespace leash::rt
