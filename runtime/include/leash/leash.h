// All of leash's runtime: goroutines, channels, locks, contexts, time and sockets.
//
// The tools around it are included by name: <leash/debug.h>, <leash/verify.h>.

#ifndef LEASH_LEASH_H_
#define LEASH_LEASH_H_

#include "leash/chan.h"     // IWYU pragma: export
#include "leash/context.h"  // IWYU pragma: export
#include "leash/go.h"       // IWYU pragma: export
#include "leash/net.h"      // IWYU pragma: export
#include "leash/sync.h"     // IWYU pragma: export
#include "leash/time.h"     // IWYU pragma: export

#endif  // LEASH_LEASH_H_
