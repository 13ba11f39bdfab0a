// Goroutines that wait to receive, hold nothing that could end the wait, and are asked about.

#ifndef LEASH_TESTS_INTEGRATION_PROOF_VICTIM_H_
#define LEASH_TESTS_INTEGRATION_PROOF_VICTIM_H_

#include <source_location>
#include <string>
#include <string_view>

#include "leash/chan.h"
#include "leash/debug.h"

namespace leash::testing {

// What ProveLeaks() says now of the goroutine with this name: "proved: no sender is alive", "still
// there" or "gone".
std::string VerdictOn(const std::string& name, const debug::CaptureOptions& options);
std::string VerdictOn(const std::string& name);

// A name that no goroutine has had.
std::string NewName();

// Spawns one that waits to receive from `in`, returns when it waits, and says its name.
std::string SpawnVictim(RecvChan<int> in);
// Until the goroutine of this name waits.
void WaitUntilWaits(const std::string& name);

// In none of many looks the goroutine is proved leaked.
void ExpectStillThere(const std::string& name,
                      std::source_location site = std::source_location::current());
// It is proved, in these words, as soon as no thread happens to run.
void ExpectProved(const std::string& name, std::string_view reason,
                  std::source_location site = std::source_location::current());

// Whether a wait for what a stuck goroutine itself holds can be proved. Not with AddressSanitizer's
// fake stacks (detect_stack_use_after_return): whether somebody points to a frame in one is not
// known, and it is taken for used.
bool HeldHandlesCanBeProved();

}  // namespace leash::testing

#endif  // LEASH_TESTS_INTEGRATION_PROOF_VICTIM_H_
