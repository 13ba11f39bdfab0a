// Waiting, in a test, until others wait: what orders a test where no channel can.
//
//     uint64_t id = 0;
//     leash::Chan<int> ch = leash::MakeChan<int>(), started = leash::MakeChan<int>(1);
//     leash::go([&] { id = leash::GoroutineId(); started.Send(1); ch.Recv(); });
//     started.Recv();
//     WaitUntilBlocked(id, "chan receive");
//
// Looks again and again, with a deadline that only a hang can reach. On failure the test says what
// everybody is doing. Usable from goroutines and threads.

#ifndef LEASH_TESTS_SUPPORT_WAIT_UNTIL_BLOCKED_H_
#define LEASH_TESTS_SUPPORT_WAIT_UNTIL_BLOCKED_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <source_location>
#include <string_view>

#include "leash/snapshot.h"

namespace leash::testing {

// WaitUntilBlocked()
//
// Until the goroutine or thread with this id waits for `reason`, in a dump's words. False, and a
// failure of the test, when it does not within a minute.
bool WaitUntilBlocked(uint64_t id, std::string_view reason,
                      std::source_location site = std::source_location::current());

// WaitUntilBlockedCount()
//
// Until `count` goroutines or threads, or more, wait for `reason`.
bool WaitUntilBlockedCount(size_t count, std::string_view reason,
                           std::source_location site = std::source_location::current());

// WaitUntilSnapshot()
//
// Until `condition` is true of a snapshot (without stacks); `what` says it in words, for the
// failure.
bool WaitUntilSnapshot(const std::function<bool(const Snapshot&)>& condition, std::string_view what,
                       std::source_location site = std::source_location::current());

}  // namespace leash::testing

#endif  // LEASH_TESTS_SUPPORT_WAIT_UNTIL_BLOCKED_H_
