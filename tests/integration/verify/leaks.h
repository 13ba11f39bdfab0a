// Goroutines that leak, each kind in its own function: tests compare reports that name them.

#ifndef LEASH_TESTS_INTEGRATION_VERIFY_LEAKS_H_
#define LEASH_TESTS_INTEGRATION_VERIFY_LEAKS_H_

#include "leash/chan.h"
#include "leash/sync.h"

namespace leaks {

void Send(leash::SendChan<int> out);
void Receive(leash::RecvChan<int> in);
void ReceiveFromNil();
void SelectNothing();
void Sleep();
void Spin();
void YieldForEver();
void Lock(leash::Mutex* mu);
// Spawns a goroutine that spawns ReceiveFromNil(), and ends.
void SpawnTwice();
// Ends after a while.
void EndSoon();

}  // namespace leaks

#endif  // LEASH_TESTS_INTEGRATION_VERIFY_LEAKS_H_
