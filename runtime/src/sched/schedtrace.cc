// LEASH_DEBUG=schedtrace=MS[,scheddetail=1]: the state of the scheduler on standard error, every so
// often, in the lines of Go's GODEBUG=schedtrace (runtime/proc.go, schedtrace), so that what reads
// those reads these. docs/reference/environment.md says what each field is here.
//
// Printed by a thread of its own. Go's sysmon prints, and does not sleep for as long as it has to;
// here sysmon goes to sleep with the program, and whoever has stopped reading standard error stops
// the trace but not sysmon. In a program that is not traced all this costs is one comparison.
//
// Laws: (1) what is read of Ms, Ps and Gs is a moment's figure, and their records are never freed:
//   no lock is held while they are looked at, nor while anything is printed.  (2) Nothing is
//   allocated.

#include <pthread.h>
#include <signal.h>
#include <time.h>

#include <cerrno>

#include "base/check.h"
#include "base/clock.h"
#include "base/env.h"
#include "base/race.h"
#include "base/raw_print.h"
#include "sched/park.h"
#include "sched/registry.h"
#include "sched/runtime_threads.h"
#include "sched/scheduler.h"
#include "sched/timer_heap.h"
#include "sched/wait_reason.h"

namespace leash::rt {
namespace {

// A line of the short form for some hundred Ps is written in one piece.
char buffer[32 << 10];
constexpr size_t kDetailLineMax = 512;

template <class T>
T Peek(const T& field) {
  return __atomic_load_n(&field, __ATOMIC_RELAXED);
}

const char* Word(bool b) { return b ? "true" : "false"; }

// Go's figures for its states (runtime2.go). A detached P shows as what it does.
int StatusFigure(const P* p) {
  const M* m = p->m.load(std::memory_order_acquire);
  if (m == nullptr) return 0;                                                         // _Pidle
  return m->in_syscall.load(std::memory_order_relaxed) != 0 ? 2 /* _Psyscall */ : 1;  // _Prunning
}
int StatusFigure(GStatus status, const M* m) {
  switch (status) {
    case GStatus::kIdle:
      return 0;
    case GStatus::kRunnable:
      return 1;
    case GStatus::kRunning:
      return m != nullptr && m->in_syscall.load(std::memory_order_relaxed) != 0 ? 3 : 2;
    case GStatus::kSyscall:
      return 3;
    case GStatus::kWaiting:
      return 4;
    case GStatus::kDead:
      return 6;
  }
  return 0;
}

// An M is named by its thread: what top -H and debuggers show.
RawPrinter& PrintM(RawPrinter& out, const M* m) {
  const int32_t tid =
      m == nullptr ? 0
                   : m->tid.load(std::memory_order_relaxed);  // 0: it has not begun, or has ended
  if (tid == 0) return out << "nil";
  return out << tid;
}

RawPrinter& PrintG(RawPrinter& out, const G* g) {
  if (g == nullptr || g->kind == GKind::kScheduler) return out << "nil";
  return out << IdOf(g);
}

class SchedTrace {
 public:
  void Print(int64_t ms, bool detailed) {
    RawPrinter out(2, buffer, sizeof(buffer));
    Head head;
    ReadHead(&head);
    out << "SCHED " << ms << "ms: gomaxprocs=" << head.gomaxprocs
        << " idleprocs=" << sched.idle_p_count.load(std::memory_order_relaxed)
        << " threads=" << head.ms
        << " spinningthreads=" << sched.spinning_ms.load(std::memory_order_relaxed)
        << " needspinning=0 idlethreads=" << head.idle_ms
        << " runqueue=" << sched.queue_size.load(std::memory_order_relaxed);
    if (detailed) {
      PrintDetails(out);
    } else {
      PrintPs(out);
    }
  }

 private:
  struct Head {
    int32_t gomaxprocs;
    int32_t ms;
    int32_t idle_ms;
  };

  // What is kept under the lock, and which Ps are out of use.
  void ReadHead(Head* head) {
    ++round_;
    LockHolder hold(sched.lock);
    *head = {sched.gomaxprocs, sched.m_count, sched.idle_m_count};
    for (P* p = sched.unused_ps; p != nullptr; p = p->idle_next) p->unused_in_trace = round_;
  }

  // Calls fn(p) for each P that is in use: as many as gomaxprocs, and the detached ones.
  template <class Fn>
  void EachP(Fn fn) const {
    const int32_t n = sched.p_count.load(std::memory_order_acquire);
    for (int32_t i = 0; i < n; ++i) {
      const P* p = sched.all_ps[i].load(std::memory_order_acquire);
      if (p->unused_in_trace != round_) fn(p);
    }
  }

  void PrintPs(RawPrinter& out) const {
    out << " [ ";
    EachP([&out](const P* p) { out << static_cast<uint64_t>(p->queue.Size()) << " "; });
    out << "] schedticks=[ ";
    EachP([&out](const P* p) {
      out << static_cast<uint64_t>(p->tick.load(std::memory_order_relaxed)) << " ";
    });
    out << "]\n";
  }

