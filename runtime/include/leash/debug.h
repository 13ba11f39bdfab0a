// debug: what is running, and where it is stuck.
//
//     std::cerr << leash::debug::Stack(/*all=*/true);            // Go's text
//     leash::debug::Snapshot now = leash::debug::Capture();      // the model that all tools read
//     auto server = leash::debug::Serve("127.0.0.1:6060");       // leash dump 127.0.0.1:6060
//
// Nothing here stops the program: parked goroutines are read where they lie, and what moved
// meanwhile is read again. No lock is taken that a stuck program could hold.

#ifndef LEASH_DEBUG_H_
#define LEASH_DEBUG_H_

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "leash/snapshot.h"

namespace leash::debug {

using leash::Snapshot;

// CaptureOptions: what Capture() takes down.
struct CaptureOptions {
  // Call stacks, with functions, files and lines. Without them a capture costs 0.1 us a goroutine.
  bool stacks = true;
  // OS threads that have used leash, too.
  bool threads = true;
  // Stacks of goroutines and threads that run just now: each is interrupted by SIGURG for some
  // microseconds. System calls that SA_RESTART does not restart (poll, nanosleep) may return EINTR.
  bool running_stacks = true;
  // What each goroutine's stack points to: ProveLeaks() needs it. Where nobody but goroutines that
  // wait themselves could end a wait, the program's memory is searched for pointers to what they
  // hold: some 0.3 s for each GiB in use.
  bool mentions = true;
  // Leave out goroutines of GoBackground.
  bool background = true;
};

// Capture()
//
// Every goroutine and every thread known to the runtime, at this moment. The caller is the one that
// is `current`. Allocates; blocks no other goroutine.
Snapshot Capture(const CaptureOptions& options = {});

// Stack()
//
// Go's text ("goroutine 18 [chan receive, 2 minutes]:"): of the caller, or of all.
std::string Stack(bool all);

// WriteProfile()
//
// What net/http/pprof serves for ?debug=N: 0 gzipped profile.proto, 1 grouped and counted text, 2
// Go's full text, 3 the same with ids, labels, wait times in seconds, spawn stacks and who holds
// what is waited for. Streamed in constant memory: any number of goroutines, never cut. Fails:
// where `out` does; look at its state.
void WriteProfile(std::ostream& out, int debug);

// DurationHistogram: how often a duration lay between two bounds. An estimate: see its owner.
struct DurationHistogram {
  // counts[i] were at most bounds[i] and more than the bound before. `counts` has one entry more
  // than `bounds`: those above them all.
  std::vector<absl::Duration> bounds;
  std::vector<uint64_t> counts;
  absl::Duration sum;

  // DurationHistogram::Count()
  //
  // The sum of `counts`.
  uint64_t Count() const;

  // DurationHistogram::Quantile()
  //
  // The bound below which a share `q`, from 0 to 1, of the durations lies; the last bound when it
  // lies above. Zero when there are none. True to a factor of two, as the bounds are.
  absl::Duration Quantile(double q) const;
};

// RuntimeMetrics: what the runtime counts of itself. Docs: docs/reference/metrics.md.
//
// Each figure is of its own moment: while goroutines run, sums of figures need not agree. "Ever" is
// since the start of the process (in the child of a fork: since the fork) and only grows.
struct RuntimeMetrics {
  // Goroutines that exist, started ever, ended ever. OS threads are not among them.
  int64_t goroutines = 0;
  int64_t goroutines_created = 0;
  int64_t goroutines_ended = 0;

  // Goroutines by what they do; those that wait, by reason.
  int64_t runnable = 0;
  int64_t running = 0;
  int64_t in_syscall = 0;  // between leash's own entry and exit marks of a system call
  struct Wait {
    std::string_view reason;  // in a dump's words: "chan receive"
    int64_t waiting = 0;      // goroutines that wait for it
    uint64_t parks = 0;       // how often a goroutine did, ever
  };
  std::vector<Wait> waits;  // every reason that there is

  // From runnable to running. Sampled, one in 64 to one in 4096, each sample counted for as many:
  // the counts are estimates of all, exact in sum but for what is not sampled yet.
  DurationHistogram scheduler_latency;

  // Ps: the right to run goroutines.
  int32_t gomaxprocs = 0;
  int32_t idle_ps = 0;
  int32_t detached_ps = 0;   // replaced: their goroutine computes or sits in a system call
  uint64_t handoffs = 0;     // Ps replaced ever
  uint64_t steals = 0;       // how often a P took goroutines from another, ever
  int64_t global_queue = 0;  // runnable goroutines in the queue of all
  int64_t local_queues = 0;  // and in those of the Ps

  // Ms: OS threads that run goroutines; of these, without work, and looking for it.
  int32_t ms = 0;
  int32_t idle_ms = 0;
  int32_t spinning_ms = 0;
  // OS threads of the program that have used leash.
  int64_t threads = 0;

  int64_t timers_armed = 0;
  uint64_t timers_fired = 0;  // calls of timers' functions ever: sleepers woken, ticks

  // Address space of goroutine stacks; memory is behind it only as far as a stack was touched.
  uint64_t stack_in_use_bytes = 0;     // bound to goroutines
  uint64_t stack_free_bytes = 0;       // for the next ones
  uint64_t stack_committed_bytes = 0;  // both
  uint64_t stack_unguarded_bytes = 0;  // of these, without a guard page

