#include "base/membarrier.h"

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "base/check.h"

namespace leash::rt {

constinit std::atomic<bool> have_membarrier{false};

[[gnu::noinline]] void InitMembarrier() {
  const int saved = errno;
  if (syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0) {
    have_membarrier.store(true, std::memory_order_relaxed);
  }
  errno = saved;
}

void HeavyFence() {
  if (!have_membarrier.load(std::memory_order_relaxed)) InitMembarrier();
  if (have_membarrier.load(std::memory_order_relaxed)) {
    LEASH_CHECK(syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0);
  } else {
    std::atomic_thread_fence(std::memory_order_seq_cst);
  }
}

}  // namespace leash::rt