  void PrintDetails(RawPrinter& out) const {
    int32_t idle_locked = 0;
    for (const M* m = sched.all_ms.load(std::memory_order_acquire); m != nullptr; m = m->all_next) {
      if (Peek(m->locked_g) != nullptr && Peek(m->p) == nullptr) ++idle_locked;
    }
    out << " gcwaiting=false nmidlelocked=" << idle_locked << " stopwait=0 sysmonwait="
        << Word(sched.sysmon_sleeps.load(std::memory_order_relaxed) != 0) << "\n";
    EachP([&out](const P* p) {
      Begin(out);
      out << "  P" << p->index << ": status=" << StatusFigure(p)
          << " schedtick=" << static_cast<uint64_t>(p->tick.load(std::memory_order_relaxed))
          << " syscalltick=0 m=";
      PrintM(out, p->m.load(std::memory_order_acquire))
          << " runqsize=" << static_cast<uint64_t>(p->queue.Size())
          << " gfreecnt=" << Peek(p->free_gs.count) << " timerslen=" << TimerCount(p->timer_shard)
          << "\n";
    });
    for (const M* m = sched.all_ms.load(std::memory_order_acquire); m != nullptr; m = m->all_next) {
      PrintMDetails(out, m);
    }
    const size_t n = GCount();
    for (size_t i = 0; i < n; ++i) PrintGDetails(out, GAt(i));
  }

  static void PrintMDetails(RawPrinter& out, const M* m) {
    const int32_t tid = m->tid.load(std::memory_order_relaxed);
    if (tid == 0) return;
    Begin(out);
    const P* p = Peek(m->p);
    out << "  M" << tid << ": p=";
    if (p != nullptr) {
      out << p->index;
    } else {
      out << "nil";
    }
    out << " curg=";
    PrintG(out, Peek(m->current)) << " mallocing=0 throwing=0 preemptoff= locks=0 dying=0 spinning="
                                  << Word(Peek(m->spinning)) << " blocked=" << Word(p == nullptr)
                                  << " lockedg=";
    PrintG(out, Peek(m->locked_g)) << "\n";
  }

  static void PrintGDetails(RawPrinter& out, const G* g) {
    // Acquire: pairs with the release in StartGoroutine.
    const GStatus status = g->status.load(std::memory_order_acquire);
    if (status == GStatus::kIdle || status == GStatus::kDead) return;
    const bool running = status == GStatus::kRunning;
    const M* m = running && g->kind != GKind::kThread ? Peek(g->m) : nullptr;
    Begin(out);
    out << "  G" << IdOf(g) << ": status=" << StatusFigure(status, m) << "("
        << WaitReasonText(g->reason.load(std::memory_order_relaxed)) << ") m=";
    if (g->kind == GKind::kThread) {
      // An OS thread that uses leash is a goroutine locked to itself.
      if (running) {
        out << g->tid;
      } else {
        out << "nil";
      }
      out << " lockedm=" << g->tid << "\n";
      return;
    }
    PrintM(out, m) << " lockedm=";
    PrintM(out, LockedM(g)) << "\n";
  }

  // Lines of the long form are not cut by a write.
  static void Begin(RawPrinter& out) {
    if (out.Room() < kDetailLineMax) out.Flush();
  }

  uint32_t round_ = 0;
};

void SleepUntil(int64_t ns) {
  const timespec when{static_cast<time_t>(ns / 1'000'000'000),
                      static_cast<long>(ns % 1'000'000'000)};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, nullptr) == EINTR) {
  }
}

void* RunSchedTrace(void*) {
  race::IgnoreBegin();  // nothing of a user's runs on it
  RegisterRuntimeThread();
  const int64_t period = GetSettings().sched_trace_ms * 1'000'000;
  const bool detailed = GetSettings().sched_detail;
  const int64_t start = MonotonicNow();
  SchedTrace trace;
  int64_t next = start;
  for (;;) {
    trace.Print((MonotonicNow() - start) / 1'000'000, detailed);
    next += period;
    // What was missed is not made up for.
    const int64_t now = MonotonicNow();
    if (next < now) next = now + period;
    SleepUntil(next);
  }
}

}  // namespace

void StartSchedTrace() {
  if (GetSettings().sched_trace_ms == 0) return;
  pthread_attr_t attr;
  pthread_attr_init(&attr);
  pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attr, size_t{256} << 10);
  sigset_t all;
  sigset_t old;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old);
  pthread_t thread;
  const int rc = pthread_create(&thread, &attr, &RunSchedTrace, nullptr);
  pthread_sigmask(SIG_SETMASK, &old, nullptr);
  pthread_attr_destroy(&attr);
  if (rc != 0) Fatal("newosproc");
}

}  // namespace leash::rt
