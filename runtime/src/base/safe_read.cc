#include "base/safe_read.h"

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace leash::rt {
namespace {

bool ReadThroughPipe(uint64_t address, void* out, size_t bytes) {
  int fds[2];
  if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) != 0) return false;
  auto* to = static_cast<char*>(out);
  bool ok = true;
  while (ok && bytes > 0) {
    const size_t piece = bytes < 4096 ? bytes : 4096;
    const ssize_t n = write(fds[1], reinterpret_cast<const void*>(address), piece);
    ok = n > 0 && read(fds[0], to, static_cast<size_t>(n)) == n;
    if (!ok) break;
    address += static_cast<uint64_t>(n);
    to += n;
    bytes -= static_cast<size_t>(n);
  }
  close(fds[0]);
  close(fds[1]);
  return ok;
}

}  // namespace

[[gnu::noinline]] bool SafeRead(uint64_t address, void* out, size_t bytes) {
  const int saved_errno = errno;
  const iovec local = {out, bytes};
  const iovec remote = {reinterpret_cast<void*>(address), bytes};
  const ssize_t n = process_vm_readv(getpid(), &local, 1, &remote, 1, 0);
  bool ok = n == static_cast<ssize_t>(bytes);
  if (n < 0 && (errno == ENOSYS || errno == EPERM)) ok = ReadThroughPipe(address, out, bytes);
  errno = saved_errno;
  return ok;
}

}  // namespace leash::rt
