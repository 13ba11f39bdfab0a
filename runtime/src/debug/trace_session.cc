// The trace's writer thread takes what lies in the rings every 2 ms, merges it by time and writes
// it.
//
// Laws: (1) `phase` says who may touch the session: kOff nobody, kStarting and kStopping the caller
//   that set it, kOn the writer thread, and whoever wants it to end, through `stop`.  (2) Only
//   events older than the beginning of a pass are merged in it: what led to them is then published
//   (trace.h, law 1) and is seen. Younger ones wait for the next.  (3) The writer never stops the
//   program and the program never waits for it; the only wait is EndTrace's.

#include "debug/trace_session.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/clock.h"
#include "base/env.h"
#include "base/futex.h"
#include "base/race.h"
#include "base/raw_print.h"
#include "debug/trace_clock.h"
#include "debug/trace_timeline.h"
#include "sched/labels.h"
#include "sched/park.h"
#include "sched/raw_syscall.h"
#include "sched/registry.h"
#include "sched/runtime_threads.h"
#include "sched/scheduler.h"
#include "sched/trace.h"

namespace leash::rt {
namespace {

constexpr int64_t kPassNs = 2'000'000;
constexpr int64_t kExitWaitNs = 2'000'000'000;
constexpr size_t kKnownMax = 100'000;
constexpr size_t kWriterStackBytes = size_t{512} << 10;

// Writes to the trace's descriptor. The first error is kept, and what follows dropped.
class FdSink : public internal::Sink {
 public:
  explicit FdSink(int fd) : fd_(fd) {}
  void Append(std::string_view chunk) override {
    while (!chunk.empty() && error_ == 0) {
      const ssize_t n = raw::Write(fd_, chunk.data(), chunk.size());
      if (n > 0) {
        chunk.remove_prefix(static_cast<size_t>(n));
      } else if (n != -EINTR) {
        error_ = n == 0 ? EIO : static_cast<int>(-n);
      }
    }
  }
  void Close() {
    const int result = raw::Close(fd_);
    if (result < 0 && error_ == 0) error_ = -result;
  }
  int error() const { return error_; }

