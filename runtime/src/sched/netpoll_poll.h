// The netpoller as the scheduler sees it: wait for events, collect who can go on.

#ifndef LEASH_SCHED_NETPOLL_POLL_H_
#define LEASH_SCHED_NETPOLL_POLL_H_

#include <cstdint>

#include "sched/netpoll.h"

namespace leash::rt {

// Gs to be readied, linked through a field of G that is free while it waits.
struct ReadyList {
  G* first = nullptr;
  G* last = nullptr;
  int n = 0;
};

// Appends; implemented by the scheduler, which knows the field.
void PushReady(ReadyList* list, G* g);

// Takes what epoll has: waits for delay_ns (negative: until there is something or NetPollBreak; 0:
// not at all) and appends every G that an event readies. Returns how many were appended. Callable
// from several threads at once; those that sleep share the events among them.
int NetPoll(int64_t delay_ns, ReadyList* out);

// Makes a sleeping NetPoll, or the next one that would sleep, return at once.
void NetPollBreak();

// How many callers wait in PollWait, threads too. seq_cst: see sched_hooks.h.
int NetPollWaiters();

// True once a descriptor has been opened, or NetPollInit called; until then NetPoll returns 0 at
// once, without sleeping.
bool NetPollInitialized();

// Makes the epoll instance, so that the scheduler can sleep in NetPoll with no descriptor about.
// Returns 0, or -errno if the kernel refuses.
int NetPollInit();

// How many descriptors are open. A moment's figure.
int NetPollDescriptors();

// In the child of a fork: a fresh epoll instance with the same descriptors (the old one is shared
// with the parent) and no waiters.
void NetPollAfterFork();

}  // namespace leash::rt

#endif  // LEASH_SCHED_NETPOLL_POLL_H_