  int64_t netpoll_waiters = 0;  // goroutines and threads that wait for a descriptor
  int64_t netpoll_descriptors = 0;
};

// Metrics()
//
// Reads them. Looks at each goroutine's record for some nanoseconds; allocates a few hundred bytes;
// blocks nobody, and works while every P is stuck. /metrics serves the same for Prometheus.
RuntimeMetrics Metrics();

// SetName()
//
// Names the calling goroutine: its label "name". Not inherited by what it spawns later: "" removes
// it.
void SetName(std::string_view name);

// ScopedLabels
//
// Labels of the calling goroutine until the scope ends, inherited by the goroutines that it spawns
// inside. They show in dumps and as tags in profiles.
//
//     leash::debug::ScopedLabels labels({{"tenant", "acme"}, {"route", "/v1/items"}});
//
// Must end on the goroutine that made it.
class [[nodiscard]] ScopedLabels {
 public:
  ScopedLabels(std::initializer_list<std::pair<std::string_view, std::string_view>> labels);
  ~ScopedLabels();
  ScopedLabels(const ScopedLabels&) = delete;
  ScopedLabels& operator=(const ScopedLabels&) = delete;

 private:
  void* before_;
};

// Trace
//
// Records what the scheduler does (spawns, parks, readies, runs, steals, system calls) and the
// program's own regions, until the scope ends, into a file that ui.perfetto.dev opens: a track for
// each P, a track for each goroutine, arrows from who spawned or readied one to where it runs.
// LEASH_TRACE=FILE does the same for a whole run, without code.
//
//     leash::debug::Trace trace("/tmp/server.pftrace");
//
// One at a time. An event costs some tens of nanoseconds; none waits: what finds no room is
// counted, in the file and on standard error. Without a trace nothing is recorded. A trace that is
// under way when the process ends is finished, after a fatal error too; the child of a fork has
// none.
class [[nodiscard]] Trace {
 public:
  // Trace::Trace()
  //
  // Begins one. "%p" in the path is the process id. Look at status().
  explicit Trace(std::string_view path);
  Trace(Trace&& other) noexcept;
  Trace& operator=(Trace&&) = delete;
  // Stops it; an error goes to standard error.
  ~Trace();

  // Trace::status()
  //
  // Whether it was begun: kFailedPrecondition "trace: tracing already enabled", or why the file
  // cannot be opened ("trace: open /tmp/x: No such file or directory").
  const absl::Status& status() const { return status_; }

  // Trace::Stop()
  //
  // Ends it, and blocks until the file is complete: some milliseconds. Idempotent. Fails: status(),
  // or where the file could not be written ("trace: write /tmp/x: No space left on device").
  absl::Status Stop();

 private:
  uint64_t number_ = 0;  // 0: ended, or never begun
  absl::Status status_;
};

// StartTrace(), StopTrace()
//
// A Trace that begins and ends in different places. StopTrace ends whichever trace is under way:
// kFailedPrecondition "trace: tracing is not enabled" if there is none.
absl::Status StartTrace(std::string_view path);
absl::Status StopTrace();

// Region
//
// What the calling goroutine does until the scope ends, by a name of the program's own, on a track
// beside the goroutine's. Regions nest. Without a trace it costs a load and a branch.
//
//     leash::debug::Region region("parse");
//
// Must end on the goroutine that made it. Of a name the first KiB is kept.
class [[nodiscard]] Region {
 public:
  explicit Region(std::string_view name);
  ~Region() { End(); }
  Region(const Region&) = delete;
  Region& operator=(const Region&) = delete;

  // Region::End()
  //
  // Ends it before the scope does. Idempotent.
  void End();

 private:
  uint64_t trace_ = 0;  // that has its beginning
};

// TraceLog()
//
// Marks this moment on the calling goroutine's track, with a category and a message, of which the
// first KiB is kept. Never blocks.
void TraceLog(std::string_view category, std::string_view message);

// Server: answers over HTTP until it is stopped or destroyed. Move-only.
class Server {
 public:
  struct Impl;

  explicit Server(std::unique_ptr<Impl> impl);
  Server(Server&&) noexcept;
  Server& operator=(Server&&) noexcept;
  ~Server();

  // Where it listens: "127.0.0.1:43121", "unix:/run/app.sock".
  std::string Address() const;
  // Ends it; waits for answers under way. Idempotent.
  void Stop();

 private:
  std::unique_ptr<Impl> impl_;
};

// Serve()
//
// Starts a debug server on "HOST:PORT" (port 0 picks one) or "unix:PATH". It has its own threads,
// so it answers while every P is stuck. Link leash::debug_server. LEASH_DEBUG_ADDR does the same
// without code. There is no access control: listen on a loopback address or a Unix socket. Starts
// the runtime, if nothing has: signals that are blocked here are blocked in goroutines then.
//
//   /debug/pprof/                                  index
//   /debug/pprof/goroutine?debug=0|1|2|3           WriteProfile()
//   /debug/pprof/goroutineleak?debug=0|1|2|3       only goroutines that are proved leaked
//   /debug/pprof/trace?seconds=N                   Trace, of the next N seconds (1)
//   /debug/leash/                                  the same for a person, in a browser
//   /debug/leash/snapshot.json                     Capture(), as `leash dump` reads it
//   /metrics                                       Metrics(), for Prometheus
//
// Fails: kInvalidArgument for an address that is not one, kUnavailable where it cannot be listened
// on.
absl::StatusOr<Server> Serve(std::string_view address);

}  // namespace leash::debug

#endif  // LEASH_DEBUG_H_