 private:
  const int fd_;
  int error_ = 0;
};

// Whether the kernel keeps time by the counter itself: then it is constant, and the same on every
// processor.
bool TscIsTrusted() {
#if defined(__x86_64__)
  char text[16] = {};
  const int fd = open("/sys/devices/system/clocksource/clocksource0/current_clocksource",
                      O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const ssize_t n = read(fd, text, sizeof(text) - 1);
  close(fd);
  return n > 0 && std::string_view(text).starts_with("tsc");
#else
  return false;
#endif
}

std::string ProgramName() {
  char path[4096];
  const ssize_t n = readlink("/proc/self/exe", path, sizeof(path));
  return n > 0 ? std::string(path, static_cast<size_t>(n)) : "program";
}

uint64_t ClockNow(clockid_t id) {
  timespec ts;
  clock_gettime(id, &ts);
  return static_cast<uint64_t>(ts.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(ts.tv_nsec);
}

enum Phase : uint32_t { kOff, kStarting, kOn, kStopping };
constinit std::atomic<uint32_t> phase{kOff};  // (1)
class Session;
constinit std::atomic<Session*> session{nullptr};
// Futex words, outside of the session: whoever ends the process may come when it is just gone.
constinit std::atomic<uint32_t> stop{0};     // the writer is to end the trace
constinit std::atomic<uint32_t> done{0};     // it has
constinit std::atomic<bool> exiting{false};  // nobody asks for its status any more
constinit std::atomic<bool> from_environment{false};
thread_local bool this_thread_writes __attribute__((tls_model("initial-exec"))) = false;

class Session {
 public:
  Session(int fd, std::string name, int64_t limit_ns, uint64_t number)
      : name(std::move(name)),
        number(number),
        fd(fd),
        limit_ns_(limit_ns),
        sink_(fd),
        writer_(&sink_) {}

  // Before the rings fill. The caller's thread. False: no memory.
  bool Prepare();
  // The writer thread's life.
  void Run();
  absl::Status status() const {
    if (sink_.error() == 0) return absl::OkStatus();
    return absl::ErrnoToStatus(sink_.error(), "trace: write " + name);
  }

  const std::string name;
  const uint64_t number;
  const int fd;
  pthread_t thread{};

 private:
  struct Input {
    Input(TraceRing<>* ring, uint32_t sequence, int32_t p)
        : ring(ring), source(sequence, p), lost(ring->Lost()) {}
    TraceRing<>* ring;
    TraceTimeline::Source source;
    uint64_t lost;  // told already
    uint64_t at = 0, end = 0;
  };

  void FindInputs();
  void AddKnown();
  // Takes what is there; `last`: all of it. Returns whether there was so much that the next pass
  // should not wait.
  bool Pass(bool last);
  // The input whose next event is the oldest, and when the next oldest of the others is.
  Input* Oldest(uint64_t limit, uint64_t* until);
  void TakeOne(Input& input);

  const int64_t limit_ns_;
  FdSink sink_;
  internal::PerfettoWriter writer_;
  TraceClock clock_;
  uint64_t begin_ticks_ = 0;
  std::unique_ptr<TraceTimeline> timeline_;
  std::vector<std::unique_ptr<Input>> inputs_;  // [0] is the shared ring, then by P; may hold nulls
  char text_[kTraceTextMax];
};

bool Session::Prepare() {
  trace_switches.use_tsc.store(TscIsTrusted(), std::memory_order_relaxed);
  const TraceClock::Reading now = TraceClock::Read();
  clock_.Begin(now);
  begin_ticks_ = now.ticks;
  if (!MakeTraceRings()) return false;
  // What a producer left behind that was late for the trace before.
  SharedTraceRing()->Take(SharedTraceRing()->Published());
  FindInputs();
  for (const auto& input : inputs_) {
    if (input != nullptr) input->ring->Take(input->ring->Published());
  }
  trace_switches.generation.store(number, std::memory_order_relaxed);
  return true;
}

void Session::FindInputs() {
  constexpr uint32_t kFirstSequence = 2;  // the timeline has one of its own
  if (inputs_.empty()) {
    inputs_.push_back(std::make_unique<Input>(SharedTraceRing(), kFirstSequence, -1));
  }
  const int32_t n = sched.p_count.load(std::memory_order_acquire);
  if (inputs_.size() < static_cast<size_t>(n) + 1) inputs_.resize(static_cast<size_t>(n) + 1);
  for (int32_t i = 0; i < n; ++i) {
    auto& input = inputs_[static_cast<size_t>(i) + 1];
    TraceRing<>* ring = TraceRingOf(i);
    if (input != nullptr || ring == nullptr) continue;
    input = std::make_unique<Input>(ring, kFirstSequence + 1 + static_cast<uint32_t>(i), i);
  }
}

// Those who are there. What moves while it is read has its first event in a ring, which says better
// what it did.
void Session::AddKnown() {
  const size_t n = GCount();
  size_t added = 0;
  for (size_t i = 0; i < n && added < kKnownMax; ++i) {
    const G* g = GAt(i);
    const GStatus status = g->status.load(std::memory_order_acquire);
    TraceTimeline::Known known;
    switch (status) {
      case GStatus::kIdle:
      case GStatus::kDead:
        continue;
      case GStatus::kRunnable:
        known.state = TraceTimeline::State::kRunnable;
        break;
      case GStatus::kRunning:
      case GStatus::kSyscall:
        known.state = TraceTimeline::State::kRunning;
        break;
      case GStatus::kWaiting:
        known.state = TraceTimeline::State::kWaiting;
        break;
    }
    known.id = IdOf(g);
    known.reason = g->reason.load(std::memory_order_relaxed);
    if (g->kind == GKind::kThread) {
      known.tid = static_cast<uint32_t>(g->tid);
    } else {
      known.site = std::bit_cast<uint64_t>(g->site);
    }
    for (auto& [key, value] : CopyLabels(&g->labels)) {
      if (key == "name") known.name = std::move(value);
    }
    std::atomic_thread_fence(std::memory_order_acquire);
    if (IdOf(g) != known.id || g->status.load(std::memory_order_relaxed) == GStatus::kIdle)
      continue;
    timeline_->AddKnown(known);
    ++added;
  }
}

Session::Input* Session::Oldest(uint64_t limit, uint64_t* until) {
  Input* oldest = nullptr;
  uint64_t time = limit;
  *until = limit;
  for (const auto& input : inputs_) {
    if (input == nullptr || input->at == input->end) continue;
    const uint64_t t = input->ring->At(input->at).time;
    if (t < time) {
      *until = time;
      time = t;
      oldest = input.get();
    } else if (t < *until) {
      *until = t;
    }
  }
  return oldest;
}

void Session::TakeOne(Input& input) {
  const TraceRecord& record = input.ring->At(input.at);
  const std::string_view text = input.ring->TextAt(input.at, text_);
  if (record.time >= begin_ticks_) {
    timeline_->AddEvent(input.source, clock_.ToNs(record.time), record, text);
  }
  input.at += 1 + TraceTextRecords(record.text_bytes);
}

bool Session::Pass(bool last) {
  MakeTraceRings();
  FindInputs();
  const TraceClock::Reading now = TraceClock::Read();
  clock_.Advance(now);
  bool much = false;
  for (const auto& input : inputs_) {
    if (input == nullptr) continue;
    input->at = input->ring->Taken();
    input->end = input->ring->Published();
    much |= input->end - input->at > TraceRing<>::kCapacity / 8;
  }
  const uint64_t limit = last ? UINT64_MAX : now.ticks;  // (2)
  constexpr int kRoomEvery = 1024;
  uint64_t until;
  while (Input* input = Oldest(limit, &until)) {
    int n = 0;
    do {
      TakeOne(*input);
      if (++n % kRoomEvery == 0) input->ring->Take(input->at);
    } while (input->at != input->end && input->ring->At(input->at).time < until);
    input->ring->Take(input->at);
  }
  for (const auto& input : inputs_) {
    if (input == nullptr) continue;
    const uint64_t lost = input->ring->Lost();
    if (lost == input->lost) continue;
    timeline_->AddLost(input->source, clock_.now().ns, lost - input->lost);
    input->lost = lost;
  }
  return much;
}

void Session::Run() {
  timeline_ = std::make_unique<TraceTimeline>(&writer_, getpid(), ProgramName(), clock_.now().ns);
  timeline_->AddClocks(BootNow(), ClockNow(CLOCK_MONOTONIC), ClockNow(CLOCK_REALTIME));
  AddKnown();
  const int64_t begin = MonotonicNow();
  const int64_t deadline =
      limit_ns_ < 0 || limit_ns_ > INT64_MAX - begin ? INT64_MAX : begin + limit_ns_;
  for (;;) {
    const bool last = stop.load(std::memory_order_acquire) != 0 || MonotonicNow() >= deadline ||
                      sink_.error() != 0;
    if (last) trace_switches.on.store(false, std::memory_order_relaxed);
    const bool much = Pass(last);
    if (last) break;
    writer_.Flush();
    if (!much) FutexWait(&stop, 0, kPassNs);
  }
  std::vector<TraceTimeline::Source*> sources;
  for (const auto& input : inputs_) {
    sources.push_back(input != nullptr ? &input->source : nullptr);
  }
  timeline_->Finish(sources, clock_.now().ns);
  sink_.Close();
  const bool environment = from_environment.load(std::memory_order_relaxed);
  if (timeline_->lost() != 0) {
    RawPrinter() << "leash: trace " << name << ": " << timeline_->lost() << " of "
                 << timeline_->events() + timeline_->lost() << " events found no room\n";
  } else if (environment && sink_.error() == 0) {
    RawPrinter() << "leash: trace " << name << ": " << timeline_->events() << " events\n";
  }
  // Else EndTrace returns it.
  if (sink_.error() != 0 && (environment || exiting.load(std::memory_order_relaxed))) {
    RawPrinter() << "leash: " << std::string(status().message()) << "\n";
  }
}

void* RunWriter(void* arg) {
  auto* s = static_cast<Session*>(arg);
  race::IgnoreBegin();  // nothing of a user's runs on it
  this_thread_writes = true;
  // Not before: a thread that is counted and not yet there would stand for another in the deadlock
  // check.
  RegisterRuntimeThread();
  s->Run();
  UnregisterRuntimeThread();
  race::IgnoreEnd();
  done.store(1, std::memory_order_release);
  FutexWake(&done, 1 << 30);
  return nullptr;
}

// The process ends, in whatever state. The writer is asked for the end of the trace and given some
// time.
void FinishForExit() {
  if (this_thread_writes) return;
  const uint32_t now = phase.load(std::memory_order_acquire);
  if (now != kOn && now != kStopping) return;
  exiting.store(true, std::memory_order_relaxed);
  stop.store(1, std::memory_order_release);
  FutexWake(&stop, 1);
  const int64_t deadline = MonotonicNow() + kExitWaitNs;
  while (done.load(std::memory_order_acquire) == 0 && MonotonicNow() < deadline) {
    FutexWait(&done, 0, kExitWaitNs / 20);
  }
}

bool StartWriter(Session* s) {
  pthread_attr_t attr;
  pthread_attr_init(&attr);
  pthread_attr_setstacksize(&attr, kWriterStackBytes);
  sigset_t all;
  sigset_t old;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old);
  const int rc = pthread_create(&s->thread, &attr, &RunWriter, s);
  pthread_sigmask(SIG_SETMASK, &old, nullptr);
  pthread_attr_destroy(&attr);
  return rc == 0;
}

}  // namespace

absl::StatusOr<uint64_t> BeginTrace(int fd, std::string name, int64_t limit_ns) {
  const race::Ignore ignore;
  EnsureStarted();
  static constinit std::atomic<uint64_t> numbers{0};
  uint32_t off = kOff;
  if (!phase.compare_exchange_strong(off, kStarting, std::memory_order_acq_rel)) {
    close(fd);
    return absl::FailedPreconditionError("trace: tracing already enabled");
  }
  static const bool at_exit = std::atexit([] { FinishForExit(); }) == 0;
  (void)at_exit;
  SetExitHook(&FinishForExit);
  stop.store(0, std::memory_order_relaxed);
  done.store(0, std::memory_order_relaxed);
  const uint64_t number = numbers.fetch_add(1, std::memory_order_relaxed) + 1;
  auto s = std::make_unique<Session>(fd, std::move(name), limit_ns, number);
  bool begun = s->Prepare();
  if (begun) {
    // Before the writer reads who is there: what happens meanwhile is in the rings.
    trace_switches.on.store(true, std::memory_order_release);
    begun = StartWriter(s.get());
    if (!begun) trace_switches.on.store(false, std::memory_order_relaxed);
  }
  if (!begun) {
    close(fd);
    phase.store(kOff, std::memory_order_release);
    return absl::ResourceExhaustedError("trace: no memory or no thread for its writer");
  }
  session.store(s.release(), std::memory_order_release);
  phase.store(kOn, std::memory_order_release);
  return number;
}

absl::StatusOr<uint64_t> BeginTraceFile(std::string_view path) {
  std::string name(path);
  if (const size_t at = name.find("%p"); at != std::string::npos) {
    name.replace(at, 2, std::to_string(getpid()));
  }
  if (phase.load(std::memory_order_acquire) != kOff) {  // before a file is cut short
    return absl::FailedPreconditionError("trace: tracing already enabled");
  }
  const int fd = raw::OpenToWrite(name.c_str());
  if (fd < 0) return absl::ErrnoToStatus(-fd, "trace: open " + name);
  return BeginTrace(fd, std::move(name), -1);
}

absl::Status EndTrace(uint64_t number) {
  const race::Ignore ignore;
  Session* s = session.load(std::memory_order_acquire);
  if (number != 0 && (s == nullptr || trace_switches.generation.load() != number)) {
    return absl::OkStatus();
  }
  uint32_t on = kOn;
  if (!phase.compare_exchange_strong(on, kStopping, std::memory_order_acq_rel)) {
    if (number != 0) return absl::OkStatus();
    return absl::FailedPreconditionError("trace: tracing is not enabled");
  }
  s = session.load(std::memory_order_acquire);
  stop.store(1, std::memory_order_release);
  FutexWake(&stop, 1);
  EnterSyscall();
  pthread_join(s->thread, nullptr);
  ExitSyscall();
  session.store(nullptr, std::memory_order_release);
  from_environment.store(false, std::memory_order_relaxed);
  absl::Status status = s->status();
  delete s;
  phase.store(kOff, std::memory_order_release);
  return status;
}

void TraceFromEnvironment() {
  const char* path = GetSettings().trace;
  if (path == nullptr) return;
  from_environment.store(true, std::memory_order_relaxed);
  const auto trace = BeginTraceFile(path);
  if (trace.ok()) return;
  RawPrinter() << "leash: environment: LEASH_TRACE: " << std::string(trace.status().message())
               << "\n";
  ExitProcess(2);
}

void ForgetTraceSession() {
  Session* s = session.exchange(nullptr, std::memory_order_relaxed);
  if (s != nullptr) close(s->fd);  // its file is the parent's; the rest is left where it lies
  phase.store(kOff, std::memory_order_relaxed);
}

}  // namespace leash::rt
