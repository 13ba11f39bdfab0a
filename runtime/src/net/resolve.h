// From what a user writes ("localhost:http", "[::1]:80", "/run/app.sock") to addresses.

#ifndef LEASH_NET_RESOLVE_H_
#define LEASH_NET_RESOLVE_H_

#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "leash/context.h"
#include "net/address.h"

namespace leash::rt {

enum class Purpose { kListen, kDial };

// The addresses to try, in order; at least one. An empty host is every address of the machine for
// kListen, the machine itself for kDial. Blocks only for names, and then as long as `ctx` lasts.
// Errors are causes, without the operation.
absl::StatusOr<std::vector<Address>> Resolve(const Context& ctx, Purpose purpose,
                                             std::string_view network, std::string_view text);

}  // namespace leash::rt

#endif  // LEASH_NET_RESOLVE_H_
