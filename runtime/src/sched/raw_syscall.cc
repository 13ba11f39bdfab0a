#include "sched/raw_syscall.h"

#include <fcntl.h>
#include <linux/time_types.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

// Which of the two makes the call, and why none of these may be inlined: see the header.
#if LEASH_RACE
#define LEASH_RAW(libc_call, ...) syscall(__VA_ARGS__)
#else
#define LEASH_RAW(libc_call, ...) (libc_call)
#endif

namespace leash::rt::raw {
namespace {

template <typename T>
inline int IntResult(T result) {
  return result < 0 ? -errno : static_cast<int>(result);
}

inline ssize_t SizeResult(ssize_t result) { return result < 0 ? -errno : result; }

}  // namespace

[[gnu::noinline]] int Close(int fd) { return IntResult(LEASH_RAW(::close(fd), SYS_close, fd)); }

[[gnu::noinline]] int OpenToRead(const char* path) {
  constexpr int kFlags = O_RDONLY | O_CLOEXEC;
  return IntResult(LEASH_RAW(::open(path, kFlags), SYS_openat, AT_FDCWD, path, kFlags));
}

[[gnu::noinline]] int OpenToWrite(const char* path) {
  constexpr int kFlags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC;
  return IntResult(LEASH_RAW(::open(path, kFlags, 0644), SYS_openat, AT_FDCWD, path, kFlags, 0644));
}

[[gnu::noinline]] int Pipe(int fds[2]) {
  return IntResult(LEASH_RAW(::pipe2(fds, O_CLOEXEC), SYS_pipe2, fds, O_CLOEXEC));
}

[[gnu::noinline]] ssize_t Read(int fd, void* p, size_t n) {
  return SizeResult(LEASH_RAW(::read(fd, p, n), SYS_read, fd, p, n));
}

[[gnu::noinline]] ssize_t Write(int fd, const void* p, size_t n) {
  return SizeResult(LEASH_RAW(::write(fd, p, n), SYS_write, fd, p, n));
}

[[gnu::noinline]] int Socket(int family, int type, int protocol) {
  return IntResult(LEASH_RAW(::socket(family, type, protocol), SYS_socket, family, type, protocol));
}

[[gnu::noinline]] int Bind(int fd, const sockaddr* address, socklen_t size) {
  return IntResult(::bind(fd, address, size));
}

[[gnu::noinline]] int Listen(int fd, int backlog) { return IntResult(::listen(fd, backlog)); }

[[gnu::noinline]] int Connect(int fd, const sockaddr* address, socklen_t size) {
  return IntResult(LEASH_RAW(::connect(fd, address, size), SYS_connect, fd, address, size));
}

[[gnu::noinline]] int Accept4(int fd, sockaddr* address, socklen_t* size, int flags) {
  return IntResult(
      LEASH_RAW(::accept4(fd, address, size, flags), SYS_accept4, fd, address, size, flags));
}

[[gnu::noinline]] ssize_t Recv(int fd, void* p, size_t n, int flags) {
  return SizeResult(
      LEASH_RAW(::recv(fd, p, n, flags), SYS_recvfrom, fd, p, n, flags, nullptr, nullptr));
}

[[gnu::noinline]] ssize_t Send(int fd, const void* p, size_t n, int flags) {
  return SizeResult(LEASH_RAW(::send(fd, p, n, flags), SYS_sendto, fd, p, n, flags, nullptr, 0));
}

[[gnu::noinline]] int Shutdown(int fd, int how) { return IntResult(::shutdown(fd, how)); }

[[gnu::noinline]] int SocketError(int fd, int* error) {
  socklen_t size = sizeof *error;
  return IntResult(::getsockopt(fd, SOL_SOCKET, SO_ERROR, error, &size));
}

[[gnu::noinline]] int EpollCreate() {
  return IntResult(LEASH_RAW(::epoll_create1(EPOLL_CLOEXEC), SYS_epoll_create1, EPOLL_CLOEXEC));
}

[[gnu::noinline]] int EpollCtl(int epfd, int op, int fd, epoll_event* event) {
  return IntResult(LEASH_RAW(::epoll_ctl(epfd, op, fd, event), SYS_epoll_ctl, epfd, op, fd, event));
}

[[gnu::noinline]] int EpollWait2(int epfd, epoll_event* events, int max, int64_t delay_ns) {
  const __kernel_timespec limit = {delay_ns / 1'000'000'000, delay_ns % 1'000'000'000};
  return IntResult(syscall(SYS_epoll_pwait2, epfd, events, max, delay_ns < 0 ? nullptr : &limit,
                           nullptr, size_t{8}));
}

[[gnu::noinline]] int EpollWait(int epfd, epoll_event* events, int max, int timeout_ms) {
  return IntResult(syscall(SYS_epoll_pwait, epfd, events, max, timeout_ms, nullptr, size_t{8}));
}

[[gnu::noinline]] int EventFd() {
  return IntResult(LEASH_RAW(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), SYS_eventfd2, 0,
                             EFD_CLOEXEC | EFD_NONBLOCK));
}

}  // namespace leash::rt::raw
