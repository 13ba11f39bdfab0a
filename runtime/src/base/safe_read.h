// Reading memory that may be gone: a goroutine's record says where the lock lies that it waits for,
// but the goroutine may go on meanwhile and the lock be freed.

#ifndef LEASH_BASE_SAFE_READ_H_
#define LEASH_BASE_SAFE_READ_H_

#include <cstddef>
#include <cstdint>

namespace leash::rt {

// Copies [address, address + bytes) of this process to `out`. False: some of it is not readable.
// By process_vm_readv(2); where that is denied (old containers), through a pipe, which answers
// EFAULT. Async-signal-safe.
bool SafeRead(uint64_t address, void* out, size_t bytes);

}  // namespace leash::rt

#endif  // LEASH_BASE_SAFE_READ_H_
