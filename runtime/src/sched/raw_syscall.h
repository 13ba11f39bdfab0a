// System calls on descriptors that return -errno where libc returns -1.
//
// Law: code that may park neither reads nor writes errno. A goroutine that has parked may go on on
// another thread, and __errno_location is attribute const: the compiler asks once in a function for
// the address (what is inlined into it included) and would read the first thread's errno after the
// park. So each of these is a function of its own that cannot be inlined, and reads errno right
// after its call. The same holds of a function that saves errno and puts it back: noinline, and no
// park in between. And of pthread_self(), which is attribute const as well.
//
// Under LEASH_RACE they go past ThreadSanitizer. Its interceptors draw happens-before edges through
// descriptors: through epoll and eventfd they would order goroutines that only share a scheduler,
// and so hide races. What a read and a write of a socket order is stated in net, by base/race.h.
// Without LEASH_RACE these are libc's functions.

#ifndef LEASH_SCHED_RAW_SYSCALL_H_
#define LEASH_SCHED_RAW_SYSCALL_H_

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>

namespace leash::rt::raw {

int Close(int fd);
int OpenToRead(const char* path);
// For writing; made or cut short. The mode is 0644 without the umask.
int OpenToWrite(const char* path);
int Pipe(int fds[2]);
ssize_t Read(int fd, void* p, size_t n);
ssize_t Write(int fd, const void* p, size_t n);

int Socket(int family, int type, int protocol);
int Bind(int fd, const sockaddr* address, socklen_t size);
int Listen(int fd, int backlog);
int Connect(int fd, const sockaddr* address, socklen_t size);
int Accept4(int fd, sockaddr* address, socklen_t* size, int flags);
ssize_t Recv(int fd, void* p, size_t n, int flags);
ssize_t Send(int fd, const void* p, size_t n, int flags);
int Shutdown(int fd, int how);
// SO_ERROR: what a connect that was under way has come to; 0: it has worked.
int SocketError(int fd, int* error);

int EpollCreate();
int EpollCtl(int epfd, int op, int fd, epoll_event* event);
// epoll_pwait2: a limit in nanoseconds; negative: none. -ENOSYS, -EPERM: the kernel, or a sandbox,
// does not have it.
int EpollWait2(int epfd, epoll_event* events, int max, int64_t delay_ns);
int EpollWait(int epfd, epoll_event* events, int max, int timeout_ms);
int EventFd();

}  // namespace leash::rt::raw

#endif  // LEASH_SCHED_RAW_SYSCALL_H_
