#include "downloader/line_reader.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>

#include "absl/strings/ascii.h"

namespace downloader {
namespace {

// Becomes readable when the context ends.
class EndOfContext {
 public:
  explicit EndOfContext(const leash::Context& ctx)
      : event_(std::make_shared<Event>()),
        // The function may still run when this is gone: it holds the event too.
        stop_(leash::AfterFunc(ctx, [event = event_] { eventfd_write(event->fd, 1); })) {}
  EndOfContext(const EndOfContext&) = delete;
  EndOfContext& operator=(const EndOfContext&) = delete;
  ~EndOfContext() { stop_(); }

  int fd() const { return event_->fd; }

 private:
  struct Event {
    const int fd = eventfd(0, EFD_CLOEXEC);
    ~Event() { close(fd); }
  };
  std::shared_ptr<Event> event_;
  leash::StopFunc stop_;
};

// False: the context has ended.
bool Send(const leash::Context& ctx, const leash::SendChan<std::string>& lines,
          absl::string_view line) {
  line = absl::StripAsciiWhitespace(line);
  if (line.empty()) return true;
  bool sent = false;
  leash::Select(leash::OnSend(lines, std::string(line), [&] { sent = true; }), leash::OnDone(ctx));
  return sent;
}

}  // namespace

absl::Status SendLines(const leash::Context& ctx, int fd,
                       const leash::SendChan<std::string>& lines) {
  const EndOfContext end(ctx);
  std::string rest;  // read, and not a whole line yet
  std::array<char, 16 << 10> bytes;
  while (ctx.Err().ok()) {
    std::array<pollfd, 2> ready = {pollfd{fd, POLLIN, 0}, pollfd{end.fd(), POLLIN, 0}};
    if (poll(ready.data(), ready.size(), -1) < 0) {
      if (errno == EINTR) continue;
      return absl::ErrnoToStatus(errno, "poll");
    }
    if (ready[0].revents == 0) continue;
    const ssize_t count = read(fd, bytes.data(), bytes.size());
    if (count < 0) {
      if (errno == EINTR || errno == EAGAIN) continue;
      return absl::ErrnoToStatus(errno, "read standard input");
    }
    if (count == 0) {
      Send(ctx, lines, rest);
      return absl::OkStatus();
    }
    rest.append(bytes.data(), static_cast<size_t>(count));
    size_t begin = 0;
    for (size_t end_of_line; (end_of_line = rest.find('\n', begin)) != rest.npos;
         begin = end_of_line + 1) {
      if (!Send(ctx, lines, {rest.data() + begin, end_of_line - begin})) return absl::OkStatus();
    }
    rest.erase(0, begin);
  }
  return absl::OkStatus();
}

}  // namespace downloader
