// System calls on descriptors that ThreadSanitizer does not see.
//
// Its interceptors draw happens-before edges through descriptors: through epoll and eventfd they
// would order goroutines that only share a scheduler, and so hide races. What a read and a write of
// a socket order is stated in net, by base/race.h. Without LEASH_RACE these are libc's functions.

#ifndef LEASH_SCHED_RAW_SYSCALL_H_
#define LEASH_SCHED_RAW_SYSCALL_H_

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>

namespace leash::rt::raw {

#if LEASH_RACE
inline int Close(int fd) { return static_cast<int>(syscall(SYS_close, fd)); }
inline ssize_t Read(int fd, void* p, size_t n) { return syscall(SYS_read, fd, p, n); }
inline ssize_t Write(int fd, const void* p, size_t n) { return syscall(SYS_write, fd, p, n); }
inline ssize_t Recv(int fd, void* p, size_t n, int flags) {
  return syscall(SYS_recvfrom, fd, p, n, flags, nullptr, nullptr);
}
inline ssize_t Send(int fd, const void* p, size_t n, int flags) {
  return syscall(SYS_sendto, fd, p, n, flags, nullptr, 0);
}
inline int Socket(int family, int type, int protocol) {
  return static_cast<int>(syscall(SYS_socket, family, type, protocol));
}
inline int Connect(int fd, const sockaddr* address, socklen_t size) {
  return static_cast<int>(syscall(SYS_connect, fd, address, size));
}
inline int Accept4(int fd, sockaddr* address, socklen_t* size, int flags) {
  return static_cast<int>(syscall(SYS_accept4, fd, address, size, flags));
}
inline int EpollCreate() { return static_cast<int>(syscall(SYS_epoll_create1, EPOLL_CLOEXEC)); }
inline int EpollCtl(int epfd, int op, int fd, epoll_event* event) {
  return static_cast<int>(syscall(SYS_epoll_ctl, epfd, op, fd, event));
}
inline int EventFd() {
  return static_cast<int>(syscall(SYS_eventfd2, 0, EFD_CLOEXEC | EFD_NONBLOCK));
}
#else
inline int Close(int fd) { return ::close(fd); }
inline ssize_t Read(int fd, void* p, size_t n) { return ::read(fd, p, n); }
inline ssize_t Write(int fd, const void* p, size_t n) { return ::write(fd, p, n); }
inline ssize_t Recv(int fd, void* p, size_t n, int flags) { return ::recv(fd, p, n, flags); }
inline ssize_t Send(int fd, const void* p, size_t n, int flags) { return ::send(fd, p, n, flags); }
inline int Socket(int family, int type, int protocol) { return ::socket(family, type, protocol); }
inline int Connect(int fd, const sockaddr* address, socklen_t size) {
  return ::connect(fd, address, size);
}
inline int Accept4(int fd, sockaddr* address, socklen_t* size, int flags) {
  return ::accept4(fd, address, size, flags);
}
inline int EpollCreate() { return ::epoll_create1(EPOLL_CLOEXEC); }
inline int EpollCtl(int epfd, int op, int fd, epoll_event* event) {
  return ::epoll_ctl(epfd, op, fd, event);
}
inline int EventFd() { return ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }
#endif

}  // namespace leash::rt::raw

#endif  // LEASH_SCHED_RAW_SYSCALL_H_
