// The netpoller: epoll, edge-triggered, one registration for each descriptor's life. A goroutine
// tries its system call first and waits here on EAGAIN. The idle scheduler sleeps in epoll_wait.
//
// Law: each direction of a descriptor has a word that is idle, ready (an edge nobody has consumed),
// or
//   the G that waits; whoever moves it away from G by an exchange readies that G.

#ifndef LEASH_SCHED_NETPOLL_H_
#define LEASH_SCHED_NETPOLL_H_

#include <atomic>
#include <cstdint>

#include "base/lock.h"
#include "sched/timer.h"

namespace leash::rt {

struct G;

enum class PollResult : uint8_t { kReady, kTimeout, kClosed };
enum class PollMode : uint8_t { kRead, kWrite };

// One descriptor. Made by PollOpen, freed by PollClose; records are recycled and never unmapped, so
// a stale event from the kernel finds a record (of a newer `sequence`), not garbage.
struct PollDesc;

// Registers a non-blocking descriptor. Null where epoll refuses it: *error is the errno that says
// why (errno itself says nothing: raw_syscall.h).
PollDesc* PollOpen(int fd, int* error);
// Wakes every waiter with kClosed. Call it before close(fd), and once only; the record stays until
// PollFree, which requires that no call on it is under way.
void PollClose(PollDesc* pd);
void PollFree(PollDesc* pd);

// Forgets a stale readiness. Call before the system call whose EAGAIN leads to PollWait. kClosed or
// kTimeout if that is already so.
PollResult PollPrepare(PollDesc* pd, PollMode mode);
// Waits until the descriptor may be ready, its deadline passes or it is closed. The caller shows as
// [IO wait]. One waiter for each direction (callers serialise, as net's fd lock does).
PollResult PollWait(PollDesc* pd, PollMode mode);
// Sets when waits of this direction end with kTimeout, now and later; on Nanotime(); 0: never,
// negative: at once. Wakes a waiter whose time has come.
void PollSetDeadline(PollDesc* pd, PollMode mode, int64_t when_ns);

int PollFd(const PollDesc* pd);

}  // namespace leash::rt

#endif  // LEASH_SCHED_NETPOLL_H_
