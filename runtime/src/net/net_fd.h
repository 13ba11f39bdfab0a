// NetFd: a socket that goroutines read and write at the same time, with deadlines.
//
// Laws: (1) every system call on the descriptor is made under a reference of `mutex_`, so its
// number
//   cannot meanwhile belong to another file.  (2) The call that gives back the last reference of a
//   closed one closes the descriptor; Close returns after that.  (3) A call tries first and waits
//   on EAGAIN; readiness may be spurious, so it tries again after each wait.

#ifndef LEASH_NET_NET_FD_H_
#define LEASH_NET_NET_FD_H_

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "leash/context.h"
#include "net/address.h"
#include "net/error.h"
#include "net/fd_mutex.h"
#include "sched/netpoll.h"

namespace leash::rt {

class NetFd : public std::enable_shared_from_this<NetFd> {
 public:
  // A new socket for this network.
  static absl::StatusOr<std::shared_ptr<NetFd>> Open(std::string_view network, int family);
  // Of a descriptor that is there already; takes it over, also when it fails.
  static absl::StatusOr<std::shared_ptr<NetFd>> Adopt(int fd, std::string_view network);
  ~NetFd();
  NetFd(const NetFd&) = delete;
  NetFd& operator=(const NetFd&) = delete;

  // Causes only: dial.cc and listen.cc put the operation in front.
  absl::Status ConnectTo(const Context& ctx, const Address& remote, absl::Time deadline);
  absl::Status ListenOn(const Address& local);

  absl::StatusOr<size_t> Read(absl::Span<char> buffer);
  absl::StatusOr<size_t> Write(std::string_view data);
  absl::StatusOr<std::shared_ptr<NetFd>> Accept();
  void SetDeadline(PollMode mode, absl::Time deadline);
  absl::Status CloseWrite();
  absl::Status Close();

  const Address& local() const { return local_; }
  const Address& remote() const { return remote_; }
  // The descriptor, for socket options before anybody else has this object.
  int fd() const { return fd_; }

 private:
  NetFd(int fd, PollDesc* desc, std::string_view network);
  absl::Status Fail(std::string_view op, const absl::Status& cause) const;
  // The cause for which a wait has ended without readiness.
  static absl::Status CauseOf(PollResult result);
  absl::Status WaitConnected();
  // After the last reference of a closed one.
  void Destroy();
  void Unref() {
    if (mutex_.Unref()) Destroy();
  }
  void Release(PollMode mode) {
    if (mutex_.Release(mode)) Destroy();
  }

  const int fd_;
  PollDesc* const desc_;
  const char* const network_;  // a literal
  // Constant once somebody else has this object.
  Address local_;
  Address remote_;
  bool unlink_ = false;  // a listener that has made its path

  FdMutex mutex_;
  Lock close_lock_{LockRank::kNet};
  bool destroyed_ ABSL_GUARDED_BY(close_lock_) = false;
  G* closer_ ABSL_GUARDED_BY(close_lock_) = nullptr;  // one at most: CloseAndRef lets one in
};

}  // namespace leash::rt

#endif  // LEASH_NET_NET_FD_H_
